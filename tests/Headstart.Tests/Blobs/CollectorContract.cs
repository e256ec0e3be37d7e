using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Learning.Heads;
using Headstart.Postgres;
using Headstart.Tests.BatchPredictions;
using Headstart.Tests.Jobs;
using Headstart.Tests.Training;
using Headstart.Tests.Uploads;
using Headstart.Uploads.Imports;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.Blobs;

/// <summary>What the collection keeps and deletes, on either store, with a grace of seconds.</summary>
public abstract class CollectorContract(TestHost host)
{
    public const string GraceHours = "0.0008"; // 2.9 s
    private static readonly TimeSpan Grace = TimeSpan.FromHours(0.0008) + TimeSpan.FromSeconds(1); // times of the store may be in seconds

    private readonly HttpClient _client = host.Client;
    private readonly BlobStores _stores = host.Services.GetRequiredService<BlobStores>();
    private readonly BlobCollector _collector = host.Services.GetRequiredService<BlobCollector>();

    [Fact]
    public async Task What_is_referred_to_stays_and_what_is_not_goes_after_two_graces()
    {
        var words = await _client.NewTextModelAsync("pos", "neg");
        await _client.AddTextsAsync(words, TextFiles.Opinions(60));
        Assert.Equal("succeeded", (string?)(await _client.TrainAsync(words, new { backbone = "tfidf" }))["state"]);
        var version = await host.QueryAsync(db => db.Versions.SingleAsync(v => v.ModelId == IdOf(words), Api.Cancel));
        var features = HeadArtifact.Read((await _stores.Blobs.GetAsync(version.Artifact, Api.Cancel))!)
            .Parts.Select(part => Convert.FromHexString(part.BackboneSha256));
        var model = await _client.NewModelAsync("cats");
        var (image, deleted) = (await AddAsync(model, Pictures.Tiny(1)), await AddAsync(model, Pictures.Tiny(2)));
        var (item, candidate) = (await PutAsync(_stores.Blobs), await PutAsync(_stores.Blobs));
        await ReferAsync(IdOf(model), item, candidate);
        var (nobodys, nobodysImport) = (await PutAsync(_stores.Blobs), await PutAsync(_stores.Imports));
        await _client.DeleteAsync($"{model}/images/{deleted["id"]}", Api.Cancel);
        List<byte[]> needed = [HashOf(image), version.Artifact, version.Evaluated!, version.Report, .. features, item, candidate];
        List<byte[]> unneeded = [HashOf(deleted), nobodys];

        Assert.Equal(0, (await CollectAsync(TimeSpan.FromHours(-1))).SetAside); // within their grace
        var first = await CollectAsync(Grace);
        Assert.Equal((unneeded.Count + 1, 0, 0), (first.SetAside, first.BroughtBack, first.Deleted));
        Assert.Equal(unneeded.Count + 1, (await CollectAsync(Grace)).Deleted);

        await Assert.AllAsync(needed, async hash => Assert.NotNull(await _stores.Blobs.GetAsync(hash, Api.Cancel)));
        await Assert.AllAsync(unneeded, async hash => Assert.Null(await _stores.Blobs.GetAsync(hash, Api.Cancel)));
        Assert.Null(await _stores.Imports.GetAsync(nobodysImport, Api.Cancel));

        await _client.DeleteAsync(words, Api.Cancel);
        await _client.DeleteAsync(model, Api.Cancel);
        await CollectAsync(Grace);
        await CollectAsync(Grace);
        await Assert.AllAsync(needed, async hash => Assert.Null(await _stores.Blobs.GetAsync(hash, Api.Cancel)));
    }

    [Fact]
    public async Task Bytes_that_are_uploaded_again_during_collections_are_kept()
    {
        Needs.Time();
        var model = await _client.NewModelAsync("cats");
        var pictures = Enumerable.Range(100, 60).Select(Pictures.Tiny).ToList();
        foreach (var picture in pictures)
        {
            await _stores.Blobs.PutAsync(picture, Api.Cancel);
        }

        await Task.Delay(Grace, Api.Cancel);
        var uploading = true;
        var collecting = Task.Run(async () =>
        {
            while (Volatile.Read(ref uploading))
            {
                await _collector.CollectAsync(Api.Cancel);
            }
        }, Api.Cancel);
        foreach (var picture in pictures)
        {
            await AddAsync(model, picture);
        }

        Volatile.Write(ref uploading, false);
        await collecting;
        for (var rounds = 0; rounds < 2; rounds++)
        {
            await Task.Delay(Grace, Api.Cancel);
            await _collector.CollectAsync(Api.Cancel);
        }

        await Assert.AllAsync(pictures, async picture =>
            Assert.Equal(picture, await _stores.Blobs.GetAsync(SHA256.HashData(picture), Api.Cancel)));
    }

    [Fact]
    public async Task What_was_set_aside_just_when_it_was_referred_to_again_comes_back()
    {
        var image = await AddAsync(await _client.NewModelAsync("cats"), Pictures.Tiny(200));
        await _stores.Blobs.SetAsideAsync(HashOf(image), Api.Cancel);

        Assert.True((await _collector.CollectAsync(Api.Cancel))!.BroughtBack >= 1);

        Assert.Contains(await _stores.Blobs.ListAsync(BlobPlace.Kept, Api.Cancel).ToListAsync(Api.Cancel), blob =>
            blob.Sha256.SequenceEqual(HashOf(image)));
    }

    [Fact]
    public async Task Nothing_is_collected_while_a_backup_reads()
    {
        await using var backup = await BlobLock.KeepAsync(host.Services.GetRequiredService<DatabaseAddress>(), Api.Cancel);

        Assert.Null(await _collector.CollectAsync(Api.Cancel));
    }

    [Fact]
    public async Task The_body_of_an_import_that_ended_stays_until_a_backup_has_read_it()
    {
        var backup = await BlobLock.KeepAsync(host.Services.GetRequiredService<DatabaseAddress>(), Api.Cancel);
        var model = await _client.NewModelAsync("cats");
        var import = await _client.ImportAsync(model, Batches.Archive(Batches.Zip([("cats/1.png", Pictures.Tiny(300))])), "?async=true");
        Assert.Equal("succeeded", (string?)import["state"]);
        await host.Services.GetRequiredService<ImportSources>().SweepAsync(Api.Cancel);
        Assert.Single(await _stores.Imports.ListAsync(BlobPlace.Kept, Api.Cancel).ToListAsync(Api.Cancel));

        await backup.DisposeAsync();

        while (await _stores.Imports.ListAsync(BlobPlace.Kept, Api.Cancel).AnyAsync(Api.Cancel))
        {
            await Task.Delay(100, Api.Cancel); // for a sweep
        }
    }

    [Fact]
    public async Task Every_column_with_a_hash_is_known_as_a_reference_or_as_none()
    {
        string[] none = ["ApiKey.Hash", "FeatureVector.Sha256", "FeatureVector.Values", "FitShard.Result"];
        string[] references =
        [
            "BatchItem.Sha256", "Example.Sha256", "Import.Source", "ImportSource.Sha256", "ModelVersion.Artifact", "ModelVersion.Evaluated",
                "ModelVersion.Report",
            "RunExample.Sha256", "SearchCandidate.Sha256", "SharedBackbone.Sha256",
        ];

        var columns = await host.QueryAsync(db => Task.FromResult(db.Model.GetEntityTypes().SelectMany(entity => entity.GetProperties())
            .Where(property => property.ClrType == typeof(byte[]))
                .Select(property => $"{property.DeclaringType.ClrType.Name}.{property.Name}").ToList()));

        Assert.Equal(none.Concat(references).Order(StringComparer.Ordinal), columns.Order(StringComparer.Ordinal));
    }

    /// <summary>As if it were later, or earlier.</summary>
    private async Task<Collected> CollectAsync(TimeSpan later)
    {
        var clock = new ClockJumpTests.JumpingClock();
        clock.Jump(later);
        return (await ActivatorUtilities.CreateInstance<BlobCollector>(host.Services, clock).CollectAsync(Api.Cancel))!;
    }

    private static Guid IdOf(string model) => Guid.Parse(model[(model.LastIndexOf('/') + 1)..]);

    private static byte[] HashOf(JsonNode image) => Convert.FromHexString((string)image["sha256"]!);

    private static Task<byte[]> PutAsync(IBlobStore store) => store.PutAsync(RandomNumberGenerator.GetBytes(1_000), Api.Cancel);

    private async Task<JsonNode> AddAsync(string model, byte[] picture)
    {
        using var form = Api.Form("cats", ("a.png", picture));
        return (await (await _client.PostAsync($"{model}/images", form, Api.Cancel)).JsonAsync())["accepted"]![0]!;
    }

    private async Task ReferAsync(Guid model, byte[] item, byte[] candidate)
    {
        var now = host.Services.GetRequiredService<TimeProvider>().Now();
        var (batch, search) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await host.QueryAsync(db =>
        {
            db.Add(new BatchPrediction
            {
                Id = batch,
                ModelId = model,
                Version = 1,
                State = JobState.Succeeded,
                Images = 1,
                Done = 1,
                Failed = 0,
                CreatedAt = now,
            });
            db.Add(new BatchItem { BatchId = batch, Position = 0, FileName = "a.png", Sha256 = item });
            db.Add(new ImageSearch
            {
                Id = search,
                ModelId = model,
                State = JobState.Reviewing,
                Queries = [new("cats", "cat")],
                PerCategory = 1,
                Licences = default,
                Sources = [],
                Train = false,
                Review = true,
                CreatedAt = now,
            });
            db.Add(new SearchCandidate
            {
                SearchId = search,
                Position = 0,
                Category = "cats",
                Origin = new ImageOrigin("http://127.0.0.1/"),
                State = CandidateState.Kept,
                Sha256 = candidate,
            });
            return db.SaveChangesAsync(Api.Cancel);
        });
    }
}
