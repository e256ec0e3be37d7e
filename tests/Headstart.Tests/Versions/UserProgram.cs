using System.Diagnostics;

namespace Headstart.Tests.Versions;

/// <summary>A program as a user runs it in a terminal.</summary>
internal static class UserProgram
{
    /// <returns>What it wrote to its output.</returns>
    public static async Task<string> RunAsync(string folder, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment.Remove("MSBuildSDKsPath"); // of the SDK that runs the tests
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(Api.Cancel), process.StandardError.ReadToEndAsync(Api.Cancel));
        await process.WaitForExitAsync(Api.Cancel);
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {await output}{await errors}");
        return await output;
    }
}
