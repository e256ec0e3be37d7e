using System.Text;
using Headstart.Operations;

namespace Headstart.Uploads;

/// <summary>
/// A table as spreadsheets write it, made into UTF-8 with LF or CRLF: UTF-8 with or without its mark, UTF-16, the code page of the sender's
/// system, a first line <c>sep=;</c> for Excel, the line ends of old Macintoshes.
/// </summary>
/// <param name="Utf8">From the header; closing it leaves the body open.</param>
/// <param name="Separator">Of the columns; null if the header has only one.</param>
internal sealed record TableText(Stream Utf8, char? Separator) : IAsyncDisposable
{
    private const int HeadBytes = 1 << 14;
    private const int SampleBytes = 1 << 20;
    private const int LongestLine = 1 << 16;

    private static readonly char[] Separators = [',', ';', '\t', '|'];

    /// <param name="body">Seekable, from its current position.</param>
    /// <param name="cancel">Ends the reading.</param>
    /// <exception cref="RefusedException">It is in an encoding that is not certain, or not text.</exception>
    public static async Task<TableText> OpenAsync(Stream body, CancellationToken cancel)
    {
        var start = body.Position;
        var form = await Form.OfAsync(body, cancel);
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

    /// <summary>The separator by which the header names most columns; the first one in it if none names any.</summary>
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

    /// <summary>How a table is written.</summary>
    /// <param name="Encoding">Null for UTF-8.</param>
    /// <param name="Mark">Bytes of the byte order mark.</param>
    /// <param name="Macintosh">Whether its lines end with CR alone.</param>
    private sealed record Form(Encoding? Encoding, int Mark, bool Macintosh)
    {
        public Stream Open(Stream body, long start)
        {
            body.Position = start + Mark;
            Stream utf8 = Encoding is null ? new Borrowed(body)
                : System.Text.Encoding.CreateTranscodingStream(body, Encoding, new UTF8Encoding(false), leaveOpen: true);
            return Macintosh ? new LineFeeds(utf8) : utf8;
        }

        /// <summary>Reads the body once.</summary>
        public static async Task<Form> OfAsync(Stream body, CancellationToken cancel)
        {
            var (start, buffer, sample) = (body.Position, new byte[1 << 16], new Sample());
            var first = true;
            for (int read; (read = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancel)) > 0;)
            {
                var bytes = buffer.AsMemory(0, read);
                if (first && Marked(bytes.Span) is { } marked)
                {
                    return marked with { Macintosh = IsMacintosh(marked.Encoding!.GetString(bytes.Span)) };
                }

                first = false;
                sample.Add(bytes.Span);
            }

            body.Position = start;
            return sample.Form();
        }

        /// <returns>The form that the beginning shows by itself; null if the bytes must be looked at.</returns>
        private static Form? Marked(ReadOnlySpan<byte> bytes) =>
            bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) ? new(System.Text.Encoding.Unicode, 2, false)
            : bytes.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]) ? new(System.Text.Encoding.BigEndianUnicode, 2, false)
            : bytes.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]) ? throw RefusedException.Invalid("compressed", "The table is compressed "
                + "with gzip; unpack it, or send it as the whole body with Content-Encoding: gzip.")
            : WithoutMark(bytes);

        /// <summary>UTF-16 without a mark: in a header, nearly every other byte is zero.</summary>
        private static Form? WithoutMark(ReadOnlySpan<byte> bytes)
        {
            var (even, odd, pairs) = (0, 0, Math.Min(bytes.Length, 400) / 2);
            for (var i = 0; i < pairs; i++)
            {
                even += bytes[2 * i] == 0 ? 1 : 0;
                odd += bytes[2 * i + 1] == 0 ? 1 : 0;
            }

            return pairs < 4 || (even == 0) == (odd == 0) ? null : odd > pairs / 3 ? new(System.Text.Encoding.Unicode, 0, false)
                : even > pairs / 3 ? new(System.Text.Encoding.BigEndianUnicode, 0, false) : null;
        }

        private static bool IsMacintosh(string text) =>
            !text.Contains('\n', StringComparison.Ordinal) && text.Contains('\r', StringComparison.Ordinal);
    }

    /// <summary>What is seen of a table without mark while it passes by.</summary>
    private sealed class Sample
    {
        private readonly List<byte[]> _lines = []; // with bytes from 0x80
        private readonly List<byte> _line = [];
        private long _kept;
        private bool _valid = true, _anyUtf8, _feeds, _returns, _marked, _begun;

        public void Add(ReadOnlySpan<byte> bytes)
        {
            _marked |= !_begun && bytes.StartsWith("\uFEFF"u8);
            _begun = true;
            foreach (var value in bytes)
            {
                if (value is (byte)'\n' or (byte)'\r')
                {
                    _feeds |= value == '\n';
                    _returns |= value == '\r';
                    End();
                }
                else if (_line.Count < LongestLine)
                {
                    _line.Add(value);
                }
            }
        }

        public Form Form()
        {
            End();
            var macintosh = _returns && !_feeds;
            // A table with a few rows in another encoding is UTF-8: those rows are refused, the others are not.
            return _valid || _marked || _anyUtf8 ? new(null, _marked ? 3 : 0, macintosh)
                : CodePages.OfTable(_lines, macintosh) is { } encoding ? new(encoding, 0, macintosh)
                : throw RefusedException.Invalid("unknown-encoding", "The table is not in UTF-8, and its encoding cannot be told from its "
                    + "words. Save it as \"CSV UTF-8\" (in Excel: Save as, file type CSV UTF-8) and send it again.");
        }

        private void End()
        {
            if (_line.Exists(value => value >= 0x80))
            {
                var line = _line.ToArray();
                var valid = System.Text.Unicode.Utf8.IsValid(line);
                (_valid, _anyUtf8) = (_valid && valid, _anyUtf8 || valid);
                if (_kept < SampleBytes)
                {
                    _lines.Add(line);
                    _kept += line.Length;
                }
            }

            _line.Clear();
        }
    }

    /// <summary>Closing it leaves the inner stream open.</summary>
    private class Borrowed(Stream inner) : ForwardStream
    {
        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            inner.ReadAsync(buffer, cancellationToken);
    }

    /// <summary>LF in place of each CR.</summary>
    private sealed class LineFeeds(Stream inner) : Borrowed(inner)
    {
        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = base.Read(buffer, offset, count);
            buffer.AsSpan(offset, read).Replace((byte)'\r', (byte)'\n');
            return read;
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await base.ReadAsync(buffer, cancellationToken);
            buffer.Span[..read].Replace((byte)'\r', (byte)'\n');
            return read;
        }
    }
}
