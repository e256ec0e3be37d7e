using System.Net;
using System.Text.Json.Nodes;
using Headstart.Tests.Backbones;
using Headstart.Tests.Postgres;

namespace Headstart.Tests.Processes;

/// <summary>Several programs on one machine fetch the same backbone, and one that is killed while it does; what the server was asked for is
/// counted. What needs no process is in FetchingTests.</summary>
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
    public async Task Two_hosts_that_share_a_folder_of_backbones_download_once()
    {
        Needs.Time();
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
    public async Task A_host_killed_while_it_downloads_goes_on_where_it_was_and_what_is_damaged_on_the_disk_is_fetched_again()
    {
        Needs.Time();
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
        var network = await File.ReadAllBytesAsync(Path.Combine(folder, "named.onnx"), Api.Cancel);
        Assert.Equal(TinyCatalogue.Network("named"), network);

        await _one.KillAsync();
        network[^1] ^= 1;
        await File.WriteAllBytesAsync(Path.Combine(folder, "named.onnx"), network, Api.Cancel);
        await _one.StartAsync();

        Assert.Equal("available", (string?)(await _one.Client.GetJsonAsync("/api/v1/backbones/named"))["state"]);
        run = await _one.Client.TrainAsync(model, Named);
        Assert.Equal(("succeeded", 0), ((string?)run["state"], run["notices"]!.AsArray().Count));
        Assert.Equal([null, part, null], _catalogue.From);
    }

    /// <summary>A run whose host has half of the backbone, or sees that another one has.</summary>
    private static async Task<JsonNode> HalfWayAsync(HostProcess host, string model)
    {
        var run = await host.Client.StartRunAsync(model, Named);
        while ((string?)run["detail"] != "Downloading named: 0.2 of 0.4 MB")
        {
            Assert.True((string?)run["state"] is "queued" or "running", run.ToJsonString());
            await Task.Delay(50, Api.Cancel);
            run = await host.Client.GetJsonAsync($"{model}/training-runs/{run["id"]}");
        }

        return run;
    }
}
