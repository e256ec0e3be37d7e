using System.IO.Compression;

namespace Headstart.Pretraining;

/// <summary>The files of some folders and zip files, in an order that depends only on their names. Thread-safe.</summary>
public sealed class Photographs
{
    private readonly List<Func<byte[]>> _readers = [];

    private Photographs()
    {
    }

    public int Count => _readers.Count;

    public byte[] Read(int index) => _readers[index]();

    /// <param name="sources">Folders (searched with everything below them) and zip files.</param>
    /// <param name="limit">Takes at most this many, the first ones.</param>
    /// <exception cref="IOException">A source is missing or not readable.</exception>
    public static Photographs Open(IEnumerable<string> sources, int limit)
    {
        var photographs = new Photographs();
        foreach (var source in sources)
        {
            photographs._readers.AddRange(Directory.Exists(source) ? InFolder(source) : InZip(source));
        }

        photographs._readers.RemoveRange(Math.Min(limit, photographs.Count), Math.Max(0, photographs.Count - limit));
        return photographs.Count > 0 ? photographs : throw new IOException("There are no photographs to learn from.");
    }

    private static IEnumerable<Func<byte[]>> InFolder(string folder) =>
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(IsImage).Order(StringComparer.Ordinal)
            .Select<string, Func<byte[]>>(path => () => File.ReadAllBytes(path));

    /// <summary>Keeps the compressed photographs in memory: a zip file cannot be read from several threads, and photographs of this size
    /// are small.</summary>
    private static IEnumerable<Func<byte[]>> InZip(string path)
    {
        using var zip = ZipFile.OpenRead(path);
        foreach (var entry in zip.Entries.Where(entry => IsImage(entry.Name)).OrderBy(entry => entry.FullName, StringComparer.Ordinal))
        {
            using var stream = entry.Open();
            var bytes = new byte[entry.Length];
            stream.ReadExactly(bytes);
            yield return () => bytes;
        }
    }

    private static bool IsImage(string path) =>
        Path.GetExtension(path).ToLowerInvariant() is ".jpg" or ".jpeg" or ".png" or ".webp" or ".gif" or ".bmp" or ".tif" or ".tiff";
}
