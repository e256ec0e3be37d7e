using System.Net;
using System.Text.Json.Nodes;
using Headstart.Tests.Backbones;
using Headstart.Tests.Data;

namespace Headstart.Tests.Processes;

/// <summary>Several programs on one machine fetch the same backbone, and one that is killed while it does; what the server was asked for is counted.</summary>
public sealed class FetchingProcessesTests : IAsyncLifetime
{
    private static readonly object Named = new { backbone = "named" };

    private readonly TaskCompletionSource _go = new();
    private readonly TinyCatalogue _catalogue = new([], "named");
    private readonly TemporaryFolder _folder = new();
    private readonly HostProcess _one = new();
    private readonly HostProcess _other = new();

    public ValueTask InitializeAsync()
    {
        _catalogue.Use(_one);
        _catalogue.Use(_other);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _one.DisposeAsync();
        await _other.DisposeAsync();
        _catalogue.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Two_hosts_download_once_each_however_many_of_their_runs_want_it()
    {
        await Task.WhenAll(_one.StartAsync(), _other.StartAsync());

        foreach (var host in new[] { _one, _other })
        {
            for (var runs = 0; runs < 2; runs++)
            {
                await SucceedsAsync(host, await host.Client.SmallModelAsync());
            }
        }

        Assert.Equal(["named", "named"], _catalogue.Asked);
    }

    [Fact]
    public async Task Two_hosts_that_share_a_folder_of_backbones_download_once()
    {
        _catalogue.Answer = (request, id) => TinyCatalogue.HalfAsync(request, id, _go.Task);
        foreach (var host in new[] { _one, _other })
        {
            Directory.CreateDirectory(_folder.Below("backbones"));
            Directory.CreateDirectory(host.DataFolder);
            Directory.CreateSymbolicLink(Path.Combine(host.DataFolder, "backbones"), _folder.Below("backbones"));
        }

        await Task.WhenAll(_one.StartAsync(), _other.StartAsync());
        var (first, second) = (await _one.Client.SmallModelAsync(), await _other.Client.SmallModelAsync());
        var (firstRun, secondRun) = (await HalfWayAsync(_one, first), await HalfWayAsync(_other, second));
        _go.SetResult();

        Assert.Equal("succeeded", (string?)(await _one.Client.EndOfRunAsync(first, firstRun))["state"]);
        Assert.Equal("succeeded", (string?)(await _other.Client.EndOfRunAsync(second, secondRun))["state"]);
        Assert.Equal(["named"], _catalogue.Asked);
    }

    [Fact]
    public async Task A_host_killed_while_it_downloads_goes_on_where_it_was()
    {
        _catalogue.Answer = (request, id) => TinyCatalogue.HalfAsync(request, id, _go.Task);
        await _one.StartAsync();
        var model = await _one.Client.SmallModelAsync();
        var run = await HalfWayAsync(_one, model);
        await _one.KillAsync();
        var folder = Path.Combine(_one.DataFolder, "backbones");
        var part = new FileInfo(Path.Combine(folder, $"{TinyCatalogue.Sha256("named")}.part")).Length;
        Assert.InRange(part, 1, TinyCatalogue.Network("named").Length / 2);
        Assert.False(File.Exists(Path.Combine(folder, "named.onnx")));

        _catalogue.Answer = TinyCatalogue.FileAsync;
        await _one.StartAsync();

        Assert.Equal("succeeded", (string?)(await _one.Client.EndOfRunAsync(model, run))["state"]);
        Assert.Equal([null, part], _catalogue.From);
        Assert.Equal(TinyCatalogue.Network("named"), await File.ReadAllBytesAsync(Path.Combine(folder, "named.onnx"), Api.Cancel));
    }

    [Fact]
    public async Task A_file_that_was_damaged_on_its_way_or_on_the_disk_is_not_used_and_fetched_again()
    {
        var damaged = TinyCatalogue.Network("named");
        damaged[^1] ^= 1;
        _catalogue.Answer = (request, _) => request.FileAsync(damaged);
        await _one.StartAsync();
        var model = await _one.Client.SmallModelAsync();
        var without = await _one.Client.TrainAsync(model, Named);
        Assert.Equal("succeeded", (string?)without["state"]);
        Assert.Contains("does not have the SHA-256", (string?)without["notices"]![0]);
        Assert.DoesNotContain("named", (string?)(await _one.Client.GetJsonAsync($"{model}/versions/1"))["backbone"]);
        var folder = Path.Combine(_one.DataFolder, "backbones");
        Assert.DoesNotContain(Directory.GetFiles(folder), f => f.EndsWith(".onnx", StringComparison.Ordinal) || f.EndsWith(".part", StringComparison.Ordinal));

        _catalogue.Answer = TinyCatalogue.FileAsync;
        await SucceedsAsync(_one, model);
        await _one.KillAsync();
        await _one.StartAsync();
        await SucceedsAsync(_one, model); // of the disk
        Assert.Equal(2, _catalogue.Asked.Count());

        await _one.KillAsync();
        await File.WriteAllBytesAsync(Path.Combine(folder, "named.onnx"), damaged, Api.Cancel);
        await _one.StartAsync();
        Assert.Equal("available", (string?)(await _one.Client.GetJsonAsync("/api/v1/backbones/named"))["state"]);
        await SucceedsAsync(_one, model);
        Assert.Equal(3, _catalogue.Asked.Count());
    }

    [Fact]
    public async Task A_backbone_that_comes_into_the_catalogue_is_an_update_and_training_again_fetches_it()
    {
        _catalogue.List(["old"]);
        await _one.StartAsync();
        var model = await _one.Client.SmallModelAsync();
        await _one.Client.TrainAsync(model, Api.Automatic);
        Assert.Null((await _one.Client.GetJsonAsync(model))["update"]);
        _one.Interrupt();
        Assert.Equal(0, await _one.ExitAsync());

        _catalogue.List(["old"], "new");
        await _one.StartAsync();

        Assert.Equal(["new"], (await _one.Client.GetJsonAsync(model))["update"]!["backbones"]!.AsArray().Select(b => (string?)b));
        var runs = (await (await _one.Client.SendAsync(HttpMethod.Post, "/api/v1/models/retrain")).JsonAsync(HttpStatusCode.Accepted))["runs"]!.AsArray();
        var run = await _one.Client.EndOfRunAsync(model, runs[0]!);
        Assert.Contains("new", run["backbones"]!.AsArray().Select(b => (string?)b!["id"]));
        Assert.Equal(["old", "new"], _catalogue.Asked);
        Assert.Null((await _one.Client.GetJsonAsync(model))["update"]);
    }

    private static async Task SucceedsAsync(HostProcess host, string model)
    {
        var run = await host.Client.TrainAsync(model, Named);
        Assert.Equal("succeeded", (string?)run["state"]);
        Assert.Empty(run["notices"]!.AsArray());
    }

    /// <summary>A run whose host has half of the backbone, or sees that another one has.</summary>
    private static async Task<JsonNode> HalfWayAsync(HostProcess host, string model)
    {
        var run = await host.Client.StartRunAsync(model, Named);
        while ((string?)run["detail"] != "Fetching named: 0.2 of 0.4 MB")
        {
            Assert.True((string?)run["state"] is "queued" or "running", run.ToJsonString());
            await Task.Delay(50, Api.Cancel);
            run = await host.Client.GetJsonAsync($"{model}/training-runs/{run["id"]}");
        }

        return run;
    }
}
