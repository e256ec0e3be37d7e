using System.Buffers.Binary;

namespace Headstart.Learning.Imaging;

/// <summary>Recognises the accepted formats by their first bytes; file names and declared types are never trusted.</summary>
public static class ImageFormat
{
    /// <summary>The accepted formats, for messages.</summary>
    public const string Names = "JPEG, PNG, WebP, GIF, TIFF, AVIF, HEIC, BMP, JPEG 2000 or JPEG XL";

    /// <summary>The <c>accept</c> attribute of file inputs. Systems hide files of types that they do not know, so newer formats are also
    /// listed by extension.</summary>
    public const string Accept = "image/*,.heic,.heif,.avif,.jp2,.j2k,.jxl,.bmp,.tif,.tiff";

    /// <summary>The media types of the accepted formats.</summary>
    public static IReadOnlyList<string> MediaTypes { get; } = [Jpeg, Png, WebP, Gif, Tiff, Avif, Heic, Bmp, Jp2, J2k, Jxl];

    internal const string Jpeg = "image/jpeg";
    internal const string Png = "image/png";
    internal const string Tiff = "image/tiff";
    internal const string Gif = "image/gif";
    internal const string Heic = "image/heic";
    internal const string Bmp = "image/bmp";
    internal const string Jp2 = "image/jp2";
    internal const string J2k = "image/j2c";
    internal const string Jxl = "image/jxl";
    internal const string WebP = "image/webp";
    private const string Avif = "image/avif";

    /// <summary>Whether decoding holds all pixels in memory at once, some of them more than once.</summary>
    internal static bool IsDecodedWhole(string mediaType) => mediaType is Heic or Avif or Bmp or Jp2 or J2k or Jxl or Gif;

    /// <returns>The media type, or null for formats that are not accepted.</returns>
    internal static string? MediaType(ReadOnlySpan<byte> bytes) => bytes switch
    {
        [0xFF, 0xD8, 0xFF, ..] => Jpeg,
        [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => Png,
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] => WebP,
        [(byte)'G', (byte)'I', (byte)'F', (byte)'8', (byte)'7' or (byte)'9', (byte)'a', ..] => Gif,
        [(byte)'I', (byte)'I', 0x2A or 0x2B, 0, ..] => Tiff,
        [(byte)'M', (byte)'M', 0, 0x2A or 0x2B, ..] => Tiff,
        [0, 0, _, _, (byte)'f', (byte)'t', (byte)'y', (byte)'p', _, _, _, _, ..] => OfBrands(bytes),
        [0, 0, 0, 12, (byte)'j', (byte)'P', (byte)' ', (byte)' ', 0x0D, 0x0A, 0x87, 0x0A, ..] => Jp2,
        [0xFF, 0x4F, 0xFF, 0x51, ..] => J2k,
        [0, 0, 0, 12, (byte)'J', (byte)'X', (byte)'L', (byte)' ', 0x0D, 0x0A, 0x87, 0x0A, ..] => Jxl,
        [0xFF, 0x0A, _, _, ..] => Jxl,
        // 10 bytes of sizes and offsets, then the length of a header that exists (12 for OS/2, 40 to 124 for Windows)
        [(byte)'B', (byte)'M', _, _, _, _, _, _, _, _, _, _, _, _, 12 or 40 or 52 or 56 or 64 or 108 or 124, 0, 0, 0, ..] => Bmp,
        _ => null,
    };

    /// <summary>HEIF (ISO/IEC 23008-12) is a container: <c>mif1</c> only means that, so the other brands decide whether the images in it
    /// are AV1 or HEVC. Videos (<c>mp42</c>, <c>qt</c>) use the same container with other brands.</summary>
    private static string? OfBrands(ReadOnlySpan<byte> bytes)
    {
        var end = Math.Min(bytes.Length, BinaryPrimitives.ReadInt32BigEndian(bytes));
        string? found = null;
        for (var at = 8; at + 4 <= end; at = at == 8 ? 16 : at + 4)
        {
            var brand = bytes.Slice(at, 4);
            if (brand.SequenceEqual("avif"u8) || brand.SequenceEqual("avis"u8))
            {
                return Avif;
            }

            if (brand[..3].SequenceEqual("hei"u8) || brand[..3].SequenceEqual("hev"u8))
            {
                return Heic;
            }

            found = brand.SequenceEqual("mif1"u8) || brand.SequenceEqual("msf1"u8) ? Heic : found;
        }

        return found;
    }
}
