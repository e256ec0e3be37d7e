using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Headstart.Learning.Native;

/// <summary>Starts ONNX Runtime once, with telemetry switched off, and says on what it runs networks.</summary>
public static partial class OnnxRuntime
{
    private const string Cuda = "CUDAExecutionProvider";
    private const string Switch = "ORT_DISABLE_TELEMETRY";

    private static readonly Lazy<bool> Started = new(Start);

    /// <summary>Must come before anything else of ONNX Runtime. Safe to call from any thread, any number of times.</summary>
    public static void EnsureLoaded() => _ = Started.Value;

    /// <summary>Whether this build could use a GPU.</summary>
    public static bool HasCuda
    {
        get
        {
            EnsureLoaded();
            return OrtEnv.Instance().GetAvailableProviders().Contains(Cuda);
        }
    }

    /// <summary>Whether backbones that are opened from now on run on a GPU.</summary>
    public static bool RunsOnCuda { get; private set; }

    /// <summary>Lets backbones run on the first GPU from now on; their features stay float32, without TF32.</summary>
    /// <returns>null, or why this is not possible: a sentence.</returns>
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

    /// <summary>For a session that is to run where <see cref="RunsOnCuda"/> says.</summary>
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
        provider.UpdateOptions(new() { ["use_tf32"] = "0" }); // it rounds to 10 bits: features would differ from those of other nodes
        options.AppendExecutionProvider_CUDA(provider);
    }

    private static bool Start()
    {
        // Read by the native library as it starts. On Unix .NET keeps its own copy of the environment, which native code does not see.
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
