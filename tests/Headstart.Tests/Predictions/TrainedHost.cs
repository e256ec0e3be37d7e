using Headstart.Tests.Postgres;

namespace Headstart.Tests.Predictions;

/// <summary>A host with one model of cats and dogs that has a published version.</summary>
public class TrainedHost(TestPostgres postgres) : TestHost(postgres), IAsyncLifetime
{
    public string Model { get; private set; } = "";

    public new async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Model = await Client.PetsAsync(12);
        Assert.Equal("succeeded", (string?)(await Client.TrainAsync(Model))["state"]);
    }
}
