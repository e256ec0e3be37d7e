using Headstart.Tests.Data;

namespace Headstart.Tests.Predictions;

/// <summary>A host with one model of cats and dogs that has a published version. Tests that ask for it skip where there is nothing to train on.</summary>
public class TrainedHost(TestPostgres postgres) : TestHost(postgres), IAsyncLifetime
{
    private string? _model;

    public string Model
    {
        get
        {
            SharedData.Folder("backbones");
            return _model!;
        }
    }

    public new async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        if (SharedFolder.Root is null)
        {
            return; // skipping is for tests; here it would fail them all
        }

        var model = await Client.PetsAsync(12);
        var run = await Client.TrainAsync(model, new { backbone = "squeezenet1.1" });
        Assert.Equal("succeeded", (string?)run["state"]);
        _model = model;
    }
}
