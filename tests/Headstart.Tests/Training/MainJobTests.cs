using System.Net;

namespace Headstart.Tests.Training;

/// <summary>What the product is for, through its front door and on real photographs.</summary>
public sealed class MainJobTests(TestHost host) : IClassFixture<TestHost>
{
    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task Ants_and_bees_are_told_apart_in_at_least_93_of_100_photographs_never_seen()
    {
        var model = await _client.NewModelAsync("ants", "bees");
        await _client.UploadSetAsync(model, SharedData.Folder("datasets/hymenoptera/train"));
        var run = await _client.TrainAsync(model);
        Assert.Equal("succeeded", (string?)run["state"]);

        var (right, all) = (0, 0);
        foreach (var category in new[] { "ants", "bees" })
        {
            foreach (var files in SharedData.Files($"datasets/hymenoptera/test/{category}").Chunk(50))
            {
                var predictions = (await _client.PredictAsync(model, files))["predictions"]!.AsArray();
                all += predictions.Count;
                right += predictions.Count(p => (string?)p!["labels"]![0]!["label"] == category);
            }
        }

        Assert.Equal(153, all);
        Assert.True(right >= 0.93 * all, $"{right} of {all} are right");
    }

    [Fact]
    public async Task Sixty_cats_and_dogs_give_a_published_version_with_an_honest_report()
    {
        var model = await _client.PetsAsync();
        Assert.Equal("ready", (string?)(await _client.GetJsonAsync(model))["state"]);

        var run = await _client.TrainAsync(model);

        Assert.Equal(("succeeded", 1.0, 1), ((string?)run["state"], (double?)run["progress"], (int?)run["version"]));
        var tried = run["backbones"]!.AsArray().Select(b => (string)b!["id"]!).ToList();
        Assert.Superset(new HashSet<string>(["squeezenet1.1", "mobilenetv2-1.0", "mobilenet-edgetpu-1.0", "mobilenetv2-1.0+mobilenet-edgetpu-1.0"]), tried.ToHashSet());
        Assert.Single(run["backbones"]!.AsArray(), b => (bool)b!["chosen"]!);
        Assert.NotNull((string?)run["finishedAt"]);
        var trained = await _client.GetJsonAsync(model);
        Assert.Equal(("trained", 1), ((string?)trained["state"], (int?)trained["publishedVersion"]));

        var report = await _client.GetJsonAsync($"{model}/versions/1/report");
        Assert.True((double)report["crossValidation"]!["accuracy"]! >= 0.95, report.ToJsonString());
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
        await _client.TrainAsync(first);
        await _client.TrainAsync(second);

        var photo = SharedData.Files("datasets/cats_dogs/dogs")[^1];
        var answers = new[] { await _client.PredictAsync(first, photo), await _client.PredictAsync(second, photo) };
        Assert.Equal(answers[0]["predictions"]!.ToJsonString(), answers[1]["predictions"]!.ToJsonString());
    }

    [Fact]
    public async Task An_older_version_can_be_published_again()
    {
        var model = await _client.PetsAsync(6);
        await _client.TrainAsync(model, new { backbone = "squeezenet1.1" });
        await _client.UploadSetAsync(model, SharedData.Folder("datasets/cats_dogs"));
        await _client.TrainAsync(model, new { backbone = "mobilenetv2-1.0" });
        Assert.Equal(2, (int?)(await _client.GetJsonAsync(model))["publishedVersion"]);

        var rolledBack = await (await _client.PostAsync($"{model}/versions/1/publish", new { })).JsonAsync();

        Assert.True((bool)rolledBack["published"]!);
        var photo = SharedData.Files("datasets/cats_dogs/cats")[0];
        Assert.Equal(1, (int?)(await _client.PredictAsync(model, photo))["version"]);
        var versions = (await _client.GetJsonAsync($"{model}/versions"))["items"]!.AsArray();
        Assert.Equal([(2, false), (1, true)], versions.Select(v => ((int)v!["number"]!, (bool)v["published"]!)));
        await (await _client.PostAsync($"{model}/versions/3/publish", new { })).ProblemAsync(HttpStatusCode.NotFound, "version-not-found");
    }
}
