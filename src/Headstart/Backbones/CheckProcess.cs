using System.Diagnostics;
using System.Text;
using Headstart.Learning.Backbones;

namespace Headstart.Backbones;

/// <summary>
/// Tests a user's file in a separate process: one that crashes, exhausts memory or never ends does not harm the host, and its memory can
/// be measured precisely.
/// </summary>
public static class CheckProcess
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    /// <exception cref="BackboneException">The file cannot be used; the message is a sentence that says why.</exception>
    public static async Task<BackboneManifest> RunAsync(string path, BackboneDescription given, CancellationToken cancel)
    {
        using var process = Process.Start(Start(["backbones", "check", path, .. BackboneFields.Options(given)]))!;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(Timeout);
        try
        {
            var (output, error) = (process.StandardOutput.ReadToEndAsync(patience.Token),
                process.StandardError.ReadToEndAsync(patience.Token));
            await process.WaitForExitAsync(patience.Token);
            return process.ExitCode switch
            {
                0 => BackboneManifest.Parse(Encoding.UTF8.GetBytes(await output)),
                1 when (await error).Trim() is { Length: > 0 } sentence => throw new BackboneException(sentence.Split('\n')[^1]),
                var code => throw Unusable(given, $"the process that tested it exited with code {code}, as it does when the network needs "
                    + "more memory than the host has"),
            };
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw Unusable(given, $"it did not process four images within {Timeout.TotalMinutes:0} minutes");
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
                await process.WaitForExitAsync(CancellationToken.None); // until then the file is open
            }
        }
    }

    private static ProcessStartInfo Start(IEnumerable<string> arguments)
    {
        var program = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "Headstart.exe" : "Headstart");
        var start = File.Exists(program) ? new ProcessStartInfo(program, arguments)
            : new ProcessStartInfo("dotnet", arguments.Prepend(typeof(CheckProcess).Assembly.Location));
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        return start;
    }

    private static BackboneException Unusable(BackboneDescription given, string why) =>
        new($"{given.FileName} cannot be used as a backbone: {why}.");
}
