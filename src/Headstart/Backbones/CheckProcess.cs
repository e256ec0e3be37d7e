using System.Diagnostics;
using System.Text;
using Headstart.Learning.Backbones;

namespace Headstart.Backbones;

/// <summary>
/// Tries a file of somebody else in a process of its own: one that crashes, eats the memory or never ends harms nobody, and the memory it
/// takes is measured where nothing else moves.
/// </summary>
public static class CheckProcess
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <exception cref="BackboneException">It cannot be used; the message is a sentence that says why.</exception>
    public static async Task<BackboneManifest> RunAsync(string path, BackboneDescription given, CancellationToken cancel)
    {
        using var process = Process.Start(Start(["backbones", "check", path, .. BackboneFields.Options(given)]))!;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(Patience);
        try
        {
            var (output, error) = (process.StandardOutput.ReadToEndAsync(patience.Token), process.StandardError.ReadToEndAsync(patience.Token));
            await process.WaitForExitAsync(patience.Token);
            return process.ExitCode switch
            {
                0 => BackboneManifest.Parse(Encoding.UTF8.GetBytes(await output)),
                1 when (await error).Trim() is { Length: > 0 } sentence => throw new BackboneException(sentence.Split('\n')[^1]),
                var code => throw Unusable(given, $"the process that tried it ended with {code}, as happens when a network needs more memory than there is"),
            };
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw Unusable(given, $"it did not pass four pictures within {Patience.TotalMinutes:0} minutes");
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
                await process.WaitForExitAsync(CancellationToken.None); // so that nobody holds the file any more
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

    private static BackboneException Unusable(BackboneDescription given, string why) => new($"{given.FileName} cannot be used as a backbone: {why}.");
}
