namespace Headstart.Learning.Backbones;

/// <summary>The backbones we know by heart, from tiny to strong; embedded in this assembly.</summary>
public static class Catalogue
{
    private static readonly (int Version, IReadOnlyList<CatalogueEntry> Entries) File = ManifestJson.ReadCatalogue();

    private static readonly Dictionary<string, CatalogueEntry> BySha256 = File.Entries.ToDictionary(entry => entry.Manifest.Sha256);

    /// <summary>Counts the changes of the list.</summary>
    public static int Version => File.Version;

    public static IReadOnlyList<CatalogueEntry> Entries => File.Entries;

    /// <param name="sha256">Lower-case hexadecimal.</param>
    public static CatalogueEntry? Find(string sha256) => BySha256.GetValueOrDefault(sha256);
}

/// <summary>A backbone that may or may not be on this machine.</summary>
/// <param name="Manifest">What is known of it; <see cref="BackboneManifest.Bytes"/> is its length.</param>
/// <param name="Address">Where it can be fetched; null for those that are only recognised where they lie.</param>
public sealed record CatalogueEntry(BackboneManifest Manifest, Uri? Address);
