using Headstart.Backbones;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.Training;

/// <summary>What a model that grows costs.</summary>
public sealed class GrowingTests(TestHost host) : IClassFixture<TestHost>
{
    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task Training_again_with_ten_new_images_forwards_ten_images()
    {
        var model = await _client.PetsAsync(25);
        var (first, before) = (await ForwardedAsync(model), (await _client.GetJsonAsync($"{model}/versions/1/report"))["heldOut"]);
        foreach (var category in (string[])["cats", "dogs"])
        {
            Assert.Equal(5, (await _client.UploadAsync(model, category, Pets.Of(category)[25..]))["accepted"]!.AsArray().Count);
        }

        var again = await ForwardedAsync(model);

        Assert.Equal((50, 10), (first, again));
        var report = await _client.GetJsonAsync($"{model}/versions/2/report");
        Assert.InRange((int)report["heldOut"]!["images"]!, (int)before!["images"]!, (int)before["images"]! + 10); // those held out stay so
        Assert.Equal((int)report["heldOut"]!["images"]!, (int)report["comparison"]!["images"]!);
    }

    /// <summary>Trains, and counts the images that pass through the backbone meanwhile.</summary>
    private async Task<long> ForwardedAsync(string model)
    {
        var backbone = host.Services.GetRequiredService<LoadedBackbones>().All.Single(b => b.Manifest.Id == "headstart-small");
        var before = backbone.ImagesSeen;
        Assert.Equal("succeeded", (string?)(await _client.TrainAsync(model, new { backbone = backbone.Manifest.Id }))["state"]);
        return backbone.ImagesSeen - before;
    }
}
