using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Microsoft.ML.OnnxRuntime;

namespace Headstart.Learning.Native;

/// <summary>Starts ONNX Runtime once, without telemetry, and selects the device that networks run on.</summary>
public static partial class OnnxRuntime
{
    private const string Cuda = "CUDAExecutionProvider";
    private const string Switch = "ORT_DISABLE_TELEMETRY";

    private static readonly Lazy<bool> Started = new(Start);

    /// <summary>Call before anything else of ONNX Runtime. Thread-safe.</summary>
    public static void EnsureLoaded() => _ = Started.Value;

    /// <summary>Whether this build can use a GPU.</summary>
    public static bool HasCuda
    {
        get
        {
            EnsureLoaded();
            return OrtEnv.Instance().GetAvailableProviders().Contains(Cuda);
        }
    }

    /// <summary>Whether backbones opened from now on run on a GPU.</summary>
    public static bool RunsOnCuda { get; private set; }

    /// <summary>Runs backbones opened from now on on the first GPU; their features stay float32, without TF32.</summary>
    /// <returns>null, or a sentence that says why this is not possible.</returns>
    public static string? UseCuda()
    {
        if (!HasCuda)
        {
            return "This program was built without CUDA; build it with -p:Gpu=true.";
        }

        try
        {
            using var options = new SessionOptions();
            AddCuda(options);
            RunsOnCuda = true;
            return null;
        }
        catch (OnnxRuntimeException exception)
        {
            return $"CUDA cannot be used: {exception.Message.TrimEnd('.')}.";
        }
    }

    /// <summary>Options for a session that shares the cores with other work, on the CPU.</summary>
    internal static SessionOptions Options(int threads)
    {
        EnsureLoaded();
        var options = new SessionOptions
        {
            InterOpNumThreads = 1,
            IntraOpNumThreads = threads,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        // Spinning threads would take the cores that decoding and other requests need.
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        // x64 processors without VNNI add 8-bit products in 16 bits, which may overflow: there, use the safe way, because features must be
        // the same on every node. With VNNI that way is slower than float32.
        if (!HasVnni)
        {
            options.AddSessionConfigEntry("session.x64quantprecision", "1");
        }

        return options;
    }

    /// <summary>Whether the processor adds 8-bit products without overflow: AVX512_VNNI or AVX-VNNI (CPUID leaf 7).</summary>
    private static bool HasVnni => X86Base.IsSupported && X86Base.CpuId(0, 0).Eax >= 7
        && ((X86Base.CpuId(7, 0).Ecx >> 11 & 1) == 1 || (X86Base.CpuId(7, 1).Eax >> 4 & 1) == 1);

    /// <summary>Adds the device of <see cref="RunsOnCuda"/> to a session's options.</summary>
    internal static void AddDevice(SessionOptions options)
    {
        if (RunsOnCuda)
        {
            AddCuda(options);
        }
    }

    private static void AddCuda(SessionOptions options)
    {
        using var provider = new OrtCUDAProviderOptions();
        provider.UpdateOptions(new() { ["use_tf32"] = "0" }); // TF32 rounds to 10 bits: features would differ from those of other nodes
        options.AppendExecutionProvider_CUDA(provider);
    }

    private static bool Start()
    {
        // The native library reads it at start. On Unix .NET keeps its own copy of the environment, which native code does not see.
        Environment.SetEnvironmentVariable(Switch, "1");
        if (!OperatingSystem.IsWindows())
        {
            _ = SetEnvironment(Switch, "1", overwrite: 1);
        }

        OrtEnv.Instance().DisableTelemetryEvents();
        return true;
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
