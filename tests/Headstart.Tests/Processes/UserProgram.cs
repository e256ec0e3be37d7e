using System.Diagnostics;

namespace Headstart.Tests.Processes;

/// <summary>What a command wrote, and how it ended.</summary>
internal sealed record Ended(string Command, int ExitCode, string Output, string Errors)
{
    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The exit code must be this one.</summary>
    public Ended With(int exitCode)
    {
        Assert.True(ExitCode == exitCode, $"{Command} ended with {ExitCode}: {Output}{Errors}");
        return this;
    }
}

/// <summary>A program as a user runs it in a terminal.</summary>
internal static class UserProgram
{
    /// <summary>Not a measurement: one that waits for ever (for a package source that is silent, say) would otherwise hang the whole test
    /// run.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    /// <returns>What it wrote to its output.</returns>
    public static async Task<string> RunAsync(string folder, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder };
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment.Remove("MSBuildSDKsPath"); // of the SDK that runs the tests
        return (await EndAsync(start)).With(0).Output;
    }

    /// <summary>Starts it and waits until it has ended and everything it wrote is read; it is killed after five minutes.</summary>
    public static async Task<Ended> EndAsync(ProcessStartInfo start)
    {
        using var waiting = Waits.For($"{Path.GetFileName(start.FileName)}, as a user runs it");
        var command = $"{start.FileName} {string.Join(' ', start.ArgumentList)}";
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        using var process = Process.Start(start)!;
        try
        {
            var (output, errors) = (process.StandardOutput.ReadToEndAsync(Api.Cancel), process.StandardError.ReadToEndAsync(Api.Cancel));
            await Task.WhenAll(output, errors, process.WaitForExitAsync(Api.Cancel)).WaitAsync(Limit, Api.Cancel);
            return new(command, process.ExitCode, await output, await errors);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"{command} did not end within {Limit}.");
        }
        finally
        {
            process.Kill(entireProcessTree: true); // one that has ended stays so
        }
    }
}
