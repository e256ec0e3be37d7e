using System.Net;

namespace Headstart.Tests.Training;

/// <summary>What the product is for, through its front door, on real photographs and a bare machine: nothing fetched, no folder named, no
/// network.</summary>
public sealed class MainJobTests(TestHost host) : IClassFixture<TestHost>
{
    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task Sixty_cats_and_dogs_give_a_published_version_with_an_honest_report()
    {
        var present = (await _client.GetJsonAsync("/api/v1/backbones"))["items"]!.AsArray().TakeWhile(b => (bool)b!["present"]!);
        Assert.Equal("headstart-small", (string?)Assert.Single(present)!["id"]);
        var model = await _client.PetsAsync();
        Assert.Equal("ready", (string?)(await _client.GetJsonAsync(model))["state"]);

        var run = await _client.TrainAsync(model, Api.Automatic);

        Assert.Equal(("succeeded", 1.0, 1), ((string?)run["state"], (double?)run["progress"], (int?)run["version"]));
        Assert.Single(run["backbones"]!.AsArray(), b => (bool)b!["chosen"]!);
        Assert.NotNull((string?)run["finishedAt"]);
        var trained = await _client.GetJsonAsync(model);
        Assert.Equal(("trained", 1), ((string?)trained["state"], (int?)trained["publishedVersion"]));

        var report = await _client.GetJsonAsync($"{model}/versions/1/report");
        Assert.True((double)report["crossValidation"]!["accuracy"]! >= 0.65, report.ToJsonString());
        Assert.Equal("crossValidation", (string?)report["accuracyFrom"]); // a fifth of sixty is too few to judge by
        Assert.InRange((double)report["accuracy"]!, (double)report["accuracyInterval"]![0]!, (double)report["accuracyInterval"]![1]!);
        var confusion = report["confusion"]!.AsArray().SelectMany(row => row!.AsArray()).Sum(n => (int)n!);
        Assert.Equal((int)report["crossValidation"]!["images"]!, confusion);
        Assert.Equal(["cats", "dogs"], report["classes"]!.AsArray().Select(c => (string?)c!["category"]));

        var version = await _client.GetJsonAsync($"{model}/versions/1");
        Assert.Equal((double)report["accuracy"]!, (double)version["accuracy"]!);
        Assert.True((bool)version["published"]!);
    }

    [Fact]
    public async Task The_same_images_give_the_same_head_and_training_again_computes_no_feature_twice()
    {
        var (first, second) = (await _client.PetsAsync(8), await _client.PetsAsync(8));
        await _client.TrainAsync(first, Api.Automatic);
        await _client.TrainAsync(second, Api.Automatic);

        var photo = Pets.Dogs[^1];
        var answers = new[] { await _client.PredictAsync(first, photo), await _client.PredictAsync(second, photo) };
        Assert.Equal(answers[0]["predictions"]!.ToJsonString(), answers[1]["predictions"]!.ToJsonString());
    }

    [Fact]
    public async Task An_older_version_can_be_published_again()
    {
        var model = await _client.PetsAsync(6);
        await _client.TrainAsync(model);
        await _client.UploadSetAsync(model, Pets.Folder);
        await _client.TrainAsync(model);
        Assert.Equal(2, (int?)(await _client.GetJsonAsync(model))["publishedVersion"]);

        var rolledBack = await (await _client.PostAsync($"{model}/versions/1/publish", new { })).JsonAsync();

        Assert.True((bool)rolledBack["published"]!);
        var photo = Pets.Cats[0];
        Assert.Equal(1, (int?)(await _client.PredictAsync(model, photo))["version"]);
        var versions = (await _client.GetJsonAsync($"{model}/versions"))["items"]!.AsArray();
        Assert.Equal([(2, false), (1, true)], versions.Select(v => ((int)v!["number"]!, (bool)v["published"]!)));
        await (await _client.PostAsync($"{model}/versions/3/publish", new { })).ProblemAsync(HttpStatusCode.NotFound, "version-not-found");
    }
}
