using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Unicode;
using Headstart.Images;

namespace Headstart.Texts;

/// <summary>A line without its end, or why it could not be read.</summary>
internal readonly record struct Utf8Line(int Number, string Text, (string Reason, string Detail)? Problem);

/// <summary>The lines of a stream, one at a time: memory holds one of them.</summary>
internal static class Utf8Lines
{
    /// <summary>Lines that have something in them.</summary>
    /// <param name="body">From its current position.</param>
    /// <param name="maxBytes">That a line may have.</param>
    /// <param name="cancel">Ends the reading.</param>
    /// <exception cref="UploadRefusedException">This is another encoding.</exception>
    public static async IAsyncEnumerable<Utf8Line> ReadAsync(Stream body, int maxBytes, [EnumeratorCancellation] CancellationToken cancel)
    {
        var window = new StreamWindow(body);
        var (number, tooLong) = (0, false);
        while (!window.Ended || window.Length > 0)
        {
            RefuseOtherEncodings(number, window.Bytes);
            var end = window.Bytes.IndexOf((byte)'\n');
            if (end < 0 && window.Length > maxBytes)
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
                var line = Read(number, window.Bytes[..(end < 0 ? window.Length : end)], maxBytes, tooLong);
                window.Pass(end < 0 ? window.Length : end + 1);
                tooLong = false;
                if (line.Problem is not null || line.Text.Length > 0)
                {
                    yield return line;
                }
            }
        }
    }

    private static Utf8Line Read(int number, ReadOnlySpan<byte> line, int maxBytes, bool tooLong) =>
        tooLong || line.Length > maxBytes ? new(number, "", ("too-large", $"Line {number} has more than {maxBytes:N0} bytes; send the part of the text that says what it is about."))
        : !Utf8.IsValid(line) ? new(number, "", ("invalid-utf8", $"Line {number} is not valid UTF-8; save the file as UTF-8 and send it again."))
        : new(number, Encoding.UTF8.GetString(line).TrimEnd('\r'), null);

    private static void RefuseOtherEncodings(int number, ReadOnlySpan<byte> start)
    {
        if (number == 0 && (start.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) || start.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF])))
        {
            throw UploadRefusedException.Invalid("invalid-utf8", "The file is UTF-16, as some programs save text; save it as UTF-8 and send it again.");
        }
    }
}
