using System.IO.Compression;
using Headstart.Operations;

namespace Headstart.Uploads;

/// <summary>
/// An uploaded zip archive. Its files are read into memory one at a time, and no file is ever written under an entry's name. The sizes that
/// an archive declares are not trusted: bytes are counted while reading.
/// </summary>
internal sealed class Archive : IDisposable
{
    private const int DirectoryBytes = 1 << 18; // always allowed, however small the limits are
    private const int DirectoryBytesPerFile = 1_024; // an entry needs 46, its name and its times
    private const int UnixKind = 0xF000, UnixLink = 0xA000; // S_IFMT and S_IFLNK of the mode in the upper half of the attributes

    private readonly ZipArchive _archive;

    private Archive(ZipArchive archive)
    {
        _archive = archive;
        Files = [.. archive.Entries.Where(entry => !IsIgnored(entry.FullName))];
    }

    /// <summary>In the order of the archive's directory, without folders and the files that macOS adds to every archive.</summary>
    public IReadOnlyList<ZipArchiveEntry> Files { get; }

    /// <summary>Reads the directory, which is at the end.</summary>
    /// <param name="stream">Seekable; it stays open.</param>
    /// <param name="maxFiles">Bounds memory: an archive may have millions of entries, and only this many are kept.</param>
    /// <param name="tooMany">Whether it has more files than allowed.</param>
    /// <returns>null if it has too many files or is not an archive.</returns>
    public static Archive? Open(Stream stream, int maxFiles, out bool tooMany)
    {
        var limited = new LimitedStream(stream, DirectoryBytes + (long)DirectoryBytesPerFile * maxFiles);
        ZipArchive? zip = null;
        try
        {
            stream.Position = 0;
            zip = new ZipArchive(limited, ZipArchiveMode.Read, leaveOpen: true);
            var archive = new Archive(zip); // reads the entries, which may fail
            limited.Allowed = long.MaxValue;
            tooMany = archive.Files.Count > maxFiles;
            if (!tooMany)
            {
                return archive;
            }
        }
        catch (InvalidDataException)
        {
            tooMany = limited.Allowed < 0;
        }

        zip?.Dispose();
        return null;
    }

    /// <summary>
    /// <see cref="UploadedFile.FileName"/> is the whole name of an entry and <see cref="UploadedFile.Categories"/> has the folder that it
    /// lies in.
    /// </summary>
    public static async Task<UploadedFile> ReadAsync(ZipArchiveEntry entry, int maxBytes, CancellationToken cancel)
    {
        var folders = entry.FullName.Split('/', '\\')[..^1];
        return new(RequestBodies.Readable(entry.FullName), await ContentAsync(entry, maxBytes, cancel),
            folders.Length > 0 ? [RequestBodies.Readable(folders[^1])] : null);
    }

    private static async Task<FileContent> ContentAsync(ZipArchiveEntry entry, int maxBytes, CancellationToken cancel)
    {
        if (entry.IsEncrypted)
        {
            return new FileContent.Unusable("encrypted", "The file is encrypted; create the archive without a password.");
        }

        if ((entry.ExternalAttributes >> 16 & UnixKind) == UnixLink)
        {
            return new FileContent.Unusable("link", "This is a link to another file; add the file itself to the archive.");
        }

        try
        {
            await using var stream = await entry.OpenAsync(cancel);
            var bytes = await RequestBodies.ReadToEndAsync(stream, maxBytes, cancel);
            return bytes is not null && bytes.AsSpan().StartsWith("PK\x03\x04"u8)
                ? new FileContent.Unusable("archive", "This is an archive inside the archive, not an image; send it separately.")
                : FileContent.Of(bytes, maxBytes);
        }
        catch (InvalidDataException)
        {
            return new FileContent.Unusable("damaged-entry", "The file cannot be unpacked: the archive is damaged or uses an unsupported "
                + "compression; create it again.");
        }
    }

    public void Dispose() => _archive.Dispose();

    private static bool IsIgnored(string name)
    {
        var parts = name.Split('/', '\\');
        return parts[^1] is "" or ".DS_Store" || parts.Contains("__MACOSX");
    }
}
