using Headstart.Tests.Backbones;

namespace Headstart.Tests.Training;

/// <summary>What the automatic choice among real backbones is worth; <c>-- promises</c> in Headstart.Benchmarks asks five sets.</summary>
public sealed class AccuracyTests(HostWithRealBackbones host) : IClassFixture<HostWithRealBackbones>
{
    [Fact]
    public async Task Cats_and_dogs_are_told_apart_in_95_of_100_and_all_of_twelve_that_were_never_seen()
    {
        var client = host.Client;
        var model = await client.NewModelAsync("cats", "dogs");
        foreach (var category in (string[])["cats", "dogs"])
        {
            await client.UploadAsync(model, category, Pets.Of(category)[..24]);
        }

        var run = await client.TrainAsync(model, Api.Automatic);

        Assert.True((string?)run["state"] == "succeeded", run.ToJsonString());
        var tried = run["backbones"]!.AsArray().Select(b => (string)b!["id"]!).ToHashSet();
        Assert.Superset(new HashSet<string>(["squeezenet1.1", "mobilenetv2-1.0", "mobilenet-edgetpu-1.0",
            "mobilenetv2-1.0+mobilenet-edgetpu-1.0"]), tried);
        var report = await client.GetJsonAsync($"{model}/versions/1/report");
        Assert.True((double)report["crossValidation"]!["accuracy"]! >= 0.95, report.ToJsonString());
        foreach (var category in (string[])["cats", "dogs"])
        {
            var answers = (await client.PredictAsync(model, Pets.Of(category)[24..]))["predictions"]!.AsArray();
            Assert.Equal(Enumerable.Repeat(category, 6), answers.Select(answer => (string?)answer!["labels"]![0]!["label"]));
        }
    }
}
