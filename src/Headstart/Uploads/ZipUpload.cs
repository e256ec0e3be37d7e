using System.Runtime.CompilerServices;
using Headstart.Operations;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Headstart.Uploads;

/// <param name="MaxFiles">Files in the archive.</param>
/// <param name="MaxFileBytes">Of one file, unpacked.</param>
/// <param name="MaxUnpackedBytes">Of all files together, unpacked.</param>
public sealed record ZipLimits(int MaxFiles, int MaxFileBytes, long MaxUnpackedBytes);

/// <summary>Files out of an archive that is the body of a request, see <see cref="Archive"/>. It is spooled, as its directory is at its end.</summary>
public sealed class ZipUpload : IAsyncDisposable
{
    private readonly Stream _spool;
    private readonly ZipLimits _limits;

    private ZipUpload(Stream spool, ZipLimits limits) => (_spool, _limits) = (spool, limits);

    /// <summary>Why the archive as a whole is refused; known when <see cref="ReadAsync(CancellationToken)"/> has ended.</summary>
    public ProblemHttpResult? Refusal { get; private set; }

    /// <summary>Takes the body in.</summary>
    /// <param name="body">The archive; whoever calls has limited its length.</param>
    /// <param name="folder">Where it lies meanwhile, see <see cref="Spool"/>.</param>
    /// <param name="limits">What to read of it.</param>
    /// <param name="cancel">Ends the reading.</param>
    public static async Task<ZipUpload> SpoolAsync(Stream body, string folder, ZipLimits limits, CancellationToken cancel) =>
        new((await Spool.TakeAsync(body, folder, long.MaxValue, cancel))!, limits);

    /// <summary>The files in the order of the archive's directory. Look at <see cref="Refusal"/> afterwards.</summary>
    public async IAsyncEnumerable<UploadedFile> ReadAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        using var archive = Archive.Open(_spool, _limits.MaxFiles, out var tooMany);
        if (archive is null)
        {
            Refusal = tooMany
                ? Problems.Of(StatusCodes.Status413PayloadTooLarge, "too-many-files",
                    $"An archive may have {_limits.MaxFiles:N0} files; send the others in another one.")
                : Problems.Invalid("not-a-zip", "The body is not a zip archive, or it is damaged or broke off; make it anew, as zip -r photos.zip photos does.");
            yield break;
        }

        var unpacked = 0L;
        foreach (var entry in archive.Files)
        {
            var file = await Archive.ReadAsync(entry, _limits.MaxFileBytes, cancel);
            unpacked += file.Bytes?.Length ?? (file.Unusable?.Reason == "too-large" ? _limits.MaxFileBytes : 0);
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
}
