using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Unicode;

namespace Headstart.Uploads.Tables;

/// <summary>A line without its line ending, or why it could not be read.</summary>
internal readonly record struct Utf8Line(int Number, string Text, (string Reason, string Detail)? Problem);

/// <summary>The non-empty lines of a stream, as text.</summary>
internal static class Utf8Lines
{
    /// <param name="body">Read from its current position.</param>
    /// <param name="maxBytes">Limit for one line, in bytes.</param>
    /// <exception cref="Errors.RefusedException">The body is not UTF-8.</exception>
    public static async IAsyncEnumerable<Utf8Line> ReadAsync(Stream body, int maxBytes, [EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var line in StreamLines.ReadAsync(body, maxBytes, cancel))
        {
            line.RefuseUtf16();
            var read = Read(line, maxBytes);
            if (read.Problem is not null || read.Text.Length > 0)
            {
                yield return read;
            }
        }
    }

    private static Utf8Line Read(StreamLine line, int maxBytes) => line.TooLong
            ? new(line.Number, "", ("too-large", $"Line {line.Number} has more than {maxBytes:N0} bytes; send the most relevant part of "
                + "the text."))
        : !Utf8.IsValid(line.Bytes.Span) ? new(line.Number, "",
            ("invalid-utf8", $"Line {line.Number} is not valid UTF-8; save the file as UTF-8 and send it again."))
        : new(line.Number, Encoding.UTF8.GetString(line.Bytes.Span).TrimEnd('\r'), null);
}
