using System.Net;
using Headstart.Tests.Images;

namespace Headstart.Tests.Backbones;

public sealed class NoBackboneTests(HostWithoutBackbones host) : IClassFixture<HostWithoutBackbones>
{
    [Fact]
    public async Task Without_a_backbone_the_list_has_what_could_be_fetched_and_the_host_is_ready()
    {
        var items = (await host.Client.GetJsonAsync("/api/v1/backbones"))["items"]!.AsArray();
        Assert.NotEmpty(items);
        Assert.All(items, b => Assert.False((bool)b!["present"]!));
        Assert.Equal("ready", (string?)(await host.Client.GetJsonAsync("/health/ready"))["status"]);
    }

    [Fact]
    public async Task Without_a_backbone_training_is_refused_and_the_answer_says_how_to_get_one()
    {
        var model = await host.Client.NewModelAsync("red", "blue");
        await host.Client.AddAsync(model, "red", Pictures.Jpeg(1), Pictures.Jpeg(2));
        await host.Client.AddAsync(model, "blue", Pictures.Jpeg(3), Pictures.Jpeg(4));

        var problem = await (await host.Client.PostAsync($"{model}/training-runs", new { })).ProblemAsync(HttpStatusCode.UnprocessableEntity, "no-backbone");

        Assert.Contains("Headstart:Backbones:Directories", (string?)problem["detail"]);
        Assert.Contains(Path.Combine(host.DataFolder, "backbones"), (string?)problem["detail"]);
        Assert.Equal("ready", (string?)(await host.Client.GetJsonAsync(model))["state"]);
    }
}
