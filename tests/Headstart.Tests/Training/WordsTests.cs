using System.Net;
using System.Text.Json.Nodes;
using Headstart.Learning.Tests.Words;
using Headstart.Tests.Postgres;
using Headstart.Tests.Versions;

namespace Headstart.Tests.Training;

/// <summary>Categories in words, on a host with an image-text pair that knows three colours.</summary>
public sealed class WordsTests(HostWithPair host) : IClassFixture<HostWithPair>
{
    private static readonly object Described = new Dictionary<string, string>
    {
        ["warm"] = "a red rose",
        ["cold"] = "the blue sea",
    };

    private static readonly byte[] Red = ColourPair.Picture(200, 70, 60);
    private static readonly byte[] Blue = ColourPair.Picture(50, 60, 210);

    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task A_model_of_descriptions_alone_is_tried_at_once_and_says_what_it_is()
    {
        var (model, made) = await CreateAsync(["warm", "cold"], Described);
        Assert.Contains((string?)made["state"], new[] { "training", "trained" }); // that fast
        Assert.Equal(["a red rose", "the blue sea"], made["categories"]!.AsArray().Select(c => (string?)c!["description"]));

        var run = await _client.EndOfRunAsync(model, (await _client.GetJsonAsync($"{model}/training-runs"))["items"]![0]!);
        Assert.Equal("succeeded", (string?)run["state"]);
        Assert.Empty(run["notices"]!.AsArray());

        var answer = await AskAsync(model, Red, Blue);
        Assert.True((bool)answer["zeroShot"]!);
        Assert.Equal(["warm", "cold"], Best(answer));
        Assert.All(answer["predictions"]!.AsArray(), one => Assert.False((bool)one!["unknown"]!));
        var why = await (await _client.PostAsync($"{model}/predictions?explain=true", Api.Raw(Red, "image/png"), Api.Cancel)).JsonAsync();
        Assert.Equal("image/png", (string?)why["predictions"]![0]!["explanation"]!["mediaType"]);

        var version = Assert.Single((await _client.GetJsonAsync($"{model}/versions"))["items"]!.AsArray())!;
        Assert.True((bool)version["zeroShot"]!);
        Assert.Equal(("colours@words", 0), ((string?)version["backbone"], (int)version["trainableParameters"]!));
        var now = await _client.GetJsonAsync(model);
        Assert.Equal(("trained", true, "colours@words"),
            ((string?)now["state"], (bool)now["published"]!["zeroShot"]!, (string?)now["words"]));

        var report = await _client.GetJsonAsync($"{model}/versions/1/report");
        Assert.StartsWith("Made from words alone: it has learned from no image, its accuracy is unknown", (string?)report["sentence"]);
        Assert.Null(report["accuracy"]);
        Assert.Equal(["the blue sea", "a red rose"], report["words"]!["prompts"]!.AsArray().Select(p => (string?)p!["prompt"]));
        var page = await _client.GetStringAsync(new Uri($"{model}/versions/1/report.html", UriKind.Relative), Api.Cancel);
        Assert.Contains("a red rose", page, StringComparison.Ordinal);

        using var export = await UnpackedExport.OfAsync(_client, $"{model}/versions/1/export");
        Assert.Equal("cold\nwarm\n", await File.ReadAllTextAsync(export.Below("labels.txt"), Api.Cancel));
    }

    [Fact]
    public async Task Names_are_words_too_and_a_run_without_images_reads_them()
    {
        var (model, made) = await CreateAsync(["red", "green", "blue"]);
        Assert.Equal("ready", (string?)made["state"]); // nobody described anything: nothing begins by itself

        var run = await _client.TrainAsync(model, Api.Automatic);

        Assert.Equal("succeeded", (string?)run["state"]);
        Assert.Equal(["red", "blue", "green"], Best(await AskAsync(model, Red, Blue, ColourPair.Picture(60, 190, 80))));
        var refused = await _client.PostAsync($"{(await CreateAsync(["red", "blue"])).Model}/training-runs", Api.BuiltIn);
        await refused.ProblemAsync(HttpStatusCode.UnprocessableEntity, "too-few-images"); // that one reads no words
    }

    [Fact]
    public async Task Images_are_learned_from_beside_the_words()
    {
        var (model, _) = await CreateAsync(["warm", "cold"], Described);
        await AddAsync(model, "warm", Red);
        await AddAsync(model, "cold", Blue);

        var run = await _client.TrainAsync(model, Api.Automatic);

        Assert.Equal("succeeded", (string?)run["state"]);
        var version = await _client.GetJsonAsync($"{model}/versions/{run["version"]}");
        // One image of each category says nothing of backbones, but the words do.
        Assert.Equal(("colours@words", null), ((string?)version["backbone"], version["zeroShot"]));
        var report = await _client.GetJsonAsync($"{model}/versions/{run["version"]}/report");
        Assert.All(report["words"]!["prompts"]!.AsArray(), prompt => Assert.InRange((double)prompt!["belief"]!, 0.5, 1));
        Assert.Contains("begins with the words of the categories", (string?)report["head"]!["sentence"]);
        var answer = await AskAsync(model, ColourPair.Picture(230, 60, 50), ColourPair.Picture(80, 80, 220));
        Assert.Equal(["warm", "cold"], Best(answer));
        Assert.Null(answer["zeroShot"]);
        Assert.Contains(run["backbones"]!.AsArray(), trial => (string?)trial!["id"] == "headstart-small+colours@words");
    }

    [Fact]
    public async Task A_description_is_changed_removed_and_survives_a_merge()
    {
        var (model, _) = await CreateAsync(["warm", "hot", "cold"]);

        var changed = await PatchAsync(model, new { descriptions = new Dictionary<string, string?> { ["hot"] = "  red   fire " } });
        Assert.Equal("red fire", Description(changed, "hot"));
        var merge = await (await _client.PostAsync($"{model}/categories/merge", new { from = new[] { "hot" }, into = "warm" })).JsonAsync();
        var undone = await _client.PostAsync($"{model}/categories/changes/{merge["id"]}/undo", new { });
        await undone.JsonAsync();
        Assert.Equal("red fire", Description(await _client.GetJsonAsync(model), "hot"));

        var added = await PatchAsync(model, new
        {
            categories = new[] { "warm", "hot", "fresh" },
            descriptions = new Dictionary<string, string?> { ["fresh"] = "green grass", ["hot"] = null },
        });
        Assert.Equal((null, "green grass"), (Description(added, "hot"), Description(added, "fresh")));
    }

    [Theory]
    [InlineData("hot", "fire", "unknown-category")]
    [InlineData("warm", "two\nlines", "invalid-description")]
    [InlineData("warm", null, null)]
    public async Task What_is_no_description_of_a_category_is_refused(string category, string? text, string? type)
    {
        var body = new { name = $"Model {Guid.CreateVersion7()}", categories = new[] { "warm" }, descriptions = Of(category, text) };
        var answer = await _client.PostAsync("/api/v1/models", body);
        if (type is null)
        {
            await answer.JsonAsync(HttpStatusCode.Created);
            body = body with { name = $"{body.name} too", descriptions = Of(category, new string('a', 301)) };
            (answer, type) = (await _client.PostAsync("/api/v1/models", body), "invalid-description");
        }

        await answer.ProblemAsync(HttpStatusCode.UnprocessableEntity, type);

        static Dictionary<string, string?> Of(string category, string? text) => new() { [category] = text };
    }

    private async Task<(string Model, JsonNode Made)> CreateAsync(string[] categories, object? descriptions = null)
    {
        var body = new { name = $"Model {Guid.CreateVersion7()}", categories, descriptions };
        var made = await (await _client.PostAsync("/api/v1/models", body)).JsonAsync(HttpStatusCode.Created);
        return ($"/api/v1/models/{made["id"]}", made);
    }

    private async Task<JsonNode> PatchAsync(string model, object change) =>
        await (await _client.SendAsync(HttpMethod.Patch, model, change)).JsonAsync();

    private async Task AddAsync(string model, string category, byte[] image)
    {
        using var form = Api.Form(category, ("image.png", image));
        await (await _client.PostAsync($"{model}/images", form, Api.Cancel)).JsonAsync();
    }

    private async Task<JsonNode> AskAsync(string model, params byte[][] images)
    {
        using var form = Api.Form(null, images.Select((image, i) => ($"{i}.png", image)));
        return await (await _client.PostAsync($"{model}/predictions", form, Api.Cancel)).JsonAsync();
    }

    private static string? Description(JsonNode model, string category) =>
        (string?)model["categories"]!.AsArray().Single(c => (string?)c!["name"] == category)!["description"];

    private static IEnumerable<string?> Best(JsonNode answer) =>
        answer["predictions"]!.AsArray().Select(one => (string?)one!["labels"]![0]!["label"]);
}

/// <summary>A host that has <see cref="ColourPair"/> beside the built-in backbone.</summary>
public sealed class HostWithPair : TestHost
{
    private readonly TemporaryFolder _backbones = new();

    public HostWithPair(TestPostgres postgres)
        : base(postgres) => ColourPair.WriteTo(_backbones.Path);

    protected override IEnumerable<(string Name, string Value)> Settings => [("Headstart:Backbones:Directories", _backbones.Path)];

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _backbones.Dispose();
    }
}

/// <summary>The same where the host has no pair.</summary>
public sealed class WordsWithoutPairTests(TestHost host) : IClassFixture<TestHost>
{
    [Fact]
    public async Task Descriptions_are_kept_and_change_nothing()
    {
        var made = await (await host.Client.PostAsync("/api/v1/models", new
        {
            name = "Seasons",
            categories = new[] { "warm", "cold" },
            descriptions = new Dictionary<string, string> { ["warm"] = "a red rose" },
        })).JsonAsync(HttpStatusCode.Created);
        Assert.Equal(("empty", null), ((string?)made["state"], made["words"]));
        Assert.Equal("a red rose", (string?)made["categories"]![0]!["description"]);
        Assert.Null(made["categories"]![1]!.AsObject()["description"]);

        var model = $"/api/v1/models/{made["id"]}";
        Assert.Empty((await host.Client.GetJsonAsync($"{model}/training-runs"))["items"]!.AsArray());
        var refused = await host.Client.PostAsync($"{model}/training-runs", Api.Automatic);
        await refused.ProblemAsync(HttpStatusCode.UnprocessableEntity, "too-few-images");
        refused = await host.Client.PostAsync($"{model}/predictions", Api.Raw(ColourPair.Picture(1, 2, 3), "image/png"), Api.Cancel);
        await refused.ProblemAsync(HttpStatusCode.Conflict, "no-published-version");
    }
}
