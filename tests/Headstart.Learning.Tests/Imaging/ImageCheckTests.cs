using System.Text;
using Headstart.Learning.Imaging;

namespace Headstart.Learning.Tests.Imaging;

public sealed class ImageCheckTests
{
    private static readonly ImageLimits Limits = new();

    [Fact]
    public void A_jpeg_and_a_png_are_accepted_with_their_size_and_type()
    {
        Assert.Null(ImageReader.Check(Pictures.Jpeg(40, 30, 1, 2, 3), Limits, out var jpeg));
        Assert.Equal((40, 30, "image/jpeg"), (jpeg!.Width, jpeg.Height, jpeg.MediaType));
        Assert.Null(ImageReader.Check(Pictures.Png(30, 40, 1, 2, 3), Limits, out var png));
        Assert.Equal((30, 40, "image/png"), (png!.Width, png.Height, png.MediaType));
    }

    [Theory]
    [InlineData("")]
    [InlineData("just a text called photo.jpg")]
    [InlineData("<svg xmlns='http://www.w3.org/2000/svg' width='100' height='100'><rect width='9' height='9'/></svg>")]
    [InlineData("<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg' width='100' height='100'/>")]
    [InlineData("%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>")]
    [InlineData("P3 16 16 255 1 2 3")]
    public void What_is_no_photograph_is_refused(string text)
    {
        var expected = text.Length == 0 ? "empty" : "unsupported-format";

        Assert.Equal(expected, Refusal(Encoding.UTF8.GetBytes(text)));
        Assert.Equal(expected, Assert.Throws<ImageRefusedException>(() => Preprocess(Encoding.UTF8.GetBytes(text))).Refusal.Reason);
    }

    [Fact]
    public void An_image_of_one_pixel_is_refused() => Assert.Equal("too-small", Refusal(Pictures.Png(1, 1, 1, 2, 3)));

    [Fact]
    public void A_file_over_the_byte_limit_is_refused_unread() =>
        Assert.Equal("too-large", Refusal(new byte[101], Limits with { MaxBytes = 100 }));

    [Fact]
    public void A_header_that_claims_billions_of_pixels_is_refused_without_allocating_them()
    {
        byte[][] bombs = [Pictures.PngClaiming(50_000, 50_000), Pictures.JpegClaiming(50_000, 50_000)];
        var before = Memory.Resident();

        foreach (var bomb in bombs)
        {
            Assert.Equal("too-many-pixels", Refusal(bomb));
        }

        Assert.InRange(Memory.Resident() - before, long.MinValue, 1_000 * Memory.MiB); // decoded they are 7,500 MB each
    }

    [Fact]
    public void Every_truncation_of_a_jpeg_before_its_last_rows_is_refused()
    {
        var photograph = SharedData.OddFile("hopper_orientation_6.jpg");
        Assert.Null(ImageReader.Check(photograph, Limits, out _));
        for (var length = 0; length < photograph.Length * 9 / 10; length += 97)
        {
            Assert.NotNull(ImageReader.Check(photograph[..length], Limits, out var info));
            Assert.Null(info);
        }
    }

    [Theory]
    [InlineData("truncated_jpeg.jpg", null)] // only the last bits of its progressive scans are missing
    [InlineData("truncated_image.png", "damaged")]
    [InlineData("broken_data_stream.png", "damaged")]
    [InlineData("broken.png", "damaged")]
    [InlineData("zero_width.gif", "damaged")]
    [InlineData("decompression_bomb.gif", "damaged")]
    [InlineData("decompression_bomb.ico", "unsupported-format")]
    [InlineData("hopper.bmp", null)]
    [InlineData("badbitcount.bmp", "damaged")]
    [InlineData("hopper.psd", "unsupported-format")]
    [InlineData("zero_height.j2k", "damaged")]
    [InlineData("LICENSE", "unsupported-format")]
    [InlineData("orientation_rectangle.jpg", "too-small")]
    [InlineData("mode_16bit.png", null)]
    [InlineData("tiff_16bit_RGB.tiff", null)]
    [InlineData("pil_sample_cmyk.jpg", null)]
    [InlineData("tiff_strip_cmyk_jpeg.tif", null)]
    [InlineData("dispose_bgnd_transparency.gif", null)]
    [InlineData("anim_frame1.webp", null)]
    [InlineData("rgb_trns.png", null)]
    [InlineData("p_16.png", null)]
    [InlineData("hopper.avif", null)]
    [InlineData("hopper_bad_exif.jpg", null)]
    [InlineData("icc-after-SOF.jpg", null)]
    [InlineData("truncated_end_chunk.png", null)]
    public void Odd_files_get_the_answer_they_deserve(string name, string? reason) =>
        Assert.Equal(reason, Refusal(SharedData.OddFile(name)));

    [Fact]
    public void Every_odd_file_ends_in_an_answer()
    {
        var folder = SharedData.Folder("datasets/odd_files");
        var accepted = 0;
        foreach (var path in Directory.GetFiles(folder))
        {
            var bytes = File.ReadAllBytes(path);
            if (ImageReader.Check(bytes, Limits, out var info) is { } refusal)
            {
                Assert.Contains(refusal.Reason, ImageRefusal.Reasons);
                Assert.Null(info);
                continue;
            }

            accepted++;
            Assert.NotNull(info);
            Assert.All(Preprocess(bytes), value => Assert.True(float.IsFinite(value)));
            Assert.NotEmpty(ImageReader.Thumbnail(bytes, 64));
        }

        Assert.InRange(accepted, 60, 70);
    }

    [Fact]
    public void Random_damage_to_real_files_ends_in_an_answer()
    {
        string[] names = ["hopper.webp", "hopper.tif", "hopper.gif", "hopper.avif", "hopper_gray.jpg", "p_16.png", "pil_sample_cmyk.jpg"];
        var random = new Random(1);
        foreach (var bytes in names.Select(SharedData.OddFile))
        {
            for (var round = 0; round < 12; round++)
            {
                byte[] damaged = [.. bytes];
                random.NextBytes(damaged.AsSpan(random.Next(4, bytes.Length - 4), 4));
                ImageReader.Check(damaged, Limits, out _);
                Assert.True(Record.Exception(() => Preprocess(damaged)) is null or ImageRefusedException);
            }
        }
    }

    private static string? Refusal(byte[] bytes, ImageLimits? limits = null) => ImageReader.Check(bytes, limits ?? Limits, out _)?.Reason;

    private static float[] Preprocess(byte[] bytes)
    {
        var chw = new float[SharedData.ImageNet.Length];
        ImageReader.Preprocess(bytes, SharedData.ImageNet, chw);
        return chw;
    }
}
