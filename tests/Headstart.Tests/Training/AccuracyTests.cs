using Headstart.Tests.Backbones;

namespace Headstart.Tests.Training;

/// <summary>What the automatic choice among real backbones is worth; <c>-- promises</c> in Headstart.Benchmarks asks five sets.</summary>
public sealed class AccuracyTests(HostWithRealBackbones host) : IClassFixture<HostWithRealBackbones>
{
    [Fact]
    public async Task Ants_and_bees_are_told_apart_in_at_least_93_of_100_photographs_never_seen()
    {
        var result = await PublicSets.LearnAsync(host.Client, SharedData.Folder("datasets/hymenoptera"), Api.Automatic, Api.Cancel);

        Assert.Equal(153, result.TestImages);
        Assert.True(result.Accuracy >= 0.93, $"{result.Accuracy:0.000} with {result.Chosen}");
        var tried = result.Tried.Select(b => (string)b!["id"]!).ToHashSet();
        Assert.Superset(new HashSet<string>(["squeezenet1.1", "mobilenetv2-1.0", "mobilenet-edgetpu-1.0",
            "mobilenetv2-1.0+mobilenet-edgetpu-1.0"]), tried);
    }

    [Fact]
    public async Task Sixty_cats_and_dogs_are_told_apart_in_95_of_100()
    {
        var client = host.Client;
        var model = await client.PetsAsync();

        Assert.Equal("succeeded", (string?)(await client.TrainAsync(model, Api.Automatic))["state"]);

        var report = await client.GetJsonAsync($"{model}/versions/1/report");
        Assert.True((double)report["crossValidation"]!["accuracy"]! >= 0.95, report.ToJsonString());
    }
}
