using System.Buffers.Binary;
using System.IO.Compression;
using Headstart.Learning.Imaging;
using Headstart.Learning.Native;
using NetVips;

namespace Headstart.Learning.Tests.Imaging;

/// <summary>Files that viewers show although they are not as their format wants them, and numbers that are no colours.</summary>
public sealed class OddFilesTests
{
    private static readonly ImageLimits Limits = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_jpeg_without_its_end_mark_is_taken(bool progressive)
    {
        var whole = Jpeg(progressive);

        Assert.Null(Refusal(whole[..^2]));
        Assert.Equal(Pixels(whole), Pixels(whole[..^2]));
        Assert.Null(Refusal(whole[..^12])); // and the last bytes of its data
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_jpeg_of_which_half_is_missing_is_damaged(bool progressive)
    {
        var whole = Jpeg(progressive);

        Assert.Equal("damaged", Refusal(whole[..(whole.Length / 2)]));
        Assert.Equal("damaged", Refusal([.. whole[..(whole.Length / 2)], .. new byte[whole.Length / 2]])); // reserved, and never filled
    }

    [Fact]
    public void What_stands_around_a_picture_does_not_matter()
    {
        var whole = Jpeg(progressive: false);

        Assert.Null(Refusal([.. "\r\n"u8, .. whole]));
        Assert.Null(Refusal([0xEF, 0xBB, 0xBF, .. whole]));
        Assert.Null(Refusal([.. whole, .. new byte[4096]]));
        Assert.Null(Refusal([.. whole, .. "\0\0\0\u0018ftypmp42\0\0\0\0isommp42"u8, .. new byte[500]])); // a motion photo
        Assert.Equal("unsupported-format", Refusal([.. "x\r\n"u8, .. whole]));
    }

    [Theory]
    [InlineData(50706, 1, 0x0401)] // DNG
    [InlineData(37398, 1, 1)] // NEF
    [InlineData(330, 4, 200)] // a reduced picture with others within
    public void The_preview_of_a_raw_file_is_not_its_photograph(int tag, int type, int value)
    {
        using var picture = Pictures.Plain(40, 20, 200, 30, 30);
        var tiff = picture.TiffsaveBuffer(keep: Enums.ForeignKeep.None);
        Assert.Null(Refusal(tiff));
        var directory = BinaryPrimitives.ReadInt32LittleEndian(tiff.AsSpan(4));
        var entries = BinaryPrimitives.ReadUInt16LittleEndian(tiff.AsSpan(directory));
        byte[] raw = [.. tiff[..4], .. Bytes(tiff.Length), .. tiff[8..], .. Bytes(entries + 2)[..2], .. Entry(254, 4, 1),
            .. tiff[(directory + 2)..(directory + 2 + 12 * entries)], .. Entry(tag, type, value), 0, 0, 0, 0];

        Assert.Equal("unsupported-format", Refusal(raw));
        Assert.Contains("export it as a JPEG", ImageReader.CheckHeader(raw, Limits)!.Detail);
        Assert.Null(Refusal([.. tiff[..4], .. Bytes(tiff.Length), .. tiff[8..], .. Bytes(entries + 1)[..2], .. Entry(254, 4, 0),
            .. tiff[(directory + 2)..(directory + 2 + 12 * entries)], 0, 0, 0, 0]));

        static byte[] Bytes(int number) => BitConverter.GetBytes(number);

        static byte[] Entry(int tag, int type, int value) => [.. Bytes(tag)[..2], .. Bytes(type)[..2], .. Bytes(1), .. Bytes(value)];
    }

    [Theory]
    [InlineData("%PDF-1.7", "a PDF document")]
    [InlineData("8BPS", "a Photoshop document")]
    [InlineData("PAR1\u0015", "a Parquet file")]
    [InlineData("\0\0\0 ftypisom", "a video")]
    [InlineData("PK\u0003\u0004", "a zip archive")]
    [InlineData("version https://git-lfs.github.com/spec/v1", "only a Git LFS pointer")]
    public void What_is_no_image_is_called_by_its_name(string beginning, string name)
    {
        var refusal = ImageReader.CheckHeader([.. beginning.Select(c => (byte)c), .. new byte[600]], Limits)!;

        Assert.Equal("unsupported-format", refusal.Reason);
        Assert.StartsWith($"The file is {name}", refusal.Detail);
    }

    [Theory]
    [InlineData("Raw profile type exif", "\nexif\n      32\n4578696600004d4d002a0000000800010112000300000001000600\n0000000000\n")]
    [InlineData("XML:com.adobe.xmp", """<rdf:Description tiff:Orientation="6"/>""")]
    public void A_png_is_turned_as_its_texts_say(string keyword, string text)
    {
        using var plain = Pictures.Plain(40, 20, 200, 30, 30);
        var png = plain.PngsaveBuffer(keep: Enums.ForeignKeep.None); // without EXIF of its own

        Assert.Null(ImageReader.Check(Pictures.PngSaying(png, keyword, text), Limits, out var info));

        Assert.Equal((20, 40), (info!.Width, info.Height));
    }

    [Fact]
    public void Texts_of_a_png_that_cannot_be_unpacked_say_nothing()
    {
        var png = Pictures.Png(40, 20, 200, 30, 30);
        for (var first = 0; first < 256; first++)
        {
            byte[] data = [.. "Raw profile type exif\0\0"u8, (byte)first, 0x9C, 0xBB, 1, 2, 3, 4];
            ImageReader.Check(Pictures.PngWith(png, "zTXt", data), Limits, out _); // throws nothing
        }
    }

    [Theory]
    [InlineData("49492a00f6ffffff")] // adding to it would begin again at zero
    [InlineData("4d4d002afffffff2")]
    [InlineData("49492a00ffffff7f")]
    [InlineData("49492a0008000000")]
    public void Exif_in_a_png_that_points_behind_its_end_says_nothing(string hex)
    {
        foreach (var padding in (int[])[0, 6, 40])
        {
            var digits = hex + new string('0', 2 * padding);
            var png = Pictures.PngSaying(Pictures.Png(40, 20, 200, 30, 30), "Raw profile type exif",
                $"\nexif\n{digits.Length / 2}\n{digits}\n");

            Assert.Null(ImageReader.Check(png, Limits, out var info));

            Assert.Equal((40, 20), (info!.Width, info.Height));
        }
    }

    [Fact]
    public void A_thousand_packed_texts_in_a_png_take_no_memory_each()
    {
        var packed = new MemoryStream();
        using (var writer = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            writer.Write("\nexif\n0\n"u8);
        }

        var text = Pictures.PngWith(new byte[33], "zTXt", [.. "Raw profile type exif\0\0"u8, .. packed.ToArray()])[33..];
        var png = Pictures.Png(40, 20, 200, 30, 30);
        byte[] many = [.. png.AsSpan(0, 33), .. Enumerable.Repeat(text, 1_000).SelectMany(bytes => bytes), .. png.AsSpan(33)];
        var before = GC.GetAllocatedBytesForCurrentThread();

        ImageReader.CheckHeader(many, Limits);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 16 * Memory.MiB); // 256 MiB would be one buffer each
    }

    [Fact]
    public void Of_an_animation_only_the_first_frame_counts()
    {
        VipsRuntime.EnsureLoaded();
        using var noisy = Stripes(20, 20 * 30).Cast(Enums.BandFormat.Uchar); // equal frames would become one
        using var pages = noisy.Mutate(fields => fields.Set(GValue.GIntType, "page-height", 20));

        Assert.Null(ImageReader.Check(pages.GifsaveBuffer(), Limits with { MaxPixels = 2_000 }, out var info));

        Assert.Equal((20, 20), (info!.Width, info.Height));
    }

    [Theory]
    [InlineData(4_095.0 / 255, 0, Enums.BandFormat.Ushort)] // an X-ray: 12 bits of 16
    [InlineData(1.0 / 255, 0, Enums.BandFormat.Float)]
    [InlineData(3, 1_200, Enums.BandFormat.Float)] // metres
    [InlineData(8, -1_000, Enums.BandFormat.Short)]
    [InlineData(400, -5_000, Enums.BandFormat.Int)]
    public void Numbers_that_would_be_black_or_white_are_shown_by_their_range(double scale, double shift, Enums.BandFormat format)
    {
        using var colours = Stripes(64, 64);
        using var numbers = colours.Linear([scale], [shift]);
        using var image = numbers.Cast(format);
        using var expected = colours.Cast(Enums.BandFormat.Uchar);

        var found = Pixels(Tiff(image));

        Assert.All(Pixels(Tiff(expected)).Zip(found), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, 3));
    }

    [Fact]
    public void Photographs_of_16_bits_stay_as_they_are()
    {
        using var stripes = Stripes(64, 64);
        using var eight = stripes.Cast(Enums.BandFormat.Uchar);
        using var dim = stripes.Linear([257 * 0.4], [0]); // dark, but not black
        using var sixteen = dim.Cast(Enums.BandFormat.Ushort);

        Assert.InRange(Pixels(Tiff(sixteen)).Max(value => (int)value), 90, 105);
    }

    [Theory]
    [InlineData(5, Enums.Interpretation.Srgb)]
    [InlineData(3, Enums.Interpretation.Bw)]
    [InlineData(7, Enums.Interpretation.Multiband)]
    public void Bands_of_unknown_meaning_are_refused_with_the_reason(int bands, Enums.Interpretation meaning)
    {
        using var plain = Pictures.Plain(20, 20, [.. Enumerable.Repeat(90.0, bands)]);
        using var named = plain.Copy(interpretation: meaning);

        var refusal = ImageReader.Check(named.TiffsaveBuffer(), Limits, out _);

        Assert.Equal("unsupported-channels", refusal!.Reason);
        Assert.Contains($"has {bands} bands", refusal.Detail);
    }

    [Fact]
    public void Bad_examples_are_recognised_and_ordinary_ones_left_alone()
    {
        using var stripes = Stripes(256, 192);
        using var photograph = Image.NewFromBuffer(Headstart.Tests.Pets.Cat);
        using var blurred = photograph.Gaussblur(8);
        Assert.Equal(ImageFlaws.None, Flaws(Tiff(stripes.Cast(Enums.BandFormat.Uchar))));
        Assert.Equal(ImageFlaws.Blurred, Flaws(blurred.JpegsaveBuffer()));
        Assert.Equal(ImageFlaws.Dark | ImageFlaws.Empty, Flaws(Pictures.Png(200, 100, 3, 3, 3)) & ~ImageFlaws.Graphic);
        Assert.Equal(ImageFlaws.Bright | ImageFlaws.Empty, Flaws(Pictures.Png(200, 100, 253, 253, 253)) & ~ImageFlaws.Graphic);
        Assert.True(Flaws(Pictures.Png(400, 100, 9, 90, 200)).HasFlag(ImageFlaws.OddShape));
        Assert.True(Flaws(Pictures.Png(20, 20, 9, 90, 200)).HasFlag(ImageFlaws.Tiny));
    }

    [Fact]
    public void Photographs_are_not_called_bad_examples() => // but for one that is three times as high as wide
        Assert.Equal([ImageFlaws.OddShape], Headstart.Tests.Pets.Cats.Concat(Headstart.Tests.Pets.Dogs)
            .Select(path => Flaws(File.ReadAllBytes(path))).Where(flaws => flaws != ImageFlaws.None));

    private static ImageFlaws Flaws(byte[] file)
    {
        Assert.Null(ImageReader.Check(file, Limits, out var info));
        return info!.Flaws;
    }

    private static string? Refusal(byte[] file) => ImageReader.Check(file, Limits, out _)?.Reason;

    /// <summary>Grey waves of all sizes from 0 to 255, as floats.</summary>
    private static Image Stripes(int width, int height)
    {
        VipsRuntime.EnsureLoaded();
        using var zone = Image.Zone(width, height, uchar: false);
        return zone.Linear([127.5], [127.5]);
    }

    private static byte[] Tiff(Image image)
    {
        using var named = image.Copy(interpretation: image.Format == Enums.BandFormat.Ushort ? Enums.Interpretation.Grey16
            : Enums.Interpretation.Bw);
        return named.TiffsaveBuffer();
    }

    private static byte[] Jpeg(bool progressive)
    {
        using var stripes = Stripes(200, 160);
        using var bytes = stripes.Cast(Enums.BandFormat.Uchar);
        using var colours = bytes.Bandjoin(bytes, bytes).Copy(interpretation: Enums.Interpretation.Srgb);
        return colours.JpegsaveBuffer(interlace: progressive);
    }

    private static byte[] Pixels(byte[] file)
    {
        using var image = ImageReader.Decode(file, 64, Enums.Interesting.None);
        return image.WriteToMemory<byte>();
    }
}
