using Headstart.Backbones;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Learning.Backbones;
using Headstart.Learning.Heads;
using Headstart.Operations;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Caching.Memory;

namespace Headstart.Predictions;

/// <summary>A version ready to predict.</summary>
public sealed record ServedVersion(int Number, FeatureRecipe Recipe, Head Head, KnownRegion Known)
{
    private const int Overhead = 2_000; // of the objects around the numbers, about

    /// <summary>What it takes in memory; the backbones are others' too and not counted.</summary>
    public long Bytes => Overhead + sizeof(float) * (Head.TrainableParameters + (Head.Thresholds?.Count ?? 0) + (long)Known.Directions.Count * Head.Features)
        + Head.Labels.Sum(label => 32L + sizeof(char) * label.Length);
}

/// <summary>The heads of versions in use, read and checked once. A version never changes, so an entry is never stale.</summary>
public sealed class HeadCache(IBlobStore blobs, BackboneShelf shelf, Settings settings, Telemetry telemetry) : IDisposable
{
    private readonly MemoryCache _heads = new(new MemoryCacheOptions { SizeLimit = settings.Predictions.HeadCacheBytes });

    /// <summary>The version, or null where the model has none of this number.</summary>
    /// <exception cref="HeadArtifactException">The stored head is damaged or of a newer format.</exception>
    /// <exception cref="VersionUnavailableException">The head or its backbone is missing on this host.</exception>
    public async Task<ServedVersion?> GetAsync(HeadstartDb db, Guid model, int number, CancellationToken cancel)
    {
        var known = _heads.TryGetValue((model, number), out ServedVersion? served);
        telemetry.LookedForHead(known);
        if (known)
        {
            return served;
        }

        if (await db.Versions.SingleOrDefaultAsync(v => v.ModelId == model && v.Number == number, cancel) is not { } version)
        {
            return null;
        }

        var bytes = await blobs.GetAsync(version.Artifact, cancel)
            ?? throw new VersionUnavailableException("The version's head is no longer in the blob store, or is damaged there; publish another version or train again.");
        served = Open(number, bytes);
        return _heads.Set((model, number), served, new MemoryCacheEntryOptions { Size = served.Bytes });
    }

    /// <summary>A head with the backbones that it needs, not kept.</summary>
    /// <exception cref="HeadArtifactException">The bytes are damaged or of another format.</exception>
    /// <exception cref="VersionUnavailableException">A backbone is missing on this host.</exception>
    public ServedVersion Open(int number, byte[] bytes)
    {
        var artifact = HeadArtifact.Read(bytes);
        return new(number, RecipeOf(artifact), artifact.Head, artifact.Known);
    }

    public void Dispose() => _heads.Dispose();

    // The same file and the same preprocessing, not just the same name: anything else would answer confidently and wrongly.
    private FeaturePart Part(ArtifactPart read) =>
        shelf.Find(read.BackboneId) is { } backbone && backbone.Manifest.Sha256 == read.BackboneSha256
            && backbone.Manifest.Preprocessing.Id == read.PreprocessingId && backbone.Sections.FirstOrDefault(s => s.Name == read.Section) is { } section
            ? new(backbone, section)
            : throw new VersionUnavailableException($"This version needs the backbone {read.BackboneId} (SHA-256 {read.BackboneSha256[..Math.Min(12, read.BackboneSha256.Length)]}…), which this host does not have. {shelf.HowToGetOne}");

    private FeatureRecipe RecipeOf(HeadArtifact read)
    {
        var recipe = new FeatureRecipe([.. read.Parts.Select(Part)]);
        return recipe.Length == read.Head.Features ? recipe
            : throw new VersionUnavailableException($"This version's head reads {read.Head.Features} features and {recipe.Id} gives {recipe.Length}; train again.");
    }
}

/// <summary>A version cannot be served here; the message says what to do.</summary>
public sealed class VersionUnavailableException(string sentence) : Exception(sentence);
