namespace Headstart.Learning.Backbones;

/// <summary>The known backbones, from tiny to strong; embedded in this assembly.</summary>
public static class Catalogue
{
    private static readonly (int Version, IReadOnlyList<CatalogueEntry> Entries) File = ReadOwn();

    private static readonly Dictionary<string, CatalogueEntry> BySha256 = File.Entries.ToDictionary(entry => entry.Manifest.Sha256);

    /// <summary>Version of the list, incremented with each change.</summary>
    public static int Version => File.Version;

    public static IReadOnlyList<CatalogueEntry> Entries => File.Entries;

    /// <param name="sha256">Lower-case hexadecimal.</param>
    public static CatalogueEntry? Find(string sha256) => BySha256.GetValueOrDefault(sha256);

    /// <summary>A custom catalogue, in the format of <c>catalogue.json</c>.</summary>
    /// <exception cref="BackboneException">The file cannot be read or used; the message is a sentence that says why.</exception>
    public static IReadOnlyList<CatalogueEntry> Read(string path)
    {
        try
        {
            using var stream = System.IO.File.OpenRead(path);
            var entries = ManifestJson.ReadCatalogue(stream).Entries;
            return entries.DistinctBy(entry => entry.Manifest.Id).Count() == entries.Count ? entries
                : throw new BackboneException("two of its entries have the same id");
        }
        catch (Exception exception) when (exception is BackboneException or IOException or UnauthorizedAccessException)
        {
            throw new BackboneException($"The catalogue '{path}' cannot be used: {exception.Message.TrimEnd('.')}.", exception);
        }
    }

    private static (int Version, IReadOnlyList<CatalogueEntry> Entries) ReadOwn()
    {
        using var stream = typeof(Catalogue).Assembly.GetManifestResourceStream("Headstart.Learning.Backbones.catalogue.json")!;
        return ManifestJson.ReadCatalogue(stream);
    }
}

/// <summary>A backbone that may or may not be on this machine.</summary>
/// <param name="Manifest">Its description; <see cref="BackboneManifest.Bytes"/> is the file's length.</param>
/// <param name="Address">Download address; null for files that are only recognised.</param>
public sealed record CatalogueEntry(BackboneManifest Manifest, Uri? Address)
{
    /// <summary>Good for its size: worth downloading without being asked.</summary>
    public bool Recommended { get; init; }
}
