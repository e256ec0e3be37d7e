using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Headstart.Learning.Native;

/// <summary>Starts ONNX Runtime once, with telemetry switched off.</summary>
public static partial class OnnxRuntime
{
    private const string Switch = "ORT_DISABLE_TELEMETRY";

    private static readonly Lazy<bool> Started = new(Start);

    /// <summary>Must come before anything else of ONNX Runtime. Safe to call from any thread, any number of times.</summary>
    public static void EnsureLoaded() => _ = Started.Value;

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
