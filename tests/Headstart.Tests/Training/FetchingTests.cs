using System.Net;
using System.Text.Json.Nodes;
using Headstart.Tests.Backbones;
using Headstart.Tests.Postgres;

namespace Headstart.Tests.Training;

/// <summary>Runs that want backbones this host does not have. Each test has a host and a server of its own.</summary>
public sealed class FetchingTests(TestPostgres postgres)
{
    private static readonly object Named = new { backbone = "named" };

    [Fact]
    public async Task A_named_backbone_is_fetched_in_sight_of_everybody_and_used_without_a_new_start()
    {
        Needs.Time();
        await using var host = await HostAsync(new([], "named"));
        var go = new TaskCompletionSource();
        host.Catalogue.Answer = (request, id) => TinyCatalogue.HalfAsync(request, id, go.Task);
        var model = await host.Client.SmallModelAsync();
        var run = await host.Client.StartRunAsync(model, new { backbone = "named" });
        await using (var stream = await host.Client.GetStreamAsync($"{model}/training-runs/{run["id"]}/events", Api.Cancel))
        {
            var details = System.Net.ServerSentEvents.SseParser.Create(stream).EnumerateAsync(Api.Cancel)
                .Select(e => (string?)JsonNode.Parse(e.Data)!["detail"]);
            Assert.Equal("Downloading named: 0.2 of 0.4 MB",
                await details.FirstAsync(d => d?.Contains("0.2", StringComparison.Ordinal) is true, Api.Cancel));
        }

        var (state, bytes, _) = await host.StateAsync("named");
        Assert.Equal(("fetching", TinyCatalogue.Network("named").Length / 2), (state, bytes));
        go.SetResult();
        run = await host.Client.EndOfRunAsync(model, run);

        Assert.Equal(("succeeded", null), ((string?)run["state"], (string?)run["detail"]));
        Assert.Empty(run["notices"]!.AsArray());
        Assert.Equal("named", (string?)(await host.Client.GetJsonAsync($"{model}/versions/1"))["backbone"]);
        Assert.Equal(("present", null, null), await host.StateAsync("named"));
        Assert.Equal(["named"], host.Catalogue.Asked);
    }

    [Fact]
    public async Task A_first_run_that_may_choose_fetches_what_is_recommended_and_later_ones_need_nothing()
    {
        await using var host = await HostAsync(new(["a", "b"], "c"));
        var model = await host.Client.SmallModelAsync();

        var run = await host.Client.TrainAsync(model, Api.Automatic);
        await host.Client.TrainAsync(model, Api.Automatic);

        Assert.Superset(new HashSet<string?> { "a", "b" }, run["backbones"]!.AsArray().Select(b => (string?)b!["id"]).ToHashSet());
        Assert.Equal(["a", "b"], host.Catalogue.Asked.Order());
        Assert.Equal(("available", null, null), await host.StateAsync("c"));
        var version = await host.Client.GetJsonAsync($"{model}/versions/1/report");
        Assert.Empty(version["notices"]!.AsArray());
    }

    /// <summary>BackboneDownloadTests has more that can go wrong.</summary>
    [Theory]
    [InlineData("404", "there is no file at its URL (404)")]
    [InlineData("full disk", "cannot be written to")]
    [InlineData("nobody", "connection to 127.0.0.1 failed")]
    public async Task What_cannot_be_fetched_is_a_notice_and_the_run_goes_on_with_what_is_here(string failure, string because)
    {
        Needs.Time();
        (string, string)[] nobody = [("Headstart:Backbones:Mirror", "http://127.0.0.1:9/")]; // the port of the discard service
        await using var host = await HostAsync(new(["bad", "good"]), failure == "nobody" ? nobody : []);
        var folder = Directory.CreateDirectory(Path.Combine(host.DataFolder, "backbones")).FullName;
        host.Catalogue.Answer = (request, id) => (failure, id) switch
        {
            (_, "good") => TinyCatalogue.FileAsync(request, id),
            ("404", _) => request.HeadAsync("404 Not Found", "Content-Length: 0"),
            _ => TinyCatalogue.FileAsync(request, id),
        };
        if (failure == "full disk")
        {
            Assert.SkipUnless(File.Exists("/dev/full"), "There is no /dev/full here.");
            File.CreateSymbolicLink(Path.Combine(folder, $"{TinyCatalogue.Sha256("bad")}.part"), "/dev/full");
        }

        var model = await host.Client.SmallModelAsync();
        var run = await host.Client.TrainAsync(model, Api.Automatic);
        var asked = host.Catalogue.Asked.Count();
        var second = await host.Client.TrainAsync(model, Api.Automatic);

        Assert.Equal("succeeded", (string?)run["state"]);
        var notice = (string?)Assert.Single(run["notices"]!.AsArray());
        Assert.StartsWith(failure == "nobody" ? "bad, good could not be downloaded: " : "bad could not be downloaded: ", notice);
        Assert.Contains(because, notice);
        Assert.EndsWith(".", notice);
        Assert.Equal(notice, (string?)Assert.Single((await host.Client.GetJsonAsync($"{model}/versions/1/report"))["notices"]!.AsArray()));
        var (state, _, problem) = await host.StateAsync("bad");
        Assert.Equal("failed", state);
        Assert.Contains(because, problem);
        Assert.False(File.Exists(Path.Combine(folder, "bad.onnx")));
        Assert.Equal(failure == "nobody", !(await host.Client.BackbonesAsync())
            .Any(b => (string?)b["id"] == "good" && (bool)b["present"]!));

        // Remembered: the next run says it too and asks nobody.
        Assert.Equal(notice, (string?)Assert.Single(second["notices"]!.AsArray()));
        Assert.Equal(asked, host.Catalogue.Asked.Count());
    }

    [Fact]
    public async Task A_named_backbone_that_cannot_be_had_is_a_notice_too_and_tried_again_by_the_next_run_that_names_it()
    {
        Needs.Time();
        await using var host = await HostAsync(new([], "named", "unfit"));
        host.Catalogue.Answer = (request, id) => id == "unfit" ? TinyCatalogue.FileAsync(request, id)
            : request.HeadAsync("404 Not Found", "Content-Length: 0");
        var model = await host.Client.SmallModelAsync();

        var run = await host.Client.TrainAsync(model, new { backbone = "headstart-small+named" });
        var unfit = await host.Client.TrainAsync(model, new { backbone = "unfit" });
        host.Catalogue.Answer = TinyCatalogue.FileAsync;
        var again = await host.Client.TrainAsync(model, new { backbone = "headstart-small+named" });

        Assert.Equal(("succeeded", "succeeded", "succeeded"), ((string?)run["state"], (string?)unfit["state"], (string?)again["state"]));
        Assert.Contains("(404)", (string?)run["notices"]![0]);
        Assert.Contains("\"headstart-small+named\" is not installed", (string?)run["notices"]![1]);
        Assert.StartsWith("headstart-small", (string?)(await host.Client.GetJsonAsync($"{model}/versions/1"))["backbone"]);
        Assert.Contains("returns 6 features", (string?)unfit["notices"]![0]);
        Assert.Empty(again["notices"]!.AsArray());
        Assert.Equal("headstart-small+named", (string?)(await host.Client.GetJsonAsync($"{model}/versions/3"))["backbone"]);
    }

    [Fact]
    public async Task A_cancelled_run_stops_waiting_at_once_and_the_next_one_joins_the_transfer()
    {
        Needs.Time();
        await using var host = await HostAsync(new([], "shared"));
        var go = new TaskCompletionSource();
        host.Catalogue.Answer = (request, id) => TinyCatalogue.HalfAsync(request, id, go.Task);
        var (one, other) = (await host.Client.SmallModelAsync(), await host.Client.SmallModelAsync());
        var first = await WaitingAsync(host, one, new { backbone = "shared" });

        await host.Client.PostAsync($"{one}/training-runs/{first["id"]}/cancel", new { });
        Assert.Equal("cancelled", (string?)(await host.Client.EndOfRunAsync(one, first))["state"]);
        Assert.Equal("fetching", (await host.StateAsync("shared")).State);
        var second = await WaitingAsync(host, other, new { backbone = "shared" });
        go.SetResult();

        Assert.Equal("succeeded", (string?)(await host.Client.EndOfRunAsync(other, second))["state"]);
        Assert.Equal(["shared"], host.Catalogue.Asked);
    }

    [Fact]
    public async Task A_slow_server_holds_a_run_up_no_longer_than_it_may_be()
    {
        Needs.Time();
        await using var host = await HostAsync(new(["slow"]));
        var never = new TaskCompletionSource();
        host.Catalogue.Answer = (request, id) => TinyCatalogue.HalfAsync(request, id, never.Task);
        var model = await host.Client.SmallModelAsync();

        var nothing = await host.Client.TrainAsync(model, new { backbone = "slow", maxTrainingSeconds = 1 });
        var run = await host.Client.TrainAsync(model, new { maxTrainingSeconds = 60 });

        Assert.Equal("failed", (string?)nothing["state"]);
        Assert.Contains("maxTrainingSeconds", (string?)nothing["error"]);
        Assert.Equal("succeeded", (string?)run["state"]);
        Assert.Contains("the download continues", (string?)Assert.Single(run["notices"]!.AsArray()));
    }

    [Fact]
    public async Task Where_nothing_may_be_fetched_nobody_is_asked_and_the_refusal_says_so()
    {
        await using var host = await HostAsync(new(["a"], "b"), ("Headstart:Backbones:Download", "false"));
        var model = await host.Client.SmallModelAsync();

        await (await host.Client.PostAsync($"{model}/training-runs", new { backbone = "b" }))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "unknown-backbone");
        var run = await host.Client.TrainAsync(model, Api.Automatic);

        Assert.Equal("succeeded", (string?)run["state"]);
        Assert.Empty(run["notices"]!.AsArray());
        Assert.Equal(("available", "Not downloaded, because Headstart:Backbones:Download is false."),
            ((await host.StateAsync("a")).State, (await host.StateAsync("a")).Problem));
        Assert.Empty(host.Catalogue.Asked);
    }

    [Fact]
    public async Task Two_hosts_download_once_each_however_many_of_their_runs_want_it()
    {
        Needs.Time();
        await using var one = await HostAsync(new([], "named"));
        await using var other = await FetchingHost.StartAsync(postgres, one.Catalogue);

        foreach (var host in new[] { one, other })
        {
            for (var runs = 0; runs < 2; runs++)
            {
                await SucceedsAsync(host, await host.Client.SmallModelAsync());
            }
        }

        Assert.Equal(["named", "named"], one.Catalogue.Asked);
    }

    [Fact]
    public async Task A_file_that_was_damaged_on_its_way_is_not_used_and_fetched_again()
    {
        Needs.Time();
        var damaged = TinyCatalogue.Network("named");
        damaged[^1] ^= 1;
        await using var host = await HostAsync(new([], "named"));
        host.Catalogue.Answer = (request, _) => request.FileAsync(damaged);
        var model = await host.Client.SmallModelAsync();
        var without = await host.Client.TrainAsync(model, Named);
        Assert.Equal("succeeded", (string?)without["state"]);
        Assert.Contains("does not have the SHA-256", (string?)without["notices"]![0]);
        Assert.DoesNotContain("named", (string?)(await host.Client.GetJsonAsync($"{model}/versions/1"))["backbone"]);
        var folder = Path.Combine(host.DataFolder, "backbones");
        Assert.DoesNotContain(Directory.GetFiles(folder), f => f.EndsWith(".onnx", StringComparison.Ordinal)
            || f.EndsWith(".part", StringComparison.Ordinal));

        host.Catalogue.Answer = TinyCatalogue.FileAsync;
        await SucceedsAsync(host, model);
        await host.RestartAsync();
        await SucceedsAsync(host, model); // of the disk
        Assert.Equal(2, host.Catalogue.Asked.Count());
    }

    [Fact]
    public async Task A_backbone_that_comes_into_the_catalogue_is_an_update_and_training_again_fetches_it()
    {
        Needs.Time();
        await using var host = await HostAsync(new(["old"]));
        var model = await host.Client.SmallModelAsync();
        await host.Client.TrainAsync(model, Api.Automatic);
        Assert.Null((await host.Client.GetJsonAsync(model))["update"]);

        host.Catalogue.List(["old"], "new");
        await host.RestartAsync();

        Assert.Equal(["new"], (await host.Client.GetJsonAsync(model))["update"]!["backbones"]!.AsArray().Select(b => (string?)b));
        var runs = (await (await host.Client.SendAsync(HttpMethod.Post, "/api/v1/models/retrain"))
            .JsonAsync(HttpStatusCode.Accepted))["runs"]!.AsArray();
        var run = await host.Client.EndOfRunAsync(model, runs[0]!);
        Assert.Contains("new", run["backbones"]!.AsArray().Select(b => (string?)b!["id"]));
        Assert.Equal(["old", "new"], host.Catalogue.Asked);
        Assert.Null((await host.Client.GetJsonAsync(model))["update"]);
    }

    private Task<FetchingHost> HostAsync(TinyCatalogue catalogue, params (string Name, string Value)[] more) =>
        FetchingHost.StartAsync(postgres, catalogue, more);

    /// <summary>A run that waits for a backbone.</summary>
    private static async Task<JsonNode> WaitingAsync(FetchingHost host, string model, object request)
    {
        var run = await host.Client.StartRunAsync(model, request);
        while ((string?)run["detail"] is null)
        {
            Assert.True((string?)run["state"] is "queued" or "running", run.ToJsonString());
            await Task.Delay(50, Api.Cancel);
            run = await host.Client.GetJsonAsync($"{model}/training-runs/{run["id"]}");
        }

        return run;
    }

    private static async Task SucceedsAsync(FetchingHost host, string model)
    {
        var run = await host.Client.TrainAsync(model, Named);
        Assert.Equal("succeeded", (string?)run["state"]);
        Assert.Empty(run["notices"]!.AsArray());
    }
}
