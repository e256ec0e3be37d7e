using System.Buffers.Binary;
using System.IO.Compression;
using System.Text.Json.Nodes;
using Headstart.Learning.Native;
using NetVips;

namespace Headstart.Tests.Uploads;

/// <summary>Small images made for a test; each number is another image.</summary>
internal static class Pictures
{
    public static byte[] Jpeg(int number, int width = 32, int height = 24) => Write(number, width, height, image => image.JpegsaveBuffer());

    public static byte[] Png(int number, int width = 32, int height = 24) => Write(number, width, height, image => image.PngsaveBuffer());

    public static byte[] Write(int number, int width, int height, Func<Image, byte[]> save)
    {
        VipsRuntime.EnsureLoaded();
        using var noise = Image.Gaussnoise(width, height, sigma: 40, mean: 128, seed: number);
        using var colour = noise.Bandjoin(noise, noise);
        using var bytes = colour.Cast(Enums.BandFormat.Uchar);
        using var image = bytes.Copy(interpretation: Enums.Interpretation.Srgb);
        return save(image);
    }

    /// <summary>A PNG of a few bytes whose header claims another size, its checksum put right.</summary>
    public static byte[] PngClaiming(int width, int height)
    {
        var png = Png(0, 16, 16);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), width);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), height);
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), Crc32(png.AsSpan(12, 17)));
        return png;
    }

    /// <summary>A small grey PNG that is written by hand, so that ten thousand of them cost next to nothing.</summary>
    public static byte[] Tiny(int number)
    {
        const int Side = 16;
        var rows = new byte[Side * (Side + 1)]; // each row begins with its filter, 0
        for (var y = 0; y < Side; y++)
        {
            BinaryPrimitives.WriteInt32BigEndian(rows.AsSpan(y * (Side + 1) + 1), number * 7919);
        }

        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            zlib.Write(rows);
        }

        return [0x89, .. "PNG\r\n\x1A\n"u8, .. Chunk("IHDR"u8, [0, 0, 0, Side, 0, 0, 0, Side, 8, 0, 0, 0, 0]),
            .. Chunk("IDAT"u8, packed.ToArray()), .. Chunk("IEND"u8, [])];

        static byte[] Chunk(ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
        {
            var chunk = new byte[12 + data.Length];
            BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
            type.CopyTo(chunk.AsSpan(4));
            data.CopyTo(chunk.AsSpan(8));
            BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(8 + data.Length), Crc32(chunk.AsSpan(4, 4 + data.Length)));
            return chunk;
        }
    }

    /// <summary>Uploads pictures into a category; all of them must be accepted.</summary>
    public static async Task<JsonArray> AddAsync(this HttpClient client, string model, string category, params byte[][] pictures)
    {
        using var form = Api.Form(category, pictures.Select((bytes, i) => ($"{i}.jpg", bytes)));
        var answer = await (await client.PostAsync($"{model}/images", form, Api.Cancel)).JsonAsync();
        Assert.Empty(answer["rejected"]!.AsArray());
        return answer["accepted"]!.AsArray();
    }

    public static uint Crc32(ReadOnlySpan<byte> bytes)
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
