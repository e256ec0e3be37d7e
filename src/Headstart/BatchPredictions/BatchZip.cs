using System.Runtime.CompilerServices;
using Headstart.Uploads.Archives;
using Headstart.Uploads.Files;

namespace Headstart.BatchPredictions;

/// <param name="MaxFiles">Files in the archive.</param>
/// <param name="MaxFileBytes">Limit for one file, unpacked.</param>
/// <param name="MaxUnpackedBytes">Limit for all files together, unpacked.</param>
public sealed record ZipLimits(int MaxFiles, int MaxFileBytes, long MaxUnpackedBytes);

/// <summary>
/// Reads files from an archive sent as request body, see <see cref="Archive"/>. It is spooled, because a zip's directory is at its end.
/// </summary>
public sealed class BatchZip : IAsyncDisposable
{
    private readonly Stream _spool;
    private readonly ZipLimits _limits;

    private BatchZip(Stream spool, ZipLimits limits) => (_spool, _limits) = (spool, limits);

    /// <summary>Spools the body.</summary>
    /// <param name="body">The archive; the caller has limited its length.</param>
    /// <param name="folder">Where to spool it, see <see cref="Spool"/>.</param>
    /// <param name="limits">Limits for reading it.</param>
    public static async Task<BatchZip> SpoolAsync(Stream body, string folder, ZipLimits limits, CancellationToken cancel) =>
        new((await Spool.TakeAsync(body, folder, long.MaxValue, cancel))!, limits);

    /// <summary>The files in the order of the archive's directory.</summary>
    /// <exception cref="RefusedException">The archive was refused as a whole.</exception>
    public async IAsyncEnumerable<UploadedFile> ReadAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        using var archive = Archive.Open(_spool, _limits.MaxFiles, out var tooMany);
        if (archive is null)
        {
            throw tooMany ? RefusedException.TooLarge("too-many-files",
                    $"The archive has more than {_limits.MaxFiles:N0} files; send the rest in another archive.")
                : await Archive.NotAZipAsync(_spool, cancel);
        }

        var unpacked = 0L;
        foreach (var entry in archive.Files)
        {
            var file = await Archive.ReadImageAsync(entry, _limits.MaxFileBytes, cancel);
            unpacked += file.Bytes?.Length ?? (file.Unusable?.Reason == "too-large" ? _limits.MaxFileBytes : 0);
            if (unpacked > _limits.MaxUnpackedBytes)
            {
                throw new RefusedException(Problems.Of(StatusCodes.Status413PayloadTooLarge, "archive-too-large",
                    $"Unpacked, the archive is larger than {_limits.MaxUnpackedBytes:N0} bytes; send its files in several archives."));
            }

            yield return file;
        }
    }

    public ValueTask DisposeAsync() => _spool.DisposeAsync();
}
