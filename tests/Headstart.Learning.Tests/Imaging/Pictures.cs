using System.Buffers.Binary;
using System.Text;
using Headstart.Learning.Native;
using NetVips;

namespace Headstart.Learning.Tests.Imaging;

/// <summary>Small images made for a test.</summary>
internal static class Pictures
{
    /// <summary>One colour, in as many bands as there are values.</summary>
    public static Image Plain(int width, int height, params double[] colour)
    {
        VipsRuntime.EnsureLoaded();
        using var black = Image.Black(width, height, colour.Length);
        using var image = black + colour;
        using var bytes = image.Cast(Enums.BandFormat.Uchar);
        return bytes.Copy(interpretation: colour.Length < 3 ? Enums.Interpretation.Bw : Enums.Interpretation.Srgb);
    }

    public static byte[] Jpeg(int width, int height, params double[] colour)
    {
        using var image = Plain(width, height, colour);
        return image.JpegsaveBuffer();
    }

    public static byte[] Png(int width, int height, params double[] colour)
    {
        using var image = Plain(width, height, colour);
        return image.PngsaveBuffer();
    }

    /// <summary>A JPEG whose header claims another size than it has.</summary>
    public static byte[] JpegClaiming(ushort width, ushort height)
    {
        var jpeg = Jpeg(16, 16, 10, 20, 30);
        var frame = jpeg.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xC0]);
        BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(frame + 5), height);
        BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(frame + 7), width);
        return jpeg;
    }

    /// <summary>A PNG whose header claims another size than it has, its checksum put right.</summary>
    public static byte[] PngClaiming(int width, int height)
    {
        var png = Png(16, 16, 10, 20, 30);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), width);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), height);
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), Crc32(png.AsSpan(12, 17)));
        return png;
    }

    /// <summary>With a text chunk behind its header.</summary>
    public static byte[] PngSaying(byte[] png, string keyword, string text) =>
        PngWith(png, "tEXt", Encoding.ASCII.GetBytes($"{keyword}\0{text}"));

    /// <summary>With a chunk behind its header.</summary>
    public static byte[] PngWith(byte[] png, string kind, byte[] data)
    {
        byte[] chunk = [0, 0, 0, 0, .. Encoding.ASCII.GetBytes(kind), .. data, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(chunk, chunk.Length - 12);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(^4..), Crc32(chunk.AsSpan(4..^4)));
        return [.. png.AsSpan(0, 33), .. chunk, .. png.AsSpan(33)];
    }

    private static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) == 0 ? crc >> 1 : crc >> 1 ^ 0xEDB88320;
            }
        }

        return ~crc;
    }
}
