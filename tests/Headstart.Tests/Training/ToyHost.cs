using Headstart.Tests.Postgres;
using Headstart.Tests.Uploads;

namespace Headstart.Tests.Training;

/// <summary>A host with the worked example: 62 texts without a category, 8 with one, and a trained version.</summary>
public class ToyHost(TestPostgres postgres) : TestHost(postgres), IAsyncLifetime
{
    private string? _model;

    public string Model
    {
        get
        {
            SharedData.Folder("datasets/text");
            return _model!;
        }
    }

    protected override bool IsNeeded => SharedFolder.Root is not null;

    public new async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        if (!IsNeeded)
        {
            return; // skipping is for tests; here it would fail them all
        }

        var model = await Client.NewTextModelAsync("pos", "neg");
        foreach (var file in (string[])["unlabelled_62.tsv", "train_8.tsv"])
        {
            var bytes = await File.ReadAllTextAsync(Path.Combine(SharedData.Folder("datasets/text/toy_62_8_2"), file));
            await (await Client.PostAsync($"{model}/texts", TextFiles.Body(bytes, "text/tab-separated-values"))).JsonAsync();
        }

        var run = await Client.TrainAsync(model, new { backbone = "skipgram" }); // vectors from all texts, a head from the 8
        Assert.Equal("succeeded", (string?)run["state"]);
        _model = model;
    }
}
