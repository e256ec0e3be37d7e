using Headstart.Learning.Imaging;
using Headstart.Tests;
using ImageMagick;

namespace Headstart.Learning.Tests.Imaging;

/// <summary>What phones, scanners and archives write. Each file shows the same: red above blue, and yellow in the lower left
/// corner.</summary>
public sealed class FormatsTests
{
    private static readonly ImageLimits Limits = new();

    [Theory]
    [InlineData("upright.heic", "image/heic")]
    [InlineData("turned.heic", "image/heic")] // lies on its side; irot turns it, and EXIF says to turn it as well
    [InlineData("mirrored.heic", "image/heic")]
    [InlineData("upright.jxl", "image/jxl")]
    [InlineData("turned.jxl", "image/jxl")]
    [InlineData("upright.jp2", "image/jp2")]
    public void Other_formats_are_read_and_come_out_upright(string name, string mediaType)
    {
        Assert.Null(ImageReader.Check(Picture(name), Limits, out var info));
        Assert.Equal((64, 128, mediaType), (info!.Width, info.Height, info.MediaType));
        AssertShown(Picture(name));
    }

    [Fact]
    public void A_bitmap_is_read()
    {
        AssertShown(Bitmap());
        Assert.Null(ImageReader.Check(Bitmap(), Limits, out var info));
        Assert.Equal("image/bmp", info!.MediaType);
    }

    [Fact]
    public void The_brands_of_a_file_decide_what_is_in_it()
    {
        byte[] heic = Picture("upright.heic"), avif = SharedData.OddFile("hopper.avif");
        "mif1"u8.CopyTo(heic.AsSpan(8)); // as some phones write it; heic stays among the compatible brands
        "mif1"u8.CopyTo(avif.AsSpan(8));

        Assert.Null(ImageReader.Check(heic, Limits, out var one));
        Assert.Null(ImageReader.Check(avif, Limits, out var other));

        Assert.Equal(("image/heic", "image/avif"), (one!.MediaType, other!.MediaType));
        AssertShown(heic);
    }

    [Theory]
    [InlineData("BMW, Mercedes and Opel are makes of cars")]
    [InlineData("\0\0\0\u0018ftypmp42\0\0\0\0isommp42 a film is no picture")]
    [InlineData("push graphic-context\nviewbox 0 0 640 480\nimage over 0,0 0,0 'http://127.0.0.1/'\npop graphic-context")]
    [InlineData("<?xml version='1.0'?><image><read filename='/etc/passwd'/><write filename='/tmp/x'/></image>")]
    public void What_is_no_picture_stays_outside(string text) =>
        Assert.Equal("unsupported-format", ImageReader.Check(System.Text.Encoding.Latin1.GetBytes(text), Limits, out _)!.Reason);

    [Theory]
    [InlineData("label:hello")]
    [InlineData("msl:script")]
    [InlineData("/etc/passwd")]
    [InlineData("http://127.0.0.1/a.png")]
    public void ImageMagick_opens_no_file_and_no_address(string name)
    {
        Assert.Null(ImageReader.Check(Picture("upright.jp2"), Limits, out _)); // loads it

        Assert.ThrowsAny<MagickException>(() => new MagickImage(name));
    }

    [Theory]
    [InlineData(MagickFormat.Svg)]
    [InlineData(MagickFormat.Mvg)]
    [InlineData(MagickFormat.Msl)]
    [InlineData(MagickFormat.Pdf)]
    [InlineData(MagickFormat.Png)]
    public void ImageMagick_has_no_readers_but_those_asked_for(MagickFormat format)
    {
        Assert.Null(ImageReader.Check(Picture("upright.jp2"), Limits, out _));

        Assert.Throws<MagickPolicyErrorException>(() => new MagickImage(Pictures.Png(16, 16, 1, 2, 3), format));
    }

    [Fact]
    public void Damage_ends_in_a_sentence()
    {
        var random = new Random(1);
        byte[][] files = [Picture("upright.heic"), Picture("turned.heic"), Picture("upright.jxl"), Picture("upright.jp2"), Bitmap()];
        foreach (var file in files)
        {
            Assert.NotNull(ImageReader.Check(file[..(file.Length * 9 / 10)], Limits, out _)); // whatever is missing
            for (var round = 0; round < 40; round++)
            {
                byte[] damaged = round % 2 == 0 ? [.. file] : file[..random.Next(file.Length)];
                for (var i = 0; i < 4 && damaged.Length > 0; i++)
                {
                    damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
                }

                if (ImageReader.Check(damaged, Limits, out _) is { } refusal)
                {
                    Assert.Contains(refusal.Reason, ImageRefusal.Reasons);
                }
            }
        }
    }

    [Fact]
    public void Formats_that_are_decoded_whole_may_have_fewer_pixels()
    {
        var limits = new ImageLimits { MaxPixels = 64 * 128 * 2 };

        var refusal = ImageReader.Check(Picture("upright.heic"), limits, out _);

        Assert.Equal("too-many-pixels", refusal!.Reason);
        Assert.Contains("save it as a JPEG, which may have 16,384", refusal.Detail);
        Assert.Null(ImageReader.Check(Pictures.Jpeg(64, 128, 1, 2, 3), limits, out _));
    }

    internal static byte[] Picture(string name) =>
        File.ReadAllBytes(Path.Combine(SharedFolder.Checkout(), "tests", "Pictures", name));

    /// <summary>24 bits, the rows from below: BITMAPINFOHEADER.</summary>
    internal static byte[] Bitmap()
    {
        byte[] header = [.. "BM"u8, .. new byte[8], 54, 0, 0, 0, 40, 0, 0, 0, 64, 0, 0, 0, 128, 0, 0, 0, 1, 0, 24, 0, .. new byte[24]];
        return [.. header, .. Enumerable.Range(0, 64 * 128).SelectMany(i => (i / 64, i % 64) switch
        {
            ( > 87, _) => (byte[])[30, 30, 220],
            ( < 48, < 21) => [40, 220, 240],
            _ => [200, 60, 40],
        })];
    }

    private static void AssertShown(byte[] file)
    {
        using var image = ImageReader.Decode(file, 128, NetVips.Enums.Interesting.None);
        Assert.Equal((64, 128), (image.Width, image.Height));
        AssertNear([220, 30, 30], image.Getpoint(32, 20));
        AssertNear([240, 220, 40], image.Getpoint(8, 110));
        AssertNear([40, 60, 200], image.Getpoint(50, 110));
    }

    private static void AssertNear(double[] expected, double[] found) =>
        Assert.All(expected.Zip(found), pair => Assert.InRange(pair.Second, pair.First - 12, pair.First + 12));
}
