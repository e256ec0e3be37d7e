using System.Text;
using Headstart.Learning.Imaging;

namespace Headstart.Uploads.Tables;

/// <summary>The encoding of a table, or of a file with a text per line: UTF-8, UTF-16 or the code page of the sender's
/// system.</summary>
/// <param name="Encoding">null for UTF-8.</param>
/// <param name="Mark">Length of the byte order mark in bytes.</param>
/// <param name="Macintosh">Whether its lines end with CR alone.</param>
internal sealed record TextForm(Encoding? Encoding, int Mark, bool Macintosh)
{
    /// <summary>The word for a table in sentences.</summary>
    public const string Table = "table";

    private const int SampleBytes = 1 << 20;
    private const int LongestLine = 1 << 16;

    /// <summary>Converts it to UTF-8 with LF or CRLF and without a byte order mark; closing it leaves the body open.</summary>
    public Stream Open(Stream body, long start)
    {
        body.Position = start + Mark;
        Stream utf8 = Encoding is null ? new Borrowed(body)
            : System.Text.Encoding.CreateTranscodingStream(body, Encoding, new UTF8Encoding(false), leaveOpen: true);
        return Macintosh ? new LineFeeds(utf8) : utf8;
    }

    /// <summary>Detects the encoding by reading the body once.</summary>
    /// <param name="body">Seekable, read from its current position; it stays open.</param>
    /// <param name="what">The word for it in sentences: table or file.</param>
    /// <exception cref="RefusedException">Its encoding is not certain, or it is not text.</exception>
    public static async Task<TextForm> OfAsync(Stream body, string what, CancellationToken cancel)
    {
        var (start, buffer, sample) = (body.Position, new byte[1 << 16], new Sample());
        var first = true;
        for (int read; (read = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancel)) > 0;)
        {
            var bytes = buffer.AsMemory(0, read);
            if (first && Marked(bytes.Span, what) is { } marked)
            {
                return marked with { Macintosh = IsMacintosh(marked.Encoding!.GetString(bytes.Span)) };
            }

            first = false;
            sample.Add(bytes.Span);
        }

        body.Position = start;
        return sample.Form(what);
    }

    /// <returns>The encoding if the beginning shows it; otherwise null.</returns>
    private static TextForm? Marked(ReadOnlySpan<byte> bytes, string what) =>
        bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) ? new(System.Text.Encoding.Unicode, 2, false)
        : bytes.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]) ? new(System.Text.Encoding.BigEndianUnicode, 2, false)
        : bytes.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]) ? throw RefusedException.Invalid("compressed", $"The {what} is compressed "
            + "with gzip; unpack it, or send it as the whole body with Content-Encoding: gzip.")
        : FileKind.Of(bytes) is { } kind ? throw RefusedException.Invalid("not-text", $"The {what} is {kind}; save it as "
            + $"{Text(what)} and send that.")
        : WithoutMark(bytes);

    /// <summary>UTF-16 without a byte order mark: in a header, nearly every other byte is zero; in lines of another alphabet, those of
    /// blanks are, and the others are nearly always equal.</summary>
    private static TextForm? WithoutMark(ReadOnlySpan<byte> bytes)
    {
        var (even, odd, pairs) = (0, 0, Math.Min(bytes.Length, 400) / 2);
        var (evens, odds) = (new HashSet<byte>(), new HashSet<byte>());
        for (var i = 0; i < pairs; i++)
        {
            evens.Add(bytes[2 * i]);
            odds.Add(bytes[2 * i + 1]);
            even += bytes[2 * i] == 0 ? 1 : 0;
            odd += bytes[2 * i + 1] == 0 ? 1 : 0;
        }

        return pairs < 4 || (even == 0) == (odd == 0) ? null
            : odd > pairs / 3 || (odd > 1 && odds.Count < 4) ? new(System.Text.Encoding.Unicode, 0, false)
            : even > pairs / 3 || (even > 1 && evens.Count < 4) ? new(System.Text.Encoding.BigEndianUnicode, 0, false) : null;
    }

    private static string Text(string what) =>
        what == Table ? "\"CSV UTF-8\" (in Excel: Save as, file type CSV UTF-8)" : "plain text in UTF-8";

    private static bool IsMacintosh(string text) =>
        !text.Contains('\n', StringComparison.Ordinal) && text.Contains('\r', StringComparison.Ordinal);

    /// <summary>Samples a table without a byte order mark while it is read.</summary>
    private sealed class Sample
    {
        private readonly List<byte[]> _lines = []; // lines with bytes above 0x7F
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

        public TextForm Form(string what)
        {
            End();
            var macintosh = _returns && !_feeds;
            // A table with a few rows in another encoding counts as UTF-8: those rows are refused, the others are not.
            return _valid || _marked || _anyUtf8 ? new(null, _marked ? 3 : 0, macintosh)
                : CodePages.OfTable(_lines, macintosh) is { } encoding ? new(encoding, 0, macintosh)
                : throw RefusedException.Invalid("unknown-encoding", $"The {what} is not in UTF-8, and its encoding cannot be detected. "
                    + $"Save it as {Text(what)} and send it again.");
        }

        private void End()
        {
            if (_line.Exists(value => value >= 0x80))
            {
                var line = _line.GetRange(0, _line.Count < LongestLine ? _line.Count : WholeCharacters()).ToArray();
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

        /// <summary>Length of a cut line without the bytes of an incomplete last character.</summary>
        private int WholeCharacters()
        {
            var end = _line.Count;
            while (end > 0 && (_line[end - 1] & 0xC0) == 0x80)
            {
                end--;
            }

            return end > 0 && _line[end - 1] >= 0xC0 ? end - 1 : end;
        }
    }

    /// <summary>Closing it leaves the inner stream open.</summary>
    private class Borrowed(Stream inner) : ForwardStream
    {
        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            inner.ReadAsync(buffer, cancellationToken);
    }

    /// <summary>Replaces each CR by LF.</summary>
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
