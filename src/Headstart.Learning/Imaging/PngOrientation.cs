using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;
using System.Text.RegularExpressions;

namespace Headstart.Learning.Imaging;

/// <summary>The orientation of a PNG. Its own EXIF chunk, <c>eXIf</c>, is younger than many programs: ImageMagick writes EXIF as hex digits
/// in a text chunk, others write XMP. libvips reads only the chunk, so one with the same orientation is added.</summary>
internal static partial class PngOrientation
{
    private const int Signature = 8;
    private const int HeaderEnd = Signature + 25; // IHDR is always first and has 13 bytes
    private const int LongestText = 1 << 18; // uncompressed
    private const int MostTexts = 4; // that are read: a file can have a million, each of which takes memory

    /// <returns>The file with the chunk; the same array if it already has one, or if its texts give no orientation.</returns>
    public static byte[] Mend(byte[] png)
    {
        int? found = null;
        var texts = 0;
        for (var at = Signature; at + 12 <= png.Length;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(at));
            if (length < 0 || length > png.Length - at - 12)
            {
                break;
            }

            var kind = png.AsSpan(at + 4, 4);
            if (kind.SequenceEqual("eXIf"u8))
            {
                return png;
            }

            if (kind[1..].SequenceEqual("EXt"u8) || kind[1..].SequenceEqual("TXt"u8))
            {
                found ??= OfText((char)kind[0], png.AsSpan(at + 8, length), ref texts);
            }

            at += 12 + length;
        }

        return found is >= 2 and <= 8 && png.Length > HeaderEnd
            ? [.. png.AsSpan(0, HeaderEnd), .. Chunk((byte)found), .. png.AsSpan(HeaderEnd)] : png;
    }

    /// <param name="kind">t for plain text, z for compressed text, i for UTF-8 (PNG, third edition, 11.3.3).</param>
    /// <param name="data">The keyword, a NUL, the text.</param>
    /// <param name="texts">How many have been read.</param>
    private static int? OfText(char kind, ReadOnlySpan<byte> data, ref int texts)
    {
        var end = data.IndexOf((byte)0);
        var keyword = end < 0 ? data : data[..end];
        var rest = end < 0 ? [] : data[(end + 1)..];
        var isXmp = keyword.SequenceEqual("XML:com.adobe.xmp"u8);
        if (!isXmp && !keyword.SequenceEqual("Raw profile type exif"u8) && !keyword.SequenceEqual("Raw profile type APP1"u8)
            || texts++ >= MostTexts)
        {
            return null;
        }

        var packed = kind == 'z' || (kind == 'i' && rest is [1, ..]);
        rest = kind switch
        {
            'z' => rest is [0, ..] ? rest[1..] : [],
            'i' => rest.Length > 2 ? AfterNul(AfterNul(rest[2..])) : [],
            _ => rest,
        };
        var text = packed ? Unpack(rest) : Encoding.UTF8.GetString(rest[..Math.Min(rest.Length, LongestText)]);
        return isXmp ? OfXmp(text) : OfHex(text);
    }

    private static ReadOnlySpan<byte> AfterNul(ReadOnlySpan<byte> bytes) => bytes[(bytes.IndexOf((byte)0) + 1)..];

    private static string Unpack(ReadOnlySpan<byte> packed)
    {
        var text = new byte[LongestText];
        try
        {
            using var stream = new ZLibStream(new MemoryStream(packed.ToArray()), CompressionMode.Decompress);
            return Encoding.UTF8.GetString(text, 0, stream.ReadAtLeast(text, text.Length, throwOnEndOfStream: false));
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException) // a ZLibException is the latter
        {
            return "";
        }
    }

    private static int? OfXmp(string xmp) =>
        XmpOrientation().Match(xmp) is { Success: true } match ? match.Groups[1].ValueSpan[0] - '0' : null;

    /// <summary>A line with the name, a line with the length, then lines of hex digits.</summary>
    private static int? OfHex(string profile)
    {
        var lines = profile.TrimStart('\n').Split('\n', 3);
        var digits = lines.Length < 3 ? "" : string.Concat(lines[2].Where(char.IsAsciiHexDigit));
        ReadOnlySpan<byte> exif = Convert.FromHexString(digits.AsSpan(0, digits.Length & ~1));
        return OfExif(exif.StartsWith("Exif\0\0"u8) ? exif[6..] : exif);
    }

    private static int? OfExif(ReadOnlySpan<byte> tiff) =>
        TiffEntry.Read(tiff, out _).Find(entry => entry.Tag == 0x0112) is { Value: > 0 } found ? (int)found.Value : null;

    /// <summary>An <c>eXIf</c> chunk that contains only the orientation.</summary>
    private static byte[] Chunk(byte orientation)
    {
        byte[] chunk =
        [
            0, 0, 0, 26, .. "eXIf"u8, // length, kind
            .. "MM"u8, 0, 42, 0, 0, 0, 8, 0, 1, // one entry
            0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, // one short
            0, 0, 0, 0, // no further directory
            0, 0, 0, 0,
        ];
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(^4..), Crc32.HashToUInt32(chunk.AsSpan(4..^4)));
        return chunk;
    }

    [GeneratedRegex("""tiff:Orientation\s*(?:=\s*["']|>\s*)([1-8])""", RegexOptions.CultureInvariant)]
    private static partial Regex XmpOrientation();
}
