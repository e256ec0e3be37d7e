using Headstart.Backbones;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Learning.Backbones;
using Headstart.Learning.Heads;
using Headstart.Learning.Texts;
using Headstart.Operations;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Caching.Memory;

namespace Headstart.Versions;

/// <summary>A version ready to predict.</summary>
/// <param name="FeatureBytes">What its features take in memory beside it, about; backbones are others' too and not counted.</param>
public sealed record ServedVersion(int Number, VersionFeatures Features, Head Head, NoveltyDetector Known, long FeatureBytes = 0)
{
    private const int Overhead = 2_000; // of the objects around the numbers, about

    /// <summary>Only for an image model; endpoints and jobs for images check the kind first.</summary>
    public FeatureRecipe Recipe => ((ImageFeatures)Features).Recipe;

    /// <summary>What it takes in memory.</summary>
    public long Bytes => Overhead + FeatureBytes
        + sizeof(float) * (Head.TrainableParameters + (Head.Thresholds?.Count ?? 0) + (long)Known.Directions.Count * Head.Features)
        + Head.Labels.Sum(label => 32L + sizeof(char) * label.Length);
}

/// <summary>
/// The heads of versions in use, with text features that are theirs alone, read and checked once. A version never changes, so an entry is
/// never stale. What leaves the cache is not disposed of, as an answer may be made with it: it goes with the last of them.
/// </summary>
public sealed class HeadCache(IBlobStore blobs, LoadedBackbones loaded, SharedBackbones shared, LoadedTextBackbones texts,
    IDbContextFactory<HeadstartDb> databases, Settings settings, Telemetry telemetry) : IDisposable
{
    private readonly MemoryCache _heads = new(new MemoryCacheOptions { SizeLimit = settings.Predictions.HeadCacheBytes });

    /// <summary>The version, or null where the model has none of this number.</summary>
    /// <exception cref="RefusedException">The head or its backbone is missing on this host.</exception>
    public ValueTask<ServedVersion?> GetAsync(Guid model, int number, CancellationToken cancel)
    {
        var known = _heads.TryGetValue((model, number), out ServedVersion? served);
        telemetry.LookedForHead(known);
        return known ? new(served) : new(ReadAsync(model, number, cancel));
    }

    private async Task<ServedVersion?> ReadAsync(Guid model, int number, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        if (await db.Versions.SingleOrDefaultAsync(v => v.ModelId == model && v.Number == number, cancel) is not { } version)
        {
            return null;
        }

        var bytes = await blobs.GetAsync(version.Artifact, cancel)
            ?? throw new RefusedException(StatusCodes.Status409Conflict, "version-unavailable",
                "The version's head is missing from the blob store or damaged there; publish another "
                + "version or train again.");
        var served = await OpenAsync(number, bytes, cancel);
        return _heads.Set((model, number), served, new MemoryCacheEntryOptions { Size = served.Bytes });
    }

    /// <summary>A head with what it reads, not kept.</summary>
    /// <exception cref="RefusedException">A backbone or the text features are missing on this host.</exception>
    public async Task<ServedVersion> OpenAsync(int number, byte[] bytes, CancellationToken cancel)
    {
        var artifact = Read(bytes);
        var (features, size) = artifact.Parts is [{ PreprocessingId: ArtifactPart.Text } part] ? await TextsAsync(part, cancel)
            : (new ImageFeatures(await RecipeOfAsync(artifact, cancel)), 0);
        return features.Length == artifact.Head.Features ? new(number, features, artifact.Head, artifact.Known, size)
            : throw new RefusedException(StatusCodes.Status409Conflict, "version-unavailable",
                $"This version's head expects {artifact.Head.Features} features, but {features.Id} "
                + $"gives {features.Length}; train again.");
    }

    public void Dispose() => _heads.Dispose();

    private static HeadArtifact Read(byte[] bytes)
    {
        try
        {
            return HeadArtifact.Read(bytes);
        }
        catch (HeadArtifactException e)
        {
            throw new RefusedException(StatusCodes.Status409Conflict, "version-unavailable", e.Message);
        }
    }

    // The same file and the same preprocessing, not just the same name: anything else would answer confidently and wrongly.
    private FeaturePart Part(ArtifactPart read) =>
        loaded.Find(read.BackboneId)?.Behind(read.PreprocessingId) is { } backbone && backbone.Manifest.Sha256 == read.BackboneSha256
            && backbone.Sections.FirstOrDefault(s => s.Name == read.Section) is { } section
            ? new(backbone, section)
            : throw new RefusedException(StatusCodes.Status409Conflict, "version-unavailable", "This version needs the backbone "
                + $"{read.BackboneId} (SHA-256 {read.BackboneSha256[..Math.Min(12, read.BackboneSha256.Length)]}…), which this host does "
                + $"not have. {loaded.HowToGetOne}");

    private async Task<FeatureRecipe> RecipeOfAsync(HeadArtifact read, CancellationToken cancel)
    {
        if (read.Parts.Any(part => loaded.Find(part.BackboneId) is null))
        {
            await loaded.Bundled.WaitAsync(cancel); // the host may have just started
            await shared.BringAsync(cancel); // another host trained it, with a backbone that this one has not heard of yet
        }

        return new([.. read.Parts.Select(Part)]);
    }

    private async Task<(VersionFeatures Features, long Bytes)> TextsAsync(ArtifactPart part, CancellationToken cancel)
    {
        try
        {
            using var file = new MemoryStream(await blobs.GetAsync(Convert.FromHexString(part.BackboneSha256), cancel)
                ?? throw new RefusedException(StatusCodes.Status409Conflict, "version-unavailable",
                $"The features of this version, {part.BackboneId}, are missing from the blob store or damaged there; publish another "
                    + "version or train again."));
            try
            {
                return (new WordFeatures(TextFeatures.Load(file, texts.All)), file.Length);
            }
            catch (TextFeaturesException)
            {
                await shared.BringAsync(cancel); // another host trained it, with word vectors that this one has not heard of yet
                file.Position = 0;
                return (new WordFeatures(TextFeatures.Load(file, texts.All)), file.Length);
            }
        }
        catch (Exception e) when (e is TextFeaturesException or FormatException)
        {
            throw new RefusedException(StatusCodes.Status409Conflict, "version-unavailable", e.Message);
        }
    }
}
