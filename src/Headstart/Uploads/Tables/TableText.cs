using System.Text;

namespace Headstart.Uploads.Tables;

/// <summary>
/// A spreadsheet's table converted to UTF-8 with LF or CRLF, from UTF-8 with or without a byte order mark, UTF-16 or the code page of the
/// sender's system. Handles Excel's first line <c>sep=;</c> and the line ends of old Macintoshes.
/// </summary>
/// <param name="Utf8">Starts at the header; closing it leaves the body open.</param>
/// <param name="Separator">Separator of the columns; null if the header has only one.</param>
internal sealed record TableText(Stream Utf8, char? Separator) : IAsyncDisposable
{
    private const int HeadBytes = 1 << 14;

    private static readonly char[] Separators = [',', ';', '\t', '|'];

    /// <param name="body">Seekable, read from its current position.</param>
    /// <exception cref="RefusedException">Its encoding is not certain, or it is not text.</exception>
    public static async Task<TableText> OpenAsync(Stream body, CancellationToken cancel)
    {
        var start = body.Position;
        var form = await TextForm.OfAsync(body, TextForm.Table, cancel);
        var head = await HeadAsync(form.Open(body, start), cancel);
        var skip = 0;
        char? separator = null;
        var (line, next) = FirstLine(head);
        if (line.StartsWith("sep=", StringComparison.OrdinalIgnoreCase) && line.Length is 5 or 4)
        {
            separator = line.Length == 5 ? line[4] : '\t'; // Excel takes a tab for it and trims it
            skip = next;
            (line, _) = FirstLine(head.AsSpan(next));
        }

        var utf8 = form.Open(body, start);
        if (skip > 0)
        {
            await utf8.ReadExactlyAsync(new byte[skip], cancel);
        }

        return new(utf8, separator ?? SeparatorOf(line));
    }

    public ValueTask DisposeAsync() => Utf8.DisposeAsync();

    /// <summary>The separator that yields the most known columns of the header; the first one in it if none does.</summary>
    private static char? SeparatorOf(string header)
    {
        var there = Separators.Where(header.Contains).OrderByDescending(Named).ThenBy(separator => header.IndexOf(separator)).ToList();
        return there.Count == 0 ? null : there[0];

        int Named(char separator) => ColumnNames.Find([.. header.Split(separator).Select(name => name.Trim().Trim('"'))]).Count;
    }

    private static (string Line, int Next) FirstLine(ReadOnlySpan<byte> head)
    {
        var end = head.IndexOfAny((byte)'\n', (byte)'\r');
        return end < 0 ? (Encoding.UTF8.GetString(head), head.Length)
            : (Encoding.UTF8.GetString(head[..end]), end + (head[end..].StartsWith("\r\n"u8) ? 2 : 1));
    }

    private static async Task<byte[]> HeadAsync(Stream utf8, CancellationToken cancel)
    {
        var head = new byte[HeadBytes];
        await using (utf8)
        {
            return head[..await utf8.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancel)];
        }
    }
}
