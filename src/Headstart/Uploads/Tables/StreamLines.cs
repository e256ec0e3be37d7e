using System.Runtime.CompilerServices;

namespace Headstart.Uploads.Tables;

/// <param name="Number">From 1.</param>
/// <param name="Bytes">Without the line ending; for a line that is too long, its beginning.</param>
internal readonly record struct StreamLine(int Number, ReadOnlyMemory<byte> Bytes, bool TooLong)
{
    /// <exception cref="RefusedException">The first line shows that the file is UTF-16.</exception>
    public void RefuseUtf16()
    {
        if (Number == 1 && Bytes.Span is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] or [0, not 0, ..] or [not 0, 0, not 0, 0, ..])
        {
            throw RefusedException.Invalid("invalid-utf8", "The file is UTF-16; save it as UTF-8 and send it again.");
        }
    }
}

/// <summary>Reads the lines of a stream one at a time, so memory holds one line.</summary>
internal static class StreamLines
{
    private const int Beginning = 16;

    /// <param name="body">Read from its current position.</param>
    /// <param name="maxBytes">Limit for one line, in bytes.</param>
    public static async IAsyncEnumerable<StreamLine> ReadAsync(Stream body, int maxBytes, [EnumeratorCancellation] CancellationToken cancel)
    {
        var window = new StreamWindow(body);
        var number = 0;
        byte[]? beginning = null; // beginning of a line that is too long
        while (!window.Ended || window.Length > 0)
        {
            var end = window.Bytes.IndexOf((byte)'\n');
            if (end < 0 && window.Length > maxBytes)
            {
                beginning ??= window.Bytes[..Math.Min(Beginning, window.Length)].ToArray();
                window.Pass(window.Length); // skip to the end of the line without buffering it
            }
            else if (end < 0 && !window.Ended)
            {
                await window.ReadOnAsync(cancel);
            }
            else
            {
                var line = window.Bytes[..(end < 0 ? window.Length : end)];
                var tooLong = beginning is not null || line.Length > maxBytes;
                var bytes = beginning ?? line.ToArray();
                window.Pass(end < 0 ? window.Length : end + 1);
                beginning = null;
                yield return new(++number, bytes, tooLong);
            }
        }
    }
}
