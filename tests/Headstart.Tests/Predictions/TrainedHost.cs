using Headstart.Tests.Data;

namespace Headstart.Tests.Predictions;

/// <summary>A host with one model of cats and dogs that has a published version.</summary>
public class TrainedHost(TestPostgres postgres) : TestHost(postgres), IAsyncLifetime
{
    public string Model { get; private set; } = "";

    public new async ValueTask InitializeAsync()
    {
        SharedData.Folder("backbones");
        await base.InitializeAsync();
        Model = await Client.PetsAsync(12);
        var run = await Client.TrainAsync(Model, new { backbone = "squeezenet1.1" });
        Assert.Equal("succeeded", (string?)run["state"]);
    }
}
