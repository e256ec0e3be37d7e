using System.Runtime.CompilerServices;

namespace Headstart.Images;

/// <summary>The images of a manifest in JSON Lines: an object a line. A line that cannot be read is a row with a refusal, and the next one is read.</summary>
internal static class LineRows
{
    /// <param name="body">From its current position.</param>
    /// <param name="maxRowBytes">That a line may have.</param>
    /// <param name="cancel">Ends the reading.</param>
    public static async IAsyncEnumerable<ManifestRow> ReadAsync(Stream body, int maxRowBytes, [EnumeratorCancellation] CancellationToken cancel)
    {
        var window = new StreamWindow(body);
        var (number, tooLong) = (0, false);
        while (!window.Ended || window.Length > 0)
        {
            var end = window.Bytes.IndexOf((byte)'\n');
            if (end < 0 && window.Length > maxRowBytes)
            {
                window.Pass(window.Length); // on to the end of the line, without holding it
                tooLong = true;
            }
            else if (end < 0 && !window.Ended)
            {
                await window.ReadOnAsync(cancel);
            }
            else
            {
                number++;
                var row = Read(window.Bytes[..(end < 0 ? window.Length : end)], $"Line {number}", maxRowBytes, tooLong);
                window.Pass(end < 0 ? window.Length : end + 1);
                tooLong = false;
                if (row is not null)
                {
                    yield return row;
                }
            }
        }
    }

    private static ManifestRow? Read(ReadOnlySpan<byte> line, string where, int maxRowBytes, bool tooLong) =>
        tooLong || line.Length > maxRowBytes
            ? ManifestRow.Not("row-too-long", $"{where} is longer than {maxRowBytes:N0} bytes; send a smaller version of the image.")
        : line.Trim(" \t\r"u8).IsEmpty ? null
        : JsonRows.Parse(line, where);
}
