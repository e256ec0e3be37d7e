using System.Net;
using System.Text.Json.Nodes;
using Headstart.Tests.Backbones;
using Headstart.Tests.Postgres;

namespace Headstart.Tests.Training;

/// <summary>Which backbones a run looks at, what it keeps of that, and when a later run looks again.</summary>
public sealed class ChoiceTests(HostWithRealBackbones host, TestPostgres postgres) : IClassFixture<HostWithRealBackbones>
{
    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task A_budget_between_two_backbones_leaves_only_the_faster_one()
    {
        var backbones = (await _client.GetJsonAsync("/api/v1/backbones"))["items"]!.AsArray().Where(b => (bool)b!["present"]!).ToList();
        var (fastest, next) = (backbones[0]!, backbones[1]!);
        var model = await _client.PetsAsync(8);

        var run = await _client.TrainAsync(model,
            new { maxLatencyMs = ((double)fastest["msPerImage"]! + (double)next["msPerImage"]!) / 2 });

        Assert.All(Ids(run), id => Assert.Equal((string)fastest["id"]!, id.Split('@', '+')[0]));
        Assert.DoesNotContain(Ids(run), id => id.Contains((string)next["id"]!, StringComparison.Ordinal));
        Assert.StartsWith((string)fastest["id"]!, (string?)(await _client.GetJsonAsync($"{model}/versions/1"))["backbone"]);
    }

    [Fact]
    public async Task The_version_keeps_the_table_and_a_joined_choice_predicts()
    {
        var model = await _client.PetsAsync(8);
        var run = await _client.TrainAsync(model, new { backbone = "squeezenet1.1+mobilenetv2-1.0@stride16" });
        Assert.Equal("succeeded", (string?)run["state"]);
        Assert.Equal("squeezenet1.1+mobilenetv2-1.0@stride16", (string?)(await _client.GetJsonAsync($"{model}/versions/1"))["backbone"]);
        var answer = await _client.PredictAsync(model, Pets.Dogs[^1]);
        Assert.Equal("dogs", (string?)answer["predictions"]![0]!["labels"]![0]!["label"]);

        run = await _client.TrainAsync(model, Api.Automatic);
        var report = await _client.GetJsonAsync($"{model}/versions/2/report");
        Assert.Equal(run["backbones"]!.ToJsonString(), report["backbones"]!.ToJsonString());
        Assert.All(run["backbones"]!.AsArray(), trial => Assert.True((double)trial!["logLoss"]! > 0 && (int)trial["images"]! > 0));
        Assert.Contains(Ids(run), id => id.Contains('+', StringComparison.Ordinal));
        Assert.Contains(Ids(run), id => id.Contains("@stride", StringComparison.Ordinal));
        Assert.EndsWith(".", (string?)report["choice"]!["sentence"]);
    }

    [Fact]
    public async Task A_later_run_looks_again_only_when_something_could_have_changed()
    {
        var model = await _client.PetsAsync(20);
        await _client.TrainAsync(model, Api.Automatic);
        await _client.TrainAsync(model, Api.Automatic);
        var (first, same) = (await _client.GetJsonAsync($"{model}/versions/1/report"),
            await _client.GetJsonAsync($"{model}/versions/2/report"));
        Assert.Null(first["choice"]!["version"]);
        Assert.Equal(1, (int?)same["choice"]!["version"]);
        Assert.Equal(first["backbones"]!.ToJsonString(), same["backbones"]!.ToJsonString());

        await (await _client.SendAsync(HttpMethod.Patch, model, new { categories = new[] { "cats", "dogs", "birds" } })).JsonAsync();
        await _client.UploadAsync(model, "birds", Pets.Cats[20..26]);
        await _client.TrainAsync(model, Api.Automatic);
        Assert.Null((await _client.GetJsonAsync($"{model}/versions/3/report"))["choice"]!["version"]); // another task

        await _client.TrainAsync(model, new { maxLatencyMs = 1_000 });
        Assert.Null((await _client.GetJsonAsync($"{model}/versions/4/report"))["choice"]!["version"]);
    }

    [Fact]
    public async Task Of_many_backbones_those_far_behind_on_a_part_of_the_images_are_tried_on_no_more()
    {
        using var folder = new TemporaryFolder();
        BuiltInBackbone.CopyTo(folder.Path, "small-a", "small-b", "small-c");
        await using var own = new HostWithFolders(postgres, $"{SharedData.Folder("backbones")};{folder.Path}");
        await own.InitializeAsync();
        var model = await own.Client.NewModelAsync("ants", "bees");
        // half of what is learned from is enough to drop some
        await own.Client.UploadSetAsync(model, SharedData.Folder("datasets/hymenoptera/train"), 70);

        var run = await own.Client.TrainAsync(model, Api.Automatic);

        Assert.Equal("succeeded", (string?)run["state"]);
        var images = run["backbones"]!.AsArray().ToDictionary(b => (string)b!["id"]!, b => (int)b!["images"]!);
        Assert.Equal(images.Values.Max(), images["mobilenetv2-1.0+mobilenet-edgetpu-1.0"]); // the favourite is kept
        // Three that are the same: one of them may be among the three best of a part, before squeezenet1.1.
        List<string> behind = [.. ((string[])["small-a", "small-b", "small-c"]).Where(id => images[id] < images.Values.Max())];
        Assert.InRange(behind.Count, 2, 3);
        Assert.DoesNotContain(images.Keys, id => id.Contains('+', StringComparison.Ordinal) && behind.Exists(id.Contains));
    }

    [Fact]
    public async Task When_a_better_backbone_arrives_the_model_says_so_and_one_call_trains_again_with_it()
    {
        using var folder = new TemporaryFolder();
        await using var own = new HostWithFolders(postgres, folder.Path);
        Link(folder.Path, "squeezenet1.1.onnx");
        await own.InitializeAsync();
        var (model, untouched) = (await own.Client.PetsAsync(10), await own.Client.PetsAsync(4));
        await own.Client.TrainAsync(model, Api.Automatic);
        await own.Client.TrainAsync(untouched, new { backbone = "squeezenet1.1" }); // somebody's decision
        Assert.Null((await own.Client.GetJsonAsync(model))["update"]);

        Link(folder.Path, "mobilenetv2-1.0.onnx");
        await own.RestartAsync();

        Assert.Equal(["mobilenetv2-1.0"], (await own.Client.GetJsonAsync(model))["update"]!["backbones"]!.AsArray()
            .Select(b => (string?)b));
        Assert.Null((await own.Client.GetJsonAsync(untouched))["update"]);
        var runs = (await (await own.Client.SendAsync(HttpMethod.Post, "/api/v1/models/retrain"))
            .JsonAsync(HttpStatusCode.Accepted))["runs"]!.AsArray();
        Assert.Equal(model, $"/api/v1/models/{Assert.Single(runs)!["modelId"]}");
        var run = await own.Client.EndOfRunAsync(model, runs[0]!);
        Assert.Contains("mobilenetv2-1.0", Ids(run));
        Assert.Null((await own.Client.GetJsonAsync(model))["update"]);
    }

    private static List<string> Ids(JsonNode run) => [.. run["backbones"]!.AsArray().Select(b => (string)b!["id"]!)];

    private static void Link(string folder, string file) =>
        File.CreateSymbolicLink(Path.Combine(folder, file), Path.Combine(SharedData.Folder("backbones"), file));

    private sealed class HostWithFolders(TestPostgres postgres, string folders) : TestHost(postgres)
    {
        protected override IEnumerable<(string Name, string Value)> Settings => [("Headstart:Backbones:Directories", folders)];
    }
}
