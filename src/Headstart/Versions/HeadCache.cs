using Headstart.Backbones;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Learning.Backbones;
using Headstart.Learning.Detection;
using Headstart.Learning.Heads;
using Headstart.Learning.Texts;
using Headstart.Operations;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Caching.Memory;

namespace Headstart.Versions;

/// <summary>
/// The heads of versions in use, with text features that are theirs alone, read and checked once. A version never changes, so an entry is
/// never stale. What leaves the cache is not disposed of, as an answer may be made with it: it goes with the last of them, by its
/// finalizer.
/// </summary>
public sealed class HeadCache(IBlobStore blobs, LoadedBackbones loaded, DetectorBackbones detectors, SharedBackbones shared,
    LoadedTextBackbones texts, IDbContextFactory<HeadstartDb> databases, Settings settings, Telemetry telemetry) : IDisposable
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
        if (await db.Versions.Where(v => v.ModelId == model && v.Number == number)
            .Join(db.Models, v => v.ModelId, m => m.Id, (v, m) => new { v.Artifact, m.Kind, v.TrainableParameters })
            .SingleOrDefaultAsync(cancel) is not { } version)
        {
            return null;
        }

        var bytes = await blobs.GetAsync(version.Artifact, cancel)
            ?? throw Unavailable("The version's head is missing from the blob store or damaged there; publish another "
                + "version or train again.");
        var served = await OpenAsync(version.Kind, number, bytes, cancel) with { ZeroShot = version.TrainableParameters == 0 };
        return _heads.Set((model, number), served, new MemoryCacheEntryOptions { Size = served.Bytes });
    }

    /// <summary>A head with what it reads, not kept.</summary>
    /// <param name="kind">Of the version's model.</param>
    /// <param name="number">Of the version.</param>
    /// <param name="bytes">The artifact.</param>
    /// <param name="cancel">Ends the reading.</param>
    /// <exception cref="RefusedException">A backbone or the text features are missing on this host.</exception>
    public async Task<ServedVersion> OpenAsync(ModelKind kind, int number, byte[] bytes, CancellationToken cancel)
    {
        try
        {
            return kind.HasBoxes() ? await DetectorAsync(number, bytes, cancel)
                : await ClassifierAsync(number, HeadArtifact.Read(bytes), cancel);
        }
        catch (HeadArtifactException e)
        {
            throw Unavailable(e.Message);
        }
    }

    public void Dispose() => _heads.Dispose();

    private async Task<ServedClassifier> ClassifierAsync(int number, HeadArtifact artifact, CancellationToken cancel)
    {
        var (features, size) = artifact.Parts is [{ PreprocessingId: ArtifactPart.Text } part] ? await TextsAsync(part, cancel)
            : (new ImageFeatures(await RecipeOfAsync(artifact, cancel)), 0);
        return features.Length == artifact.Head.Features ? new(number, features, artifact.Head, artifact.Known, size)
            : throw Unavailable($"This version's head expects {artifact.Head.Features} features, but {features.Id} gives "
                + $"{features.Length}; train again.");
    }

    private async Task<ServedDetector> DetectorAsync(int number, byte[] bytes, CancellationToken cancel)
    {
        var head = DetectionHead.Read(bytes);
        try
        {
            await BringAsync([head.BackboneId], cancel);
            return detectors.Find(head.BackboneId) is { } backbone && backbone.Feeds(head)
                ? new(number, backbone, head, bytes.Length) : throw NoBackbone(head.BackboneId, head.BackboneSha256);
        }
        catch
        {
            head.Dispose();
            throw;
        }
    }

    // The same file and the same preprocessing, not just the same name: anything else would answer confidently and wrongly.
    private FeaturePart Part(ArtifactPart read) =>
        loaded.Find(read.BackboneId)?.Behind(read.PreprocessingId) is { } backbone && backbone.Manifest.Sha256 == read.BackboneSha256
            && backbone.Readable.FirstOrDefault(s => s.Name == read.Section) is { } section
            ? new(backbone, section)
            : throw NoBackbone(read.BackboneId, read.BackboneSha256);

    private async Task<FeatureRecipe> RecipeOfAsync(HeadArtifact read, CancellationToken cancel)
    {
        await BringAsync(read.Parts.Select(part => part.BackboneId), cancel);
        return new([.. read.Parts.Select(Part)]);
    }

    private async Task BringAsync(IEnumerable<string> backbones, CancellationToken cancel)
    {
        if (backbones.Any(id => loaded.Find(id) is null))
        {
            await loaded.Bundled.WaitAsync(cancel); // the host may have just started
            await shared.BringAsync(cancel); // another host trained it, with a backbone that this one has not heard of yet
        }
    }

    private RefusedException NoBackbone(string id, string sha256) => Unavailable($"This version needs the backbone {id} (SHA-256 "
        + $"{sha256[..Math.Min(12, sha256.Length)]}…), which this host does not have. {loaded.HowToGetOne}");

    private static RefusedException Unavailable(string why) => new(StatusCodes.Status409Conflict, "version-unavailable", why);

    private async Task<(VersionFeatures Features, long Bytes)> TextsAsync(ArtifactPart part, CancellationToken cancel)
    {
        try
        {
            using var file = new MemoryStream(await blobs.GetAsync(Convert.FromHexString(part.BackboneSha256), cancel)
                ?? throw Unavailable(
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
            throw Unavailable(e.Message);
        }
    }
}
