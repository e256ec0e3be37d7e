using Headstart.Learning.Backbones;

namespace Headstart.Backbones;

/// <summary>Finds backbones that are new since a version was trained.</summary>
public sealed class BackboneNews(LoadedBackbones loaded, HostCatalogue catalogue)
{
    /// <summary>
    /// The choices available now, stored with a version: backbones on this host, each with the first digits of its file's SHA-256, and the
    /// ids of those that could be downloaded.
    /// </summary>
    public List<string> Known() => [.. loaded.All.Select(b => Name(b.Manifest)), .. Fetchable().Select(e => e.Manifest.Id)];

    /// <summary>
    /// Backbones that were unknown then and might do better than those a version uses: ones with a higher published accuracy, or with none,
    /// where only trying can tell. Usually empty. 8-bit forms are left out: they are faster, not better.
    /// </summary>
    /// <param name="known">The result of <see cref="Known"/> when the version was made.</param>
    /// <param name="recipe">Recipe of the version.</param>
    /// <param name="maxLatencyMs">Limit of its run, in milliseconds per image.</param>
    public List<BackboneManifest> Since(IReadOnlyCollection<string> known, string recipe, double? maxLatencyMs)
    {
        var used = FeatureRecipe.BackboneIds(recipe).ToHashSet();
        var best = loaded.All.Where(b => used.Contains(b.Manifest.Id)).Max(b => b.Manifest.PublishedAccuracy) ?? 0;
        return [.. loaded.All.Where(b => !known.Contains(Name(b.Manifest)) && !(b.MsPerImage > maxLatencyMs)).Select(b => b.Manifest)
            .Concat(Fetchable().Where(e => !known.Contains(e.Manifest.Id) && !known.Contains(Name(e.Manifest))).Select(e => e.Manifest))
            .Where(m => !used.Contains(m.Id) && m.QuantisedFrom is null && (m.PublishedAccuracy is null || m.PublishedAccuracy > best))];
    }

    private IEnumerable<CatalogueEntry> Fetchable() => catalogue.Downloads
        ? catalogue.Entries.Where(e => loaded.Find(e.Manifest.Id) is null) : [];

    /// <summary>Distinguishes backbones with the same id.</summary>
    public static string Name(BackboneManifest manifest) => $"{manifest.Id} {manifest.Sha256[..12]}";
}
