using System.Diagnostics;
using Headstart.Disk;
using Headstart.Tests.Postgres;

namespace Headstart.Tests.Processes;

/// <summary>A worker that stands still for longer than anybody waits for it, as in a virtual machine that is moved, and then goes on as if
/// nothing had been.</summary>
public sealed class PausedWorkerTests
{
    [Fact]
    public async Task A_worker_that_is_paused_past_its_lease_and_woken_again_changes_nothing_of_what_another_made()
    {
        Needs.Time();
        using var own = new OwnPostgres();
        using var data = DataFolder.Open(own.Folder.Path);
        await using var server = await own.StartAsync(data);
        await using var first = new HostProcess { Environment = { ["ConnectionStrings__Headstart"] = server.ConnectionString } };
        await using var second = new HostProcess
        {
            Environment = { ["ConnectionStrings__Headstart"] = server.ConnectionString,
            ["Headstart__Roles"] = "worker" }
        };
        await first.StartAsync();
        Directory.CreateDirectory(second.DataFolder);
        Directory.CreateSymbolicLink(Path.Combine(second.DataFolder, "blobs"),
            Directory.CreateDirectory(Path.Combine(first.DataFolder, "blobs")).FullName);
        var model = await first.Client.PetsAsync();
        var run = await first.Client.StartRunAsync(model);
        while (!first.Output.Contains("(attempt 1)", StringComparison.Ordinal))
        {
            await Task.Delay(20, Api.Cancel);
        }

        Signal("-STOP", first);
        await second.StartAsync();
        await UntilAsync(() => second.Output.Contains("(attempt 2)", StringComparison.Ordinal), "the other worker takes the run over");
        await UntilAsync(() => second.Output.Contains("made version 1", StringComparison.Ordinal), "the other worker ends the run");
        Signal("-CONT", first);

        // In the middle of a transaction it finds that the database has ended that meanwhile (25P03), as it would have held up the other
        // worker.
        await UntilAsync(() => first.Output.Contains("taken over by another worker", StringComparison.Ordinal)
            || first.Output.Contains("25P03", StringComparison.Ordinal), "the woken worker notices");
        var ended = await first.Client.EndOfRunAsync(model, run);
        Assert.Equal(("succeeded", 1), ((string?)ended["state"], (int?)ended["version"]));
        Assert.Single((await first.Client.GetJsonAsync($"{model}/versions"))["items"]!.AsArray());
        Assert.Equal(2, (int?)(await first.Client.TrainAsync(model))["version"]);
    }

    private static async Task UntilAsync(Func<bool> holds, string what)
    {
        for (var looks = 0; !holds(); looks++)
        {
            Assert.True(looks < 1_200, $"It does not happen that {what}.");
            await Task.Delay(50, Api.Cancel);
        }
    }

    private static void Signal(string signal, HostProcess host)
    {
        using var kill = Process.Start("kill", [signal, $"{host.Id}"]);
        kill.WaitForExit();
    }
}
