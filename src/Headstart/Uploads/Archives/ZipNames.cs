using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;
using System.Text.Unicode;
using Headstart.Uploads.Tables;

namespace Headstart.Uploads.Archives;

/// <summary>
/// The names of an archive's entries. Archivers write them in UTF-8 and say so (bit 11 of the flags), add a copy in UTF-8 (Info-ZIP's
/// extra field 0x7075, with the checksum of the original name), or write them in the code page of their system. <see cref="ZipArchive"/>
/// reveals neither which nor the bytes, so the directory is read once more, only for the names (APPNOTE.TXT 4.3.12 to 4.3.16, 4.6.9).
/// </summary>
internal static class ZipNames
{
    private const int EndBytes = 22, LongestComment = 65_535, LocatorBytes = 20, HeaderBytes = 46;
    private const int InUtf8 = 0x800;
    private const ushort UnicodePath = 0x7075;

    /// <summary>The names in the order of the directory.</summary>
    /// <param name="stream">The archive, seekable.</param>
    /// <param name="entries">Opened with Latin-1 as the encoding of names.</param>
    /// <param name="encoding">Encoding of names that do not declare theirs; null if there are none, or if it is not certain.</param>
    /// <param name="uncertain">Whether the encoding of a folder's name is not certain.</param>
    /// <exception cref="InvalidDataException">The directory is damaged.</exception>
    public static IReadOnlyList<string> Read(Stream stream, IReadOnlyList<ZipArchiveEntry> entries, out Encoding? encoding,
        out bool uncertain)
    {
        var raw = Headers(stream, entries.Count);
        var names = new string?[raw.Count];
        for (var i = 0; i < names.Length; i++)
        {
            var (flagged, name, unicode) = raw[i];
            if (entries[i].FullName != (flagged ? Encoding.UTF8 : Encoding.Latin1).GetString(name))
            {
                throw new InvalidDataException("The directory was read in two ways.");
            }

            names[i] = Ascii.IsValid(name) || (flagged && Utf8.IsValid(name)) ? Encoding.UTF8.GetString(name) : unicode;
        }

        var open = raw.Where((_, i) => names[i] is null).Select(header => header.Name).ToList();
        encoding = open.Count == 0 ? null : CodePages.OfArchive(Parts(open));
        // Folder names decide what the files show; the name of a file does not matter.
        uncertain = encoding is null && open.Exists(name => !Ascii.IsValid(name.AsSpan(0, Math.Max(0, name.LastIndexOf((byte)'/')))));
        var chosen = encoding ?? Encoding.Latin1;
        return [.. names.Select((name, i) => name ?? chosen.GetString(raw[i].Name))];
    }

    /// <summary>Each folder and file once, so that many files in one folder do not outvote the others.</summary>
    private static List<byte[]> Parts(List<byte[]> names) =>
    [
        .. names.SelectMany(name => Encoding.Latin1.GetString(name).Split('/')).Distinct().Where(part => !Ascii.IsValid(part))
            .Take(10_000).Select(Encoding.Latin1.GetBytes),
    ];

    private static List<(bool Flagged, byte[] Name, string? Unicode)> Headers(Stream stream, int count)
    {
        stream.Position = StartOfDirectory(stream);
        var headers = new List<(bool, byte[], string?)>(count);
        var header = new byte[HeaderBytes];
        for (var i = 0; i < count; i++)
        {
            Fill(stream, header);
            if (!header.AsSpan().StartsWith("PK\x01\x02"u8))
            {
                throw new InvalidDataException("An entry of the directory is missing.");
            }

            var (name, extra) = (new byte[U16(header, 28)], new byte[U16(header, 30)]);
            Fill(stream, name);
            Fill(stream, extra);
            stream.Seek(U16(header, 32), SeekOrigin.Current); // the comment
            headers.Add(((U16(header, 8) & InUtf8) != 0, name, Unicode(name, extra)));
        }

        return headers;
    }

    /// <returns>null if there is no such field, or if the name was changed after it was written.</returns>
    private static string? Unicode(byte[] name, ReadOnlySpan<byte> extra)
    {
        for (; extra.Length >= 4 && U16(extra, 2) <= extra.Length - 4; extra = extra[(4 + U16(extra, 2))..])
        {
            var field = extra.Slice(4, U16(extra, 2));
            if (U16(extra, 0) == UnicodePath && field.Length > 5 && field[0] == 1
                && BinaryPrimitives.ReadUInt32LittleEndian(field[1..]) == Crc32.HashToUInt32(name) && Utf8.IsValid(field[5..]))
            {
                return Encoding.UTF8.GetString(field[5..]);
            }
        }

        return null;
    }

    private static long StartOfDirectory(Stream stream)
    {
        var tail = new byte[Math.Min(stream.Length, EndBytes + LongestComment)];
        stream.Position = stream.Length - tail.Length;
        Fill(stream, tail);
        var at = tail.AsSpan().LastIndexOf("PK\x05\x06"u8);
        if (at < 0 || at + EndBytes > tail.Length)
        {
            throw new InvalidDataException("The end of the directory is missing.");
        }

        var start = BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(at + 16));
        if (start != uint.MaxValue || at < LocatorBytes || !tail.AsSpan(at - LocatorBytes).StartsWith("PK\x06\x07"u8))
        {
            return start;
        }

        var end64 = new byte[56];
        stream.Position = Within(stream, BinaryPrimitives.ReadInt64LittleEndian(tail.AsSpan(at - LocatorBytes + 8)));
        Fill(stream, end64);
        return Within(stream, BinaryPrimitives.ReadInt64LittleEndian(end64.AsSpan(48)));
    }

    private static long Within(Stream stream, long position) =>
        position >= 0 && position < stream.Length ? position : throw new InvalidDataException("An offset points outside the archive.");

    private static void Fill(Stream stream, byte[] bytes)
    {
        if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
        {
            throw new InvalidDataException("The directory is incomplete.");
        }
    }

    private static int U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);
}
