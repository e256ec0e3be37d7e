using System.IO.Compression;
using System.IO.Hashing;
using System.Text;
using Headstart.Learning.Imaging;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Archives;

/// <summary>Limits for reading an archive of images.</summary>
/// <param name="MaxFiles">Files in the archive.</param>
/// <param name="FilesSetting">The setting that limits them.</param>
/// <param name="MaxFileBytes">Limit for one file, unpacked.</param>
/// <param name="MaxUnpackedBytes">Limit for all files together, unpacked.</param>
/// <param name="UnpackedSetting">The setting that limits them together.</param>
/// <param name="Kept">What becomes of the files before that limit, as a sentence.</param>
internal sealed record ArchiveLimits(
    int MaxFiles, string FilesSetting, int MaxFileBytes, long MaxUnpackedBytes, string UnpackedSetting, string Kept)
{
    public static ArchiveLimits Of(UploadSettings limits) => new(limits.MaxZipFiles, "Headstart:Uploads:MaxZipFiles", limits.MaxFileBytes,
        limits.MaxUnpackedBytes, "Headstart:Uploads:MaxUnpackedBytes",
        "The files before the limit are kept; send the rest in another archive.");
}

/// <summary>A file of an archive.</summary>
/// <param name="Name">Decoded and with its folders: see <see cref="ZipNames"/>.</param>
internal sealed record ArchiveFile(string Name, ZipArchiveEntry Entry);

/// <summary>
/// An uploaded zip archive. Its files are read into memory one at a time, and no file is ever written under an entry's name. The sizes that
/// an archive declares are not trusted: bytes are counted while reading.
/// </summary>
internal sealed class Archive : IDisposable
{
    private const int DirectoryBytes = 1 << 18; // always allowed, however small the limits are
    private const int DirectoryBytesPerFile = 1_024; // an entry needs 46, its name and its times
    private const int Readings = 2; // of the directory: for its entries, and for their names
    private const int UnixKind = 0xF000, UnixLink = 0xA000; // S_IFMT and S_IFLNK of the mode in the upper half of the attributes

    private readonly ZipArchive _archive;
    private readonly ArchiveLimits _limits;

    private Archive(ZipArchive archive, Stream stream, ArchiveLimits limits)
    {
        (_archive, _limits) = (archive, limits);
        var names = ZipNames.Read(stream, archive.Entries, out var encoding, out var uncertain);
        var systems = new SystemFiles();
        Files = [.. names.Zip(archive.Entries, (name, entry) => new ArchiveFile(name, entry))
            .Where(file => file.Name is not [.., '/' or '\\'] && !systems.Take(file.Name))];
        NamesAreUncertain = uncertain;
        Notices = [.. systems.Notices, .. encoding is null or UTF8Encoding ? [] : (string[])[NoticeOf(encoding)]];
    }

    /// <summary>In the order of the archive's directory, without folders and files of operating systems.</summary>
    public IReadOnlyList<ArchiveFile> Files { get; }

    /// <summary>What the sender should know: what was left out, and how names were read.</summary>
    public IReadOnlyList<string> Notices { get; }

    /// <summary>Bytes unpacked by <see cref="ReadImageAsync"/>, whatever became of them.</summary>
    public long Unpacked { get; set; }

    private bool NamesAreUncertain { get; }

    /// <summary>Reads the directory, which is at the end.</summary>
    /// <param name="stream">Seekable; it stays open.</param>
    /// <param name="limits">Limits for the archive.</param>
    /// <exception cref="RefusedException">It is not an archive, has too many files, or the encoding of folder names is not
    /// certain.</exception>
    public static async Task<Archive> OpenAsync(Stream stream, ArchiveLimits limits, CancellationToken cancel) =>
        Open(stream, limits, out var tooMany) ?? throw (tooMany
            ? RefusedException.TooLarge("too-many-files", $"The archive has more than {limits.MaxFiles:N0} files ({limits.FilesSetting}); "
                + "send the rest in another archive.")
            : await NotAZipAsync(stream, cancel));

    /// <summary>Bounds memory: an archive may have millions of entries, and only as many as allowed are kept.</summary>
    private static Archive? Open(Stream stream, ArchiveLimits limits, out bool tooMany)
    {
        var limited = new LimitedStream(stream, Readings * (DirectoryBytes + (long)DirectoryBytesPerFile * limits.MaxFiles));
        ZipArchive? zip = null;
        try
        {
            stream.Position = 0;
            zip = new ZipArchive(limited, ZipArchiveMode.Read, leaveOpen: true, Encoding.Latin1);
            var archive = new Archive(zip, limited, limits); // reads the entries, which may fail
            limited.Allowed = long.MaxValue;
            tooMany = archive.Files.Count > limits.MaxFiles;
            if (!tooMany)
            {
                return archive.NamesAreUncertain ? throw Uncertain() : archive;
            }
        }
        catch (InvalidDataException)
        {
            tooMany = limited.Allowed < 0;
        }
        catch
        {
            zip?.Dispose();
            throw;
        }

        zip?.Dispose();
        return null;
    }

    /// <summary>
    /// <see cref="UploadedFile.FileName"/> is the whole name of an entry, and <see cref="UploadedFile.Categories"/> contains its folder.
    /// </summary>
    public static async Task<UploadedFile> ReadAsync(ArchiveFile file, int maxBytes, CancellationToken cancel) =>
        (await UnpackAsync(file, maxBytes, cancel)).File;

    /// <summary>The same, and how many bytes were unpacked for it, whatever became of them.</summary>
    public static async Task<(UploadedFile File, long Unpacked)> UnpackAsync(ArchiveFile file, int maxBytes, CancellationToken cancel)
    {
        var folders = file.Name.Split('/', '\\')[..^1];
        var (content, unpacked) = await ContentAsync(file.Entry, maxBytes, cancel);
        IReadOnlyList<string>? categories = folders.Length > 0 ? [RequestBodies.Readable(folders[^1])] : null;
        return (new(RequestBodies.Readable(file.Name), content, categories), unpacked);
    }

    /// <summary>Reads a file that should be an image: an archive inside the archive is refused.</summary>
    /// <exception cref="RefusedException">The files read so far and this one are together larger than allowed.</exception>
    public async Task<UploadedFile> ReadImageAsync(ArchiveFile file, CancellationToken cancel)
    {
        var (read, unpacked) = await UnpackAsync(file, _limits.MaxFileBytes, cancel);
        return (Unpacked += unpacked) > _limits.MaxUnpackedBytes
            ? throw RefusedException.TooLarge("archive-too-large", "Unpacked, the archive is larger than "
                + $"{_limits.MaxUnpackedBytes:N0} bytes ({_limits.UnpackedSetting}). {_limits.Kept}")
            : read.Bytes is { } bytes && FileKind.Of(bytes) == FileKind.Zip ? read with
            {
                Content = new FileContent.Unusable("archive", "This is an archive inside the archive, not an image; send it separately."),
            } : read;
    }

    private static async Task<RefusedException> NotAZipAsync(Stream stream, CancellationToken cancel)
    {
        var head = new byte[512];
        stream.Position = 0;
        var read = await stream.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancel);
        return RefusedException.Invalid("not-a-zip", FileKind.Of(head.AsSpan(0, read)) is { } kind and not FileKind.Zip
            ? $"The body is {kind}, and Headstart reads zip archives: unpack it and create a zip archive of its files, for example with "
                + "zip -r photos.zip photos."
            : "The body is not a zip archive, or the archive is damaged or incomplete; create it again, for example with zip -r "
                + "photos.zip photos.");
    }

    private static async Task<(FileContent Content, long Unpacked)> ContentAsync(ZipArchiveEntry entry, int maxBytes,
        CancellationToken cancel)
    {
        if (entry.IsEncrypted)
        {
            return (new FileContent.Unusable("encrypted", "The file is encrypted; create the archive without a password."), 0);
        }

        if ((entry.ExternalAttributes >> 16 & UnixKind) == UnixLink)
        {
            return (new FileContent.Unusable("link", "This is a link to another file; add the file itself to the archive."), 0);
        }

        CountedStream? counted = null;
        try
        {
            await using var stream = await entry.OpenAsync(cancel);
            counted = new(stream);
            var bytes = await RequestBodies.ReadToEndAsync(counted, maxBytes, cancel);
            return (bytes is null ? FileContent.Of(null, maxBytes)
                // A manipulated offset would give the file the bytes of another.
                : Crc32.HashToUInt32(bytes) != entry.Crc32 ? Damaged()
                : FileContent.Of(bytes, maxBytes), counted.Count);
        }
        catch (InvalidDataException)
        {
            return (Damaged(), counted?.Count ?? 0);
        }
    }

    private static FileContent.Unusable Damaged() => new("damaged-entry", "The file cannot be unpacked: the archive is damaged or uses an "
        + "unsupported compression; create it again.");

    public void Dispose() => _archive.Dispose();

    private static string NoticeOf(Encoding encoding) => "The archive does not declare the encoding of its names; they were read as "
        + $"code page {encoding.CodePage} ({encoding.WebName}).";

    private static RefusedException Uncertain() => RefusedException.Invalid("unknown-encoding",
        "The archive does not declare the encoding of its folder names, and it cannot be detected. Create the archive "
            + "with names in UTF-8 (in 7-Zip with the parameter cu=on, on Linux or macOS with zip -r), or give the folders "
            + "names in ASCII.");

    private sealed class CountedStream(Stream inner) : ForwardStream
    {
        /// <summary>Bytes read.</summary>
        public long Count { get; private set; }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await inner.ReadAsync(buffer, cancellationToken);
            Count += read;
            return read;
        }
    }
}
