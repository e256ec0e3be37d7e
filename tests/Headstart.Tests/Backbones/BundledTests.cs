using Headstart.Learning.Backbones;
using Headstart.Tests.Postgres;
using Headstart.Tests.Uploads;

namespace Headstart.Tests.Backbones;

/// <summary>What comes as packages: the hosts of other tests leave it out.</summary>
public sealed class BundledTests(BundledTests.Host host) : IClassFixture<BundledTests.Host>
{
    [Fact]
    public async Task A_bare_machine_has_a_second_network_for_images_and_one_for_sentences()
    {
        Assert.SkipUnless(Directory.Exists(BackboneFolders.Bundled), "This was built with BundledBackbones=false.");
        var resnet = await host.Client.GetJsonAsync("/api/v1/backbones/resnet18-mlnet");
        Assert.Equal((true, false, "MIT"), ((bool)resnet["present"]!, (bool)resnet["registered"]!, (string?)resnet["licence"]));
        var sentences = (await host.Client.TextBackboneAsync("all-MiniLM-L6-v2"))!;
        Assert.Equal((true, false), ((bool)sentences["present"]!, (bool)sentences["registered"]!));
        Assert.Contains("all-MiniLM-L6-v2+tfidf", sentences["usedAs"]!.AsArray().Select(id => (string?)id));

        var model = await host.Client.SmallModelAsync();
        await host.Client.TrainAsync(model, new { backbone = "headstart-small+resnet18-mlnet" });
        await host.RestartAsync();

        // At once: the start has not waited for the network, but the answer does.
        using var form = Api.Form(null, ("a.jpg", Pictures.Jpeg(1)));
        var answer = await (await host.Client.PostAsync($"{model}/predictions", form, Api.Cancel)).JsonAsync();
        Assert.Equal("small", (string?)answer["predictions"]![0]!["labels"]![0]!["label"]);
    }

    public sealed class Host(TestPostgres postgres) : TestHost(postgres)
    {
        protected override IEnumerable<(string Name, string Value)> Settings => [("Headstart:Backbones:Bundled", "true")];
    }
}
