using System.IO.Compression;
using System.Runtime.CompilerServices;
using Headstart.Operations;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Headstart.Images;

/// <param name="MaxFiles">Files in the archive.</param>
/// <param name="MaxFileBytes">Of one file, unpacked.</param>
/// <param name="MaxUnpackedBytes">Of all files together, unpacked.</param>
public sealed record ZipLimits(int MaxFiles, int MaxFileBytes, long MaxUnpackedBytes);

/// <summary>
/// Files out of an archive that somebody sent. The archive is spooled, as its directory is at its end; its files are read one at a time, into
/// memory, and nothing is ever written by an entry's name. What an archive says of itself is not believed: sizes are counted while reading.
/// </summary>
public sealed class ZipUpload : IAsyncDisposable
{
    private const int DirectoryBytes = 1 << 18; // that may be read however small the limits are
    private const int DirectoryBytesPerFile = 1_024; // an entry needs 46, its name and its times
    private const int UnixKind = 0xF000, UnixLink = 0xA000; // S_IFMT and S_IFLNK of the mode in the upper half of the attributes

    private readonly Spool _spool;
    private readonly ZipLimits _limits;

    private ZipUpload(Spool spool, ZipLimits limits) => (_spool, _limits) = (spool, limits);

    /// <summary>Why the archive as a whole is refused; known when <see cref="ReadAsync(CancellationToken)"/> has ended.</summary>
    public ProblemHttpResult? Refusal { get; private set; }

    /// <summary>Takes the body in.</summary>
    /// <param name="body">The archive; whoever calls has limited its length.</param>
    /// <param name="folder">Where it lies meanwhile, as a file without a name: it goes with this object, or with the process.</param>
    /// <param name="limits">What to read of it.</param>
    /// <param name="cancel">Ends the reading.</param>
    public static async Task<ZipUpload> SpoolAsync(Stream body, string folder, ZipLimits limits, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(body);
        Directory.CreateDirectory(folder);
        var spool = new Spool(Path.Combine(folder, $"{Guid.CreateVersion7():N}.zip"));
        try
        {
            await body.CopyToAsync(spool, cancel);
            await spool.FlushAsync(cancel);
            return new(spool, limits);
        }
        catch
        {
            await spool.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// The files in the order of the archive's directory. <see cref="UploadedFile.FileName"/> is the whole name of an entry and
    /// <see cref="UploadedFile.Categories"/> has the folder that it lies in. Look at <see cref="Refusal"/> afterwards.
    /// </summary>
    public async IAsyncEnumerable<UploadedFile> ReadAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        using var archive = Open();
        var entries = archive?.Entries.Where(entry => !IsIgnored(entry.FullName)).ToList() ?? [];
        if (entries.Count > _limits.MaxFiles)
        {
            Refusal = TooManyFiles();
            yield break;
        }

        var unpacked = 0L;
        foreach (var entry in entries)
        {
            var file = await ReadAsync(entry, cancel);
            unpacked += file.Bytes?.Length ?? (file.Reason == "too-large" ? _limits.MaxFileBytes : 0);
            if (unpacked > _limits.MaxUnpackedBytes)
            {
                Refusal = Problems.Of(StatusCodes.Status413PayloadTooLarge, "archive-too-large",
                    $"Unpacked, the archive has more than {_limits.MaxUnpackedBytes:N0} bytes; send its files in several archives.");
                yield break;
            }

            yield return file;
        }
    }

    public ValueTask DisposeAsync() => _spool.DisposeAsync();

    private ZipArchive? Open()
    {
        ZipArchive? archive = null;
        try
        {
            _spool.Position = 0;
            // An archive may have millions of entries: its directory is held in memory only as far as the limit on files needs it.
            _spool.Allowed = DirectoryBytes + (long)DirectoryBytesPerFile * _limits.MaxFiles;
            archive = new ZipArchive(_spool, ZipArchiveMode.Read, leaveOpen: true);
            _ = archive.Entries; // read here, where it may fail
            _spool.Allowed = long.MaxValue;
            return archive;
        }
        catch (InvalidDataException)
        {
            archive?.Dispose();
            Refusal = _spool.Allowed < 0 ? TooManyFiles()
                : Problems.Invalid("not-a-zip",
                    "The body is not a zip archive, or it is damaged or broke off; make it anew, as zip -r photos.zip photos does.");
            return null;
        }
    }

    private async Task<UploadedFile> ReadAsync(ZipArchiveEntry entry, CancellationToken cancel)
    {
        var name = UploadReader.Readable(entry.FullName);
        var folders = entry.FullName.Split('/', '\\')[..^1];
        var read = new UploadedFile(name, folders.Length > 0 ? [UploadReader.Readable(folders[^1])] : null, null);
        if (entry.IsEncrypted)
        {
            return read with { Reason = "encrypted", Detail = "The file is encrypted; make the archive without a password." };
        }

        if ((entry.ExternalAttributes >> 16 & UnixKind) == UnixLink)
        {
            return read with { Reason = "link", Detail = "This is a link to another file; put the file itself into the archive." };
        }

        try
        {
            await using var stream = await entry.OpenAsync(cancel);
            return await UploadReader.ReadToEndAsync(stream, _limits.MaxFileBytes, cancel) is { } bytes
                ? read with { Bytes = bytes }
                : read with { Reason = "too-large", Detail = $"The file is larger than {_limits.MaxFileBytes:N0} bytes; send a smaller version of it." };
        }
        catch (InvalidDataException)
        {
            return read with
            {
                Reason = "damaged-entry",
                Detail = "The file cannot be unpacked: the archive is damaged there, or packs it in a way that is not common.",
            };
        }
    }

    /// <summary>Folders, and what macOS adds to every archive.</summary>
    private static bool IsIgnored(string name)
    {
        var parts = name.Split('/', '\\');
        return parts[^1] is "" or ".DS_Store" || parts.Contains("__MACOSX");
    }

    private ProblemHttpResult TooManyFiles() => Problems.Of(StatusCodes.Status413PayloadTooLarge, "too-many-files",
        $"An archive may have {_limits.MaxFiles:N0} files; send the others in another one.");

    /// <summary>
    /// A file that nobody can open by its name and that is gone when it is closed, also by a crash: elsewhere than on Windows it loses its
    /// name at once, and there the system deletes it. If the process dies in between, an empty file is left.
    /// </summary>
    private sealed class Spool : FileStream
    {
        public Spool(string path)
            : base(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 16,
                OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None)
        {
            if (!OperatingSystem.IsWindows())
            {
                File.Delete(path);
            }
        }

        /// <summary>Bytes that may still be read.</summary>
        public long Allowed { get; set; } = long.MaxValue;

        /// <summary>A class that derives from FileStream is read through this one method.</summary>
        /// <exception cref="InvalidDataException">More was read than allowed.</exception>
        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = base.Read(buffer, offset, count);
            Allowed -= read;
            return Allowed >= 0 ? read : throw new InvalidDataException("More was read than allowed.");
        }
    }
}
