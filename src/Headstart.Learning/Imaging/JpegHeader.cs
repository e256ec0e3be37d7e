using System.Buffers.Binary;

namespace Headstart.Learning.Imaging;

/// <summary>The header of an ordinary JPEG: 8-bit grey or three colours, baseline or progressive Huffman coding, without a colour profile
/// or with the usual sRGB. Cameras, phones and websites write hardly anything else; unusual files are left to libvips.</summary>
/// <param name="Width">Pixels across, as stored.</param>
/// <param name="Height">Pixels down, as stored.</param>
/// <param name="Orientation">EXIF tag 0x0112, 1 to 8.</param>
internal sealed record JpegHeader(int Width, int Height, int Orientation)
{
    /// <summary>The limit of libvips: each scan of a progressive file is a pass over the whole image, so thousands are an attack.</summary>
    private const int MostScans = 100;

    private const int EndOfImage = 0xD9, StartOfScan = 0xDA, Exif = 0xE1, Profile = 0xE2;

    /// <summary>The header of the upright image.</summary>
    public ImageHeader Upright => ImageHeader.Upright(Width, Height, Orientation);

    /// <returns>null for anything that is not ordinary, or not a JPEG.</returns>
    public static JpegHeader? OfOrdinary(ReadOnlySpan<byte> file)
    {
        if (file is not [0xFF, 0xD8, 0xFF, ..])
        {
            return null;
        }

        var (at, width, height, orientation, profiles) = (2, 0, 0, 0, 0);
        while (at + 4 <= file.Length && file[at] == 0xFF)
        {
            var mark = file[at + 1];
            var length = BinaryPrimitives.ReadUInt16BigEndian(file[(at + 2)..]);
            if (mark is < 0xC0 or (>= 0xD0 and <= EndOfImage) or 0xFF || length < 2 || at + 2 + length > file.Length)
            {
                return null;
            }

            var segment = file.Slice(at + 4, length - 2);
            switch (mark)
            {
                case 0xC0 or 0xC1 or 0xC2:
                    if (width > 0 || segment is not [8, _, _, _, _, 1 or 3, ..])
                    {
                        return null;
                    }

                    height = BinaryPrimitives.ReadUInt16BigEndian(segment[1..]);
                    width = BinaryPrimitives.ReadUInt16BigEndian(segment[3..]);
                    break;
                case not (0xC4 or 0xCC) and <= 0xCF: // lossless, differential or arithmetic coding
                    return null;
                case Exif when segment.StartsWith("Exif"u8):
                    if (orientation > 0 || (orientation = OfExif(segment)) == 0)
                    {
                        return null;
                    }

                    break;
                case Profile when segment.StartsWith("ICC_PROFILE\0"u8):
                    if (++profiles > 1 || segment is not [_, _, _, _, _, _, _, _, _, _, _, _, 1, 1, ..] || !ImageSource.IsSrgb(segment))
                    {
                        return null;
                    }

                    break;
                case StartOfScan:
                    return width > 0 && height > 0 && file[at..].Count([(byte)0xFF, (byte)StartOfScan]) <= MostScans
                        ? new(width, height, Math.Max(1, orientation)) : null;
            }

            at += 2 + length;
        }

        return null;
    }

    /// <returns>0 if it is not plainly written.</returns>
    private static int OfExif(ReadOnlySpan<byte> segment)
    {
        const int Tag = 0x0112, Short = 3;
        if (segment is not [_, _, _, _, 0, 0, ..])
        {
            return 0;
        }

        return TiffEntry.Read(segment[6..], out var isWhole).FindAll(entry => entry.Tag == Tag) switch
        {
            [] when isWhole => 1,
            [{ Type: Short, Count: 1, Value: >= 1 and <= 8 } only] when isWhole => (int)only.Value,
            _ => 0,
        };
    }
}
