using System.Runtime.CompilerServices;
using Headstart.Uploads.Files;
using Headstart.Uploads.Tables;

namespace Headstart.Uploads.Manifests;

/// <summary>
/// The images of a JSON Lines manifest, one object per line. An unreadable line becomes a refused row; reading continues.
/// </summary>
internal static class LineRows
{
    /// <param name="body">Read from its current position.</param>
    /// <param name="maxRowBytes">Limit for one line, in bytes.</param>
    /// <exception cref="Errors.RefusedException">The body is UTF-16.</exception>
    public static async IAsyncEnumerable<ManifestRow> ReadAsync(Stream body, int maxRowBytes,
        [EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var line in StreamLines.ReadAsync(body, maxRowBytes, cancel))
        {
            line.RefuseUtf16();
            if (Read(line, maxRowBytes) is { } row)
            {
                yield return row;
            }
        }
    }

    private static ManifestRow? Read(StreamLine line, int maxRowBytes) =>
        line.TooLong ? ManifestRow.Not("row-too-long",
            $"Line {line.Number} is longer than {maxRowBytes:N0} bytes; send a smaller version of the image.")
        : line.Bytes.Span.Trim(" \t\r"u8).IsEmpty ? null
        : JsonRows.Parse(line.Bytes.Span, $"Line {line.Number}");
}
