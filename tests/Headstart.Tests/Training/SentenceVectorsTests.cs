using Headstart.Learning.Tests.Words;
using Headstart.Tests.Postgres;
using Headstart.Tests.Uploads;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Tests.Training;

/// <summary>What sentence networks make of texts is kept, as what backbones make of images is.</summary>
public sealed class SentenceVectorsTests(SentenceVectorsTests.Host host) : IClassFixture<SentenceVectorsTests.Host>
{
    private static readonly object Named = new { backbone = ColourPair.Texts };

    [Fact]
    public async Task A_later_run_reads_the_vectors_of_texts_from_the_database()
    {
        var client = host.Client;
        var model = await client.NewTextModelAsync("warm", "cold");
        await client.AddTextsAsync(model, [("warm", "a red rose"), ("warm", "red and green"), ("cold", "the blue sea"),
            ("cold", "blue ice"), ("", "green or blue?")]);

        Assert.Equal("succeeded", (string?)(await client.TrainAsync(model, Named))["state"]);
        Assert.Equal(5, await host.QueryAsync(db => db.FeatureVectors.CountAsync(v => v.Space.StartsWith(ColourPair.Texts))));
        Assert.Equal("warm", (await client.AskAsync(model, "red lips"))["predictions"]![0]!.BestLabel());

        // What stands there counts: made the same for all, it tells nothing apart.
        await host.QueryAsync(db => db.FeatureVectors.ExecuteUpdateAsync(set => set.SetProperty(v => v.Values, new byte[12])));
        await host.RestartAsync();
        var run = await host.Client.TrainAsync(model, Named);
        Assert.StartsWith("All examples have identical features", (string?)run["error"]);

        // What cannot be the network's is computed again.
        await host.QueryAsync(db => db.FeatureVectors.ExecuteUpdateAsync(set => set.SetProperty(v => v.Values, new byte[8])));
        await host.RestartAsync();
        Assert.Equal("succeeded", (string?)(await host.Client.TrainAsync(model, Named))["state"]);
    }

    public sealed class Host : TestHost
    {
        private readonly TemporaryFolder _backbones = new();

        public Host(TestPostgres postgres)
            : base(postgres) => ColourPair.WriteTexts(_backbones.Path, """{"output":"text_embeds","pooling":"none"}""");

        protected override IEnumerable<(string Name, string Value)> Settings => [("Headstart:Backbones:Directories", _backbones.Path)];

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            _backbones.Dispose();
        }
    }
}
