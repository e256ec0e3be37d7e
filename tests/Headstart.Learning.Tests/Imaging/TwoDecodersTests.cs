using Headstart.Learning.Imaging;
using NetVips;

namespace Headstart.Learning.Tests.Imaging;

/// <summary>
/// Ordinary JPEGs are read by Skia, everything else by libvips: nobody must be able to tell. Damaged ones that both accept may show
/// different pixels: Skia does not tell what libjpeg warns of (of 18,000 single bits turned, 480 files; and 6 that only Skia accepts).
/// </summary>
public sealed class TwoDecodersTests
{
    private const int Size = 224;

    [Fact]
    public void Both_show_the_same_of_photographs()
    {
        var (read, worst) = (0, 0.0);
        foreach (var file in SharedData.Photographs("").Where((_, i) => i % 29 == 0))
        {
            if (Read(File.ReadAllBytes(file)) is { } squares)
            {
                read++;
                worst = Math.Max(worst, Difference(squares.Skia, squares.Vips));
            }
        }

        Assert.True(read > 60, $"{read} ordinary photographs");
        Assert.True(worst < 1, $"{worst} grey levels");
    }

    [Theory]
    [InlineData(1, 1_200, 900)]
    [InlineData(2, 900, 1_200)]
    [InlineData(3, 301, 420)]
    [InlineData(4, 420, 301)]
    [InlineData(5, 3_001, 2_003)]
    [InlineData(6, 700, 501)]
    [InlineData(7, 501, 700)]
    [InlineData(8, 100, 60)]
    [InlineData(6, 100, 1_000)] // a strip
    [InlineData(8, 1_001, 150)]
    public void Both_turn_and_shrink_alike(int orientation, int width, int height)
    {
        using var image = Smooth(width, height);
        using var tagged = image.Mutate(fields => fields.Set(GValue.GIntType, "orientation", orientation));
        foreach (var progressive in (bool[])[false, true])
        {
            var squares = Read(tagged.JpegsaveBuffer(q: 95, interlace: progressive))!.Value;
            using var upright = image.Mutate(fields => fields.Set(GValue.GIntType, "orientation", orientation));
            using var turned = upright.Autorot();

            Assert.True(Difference(squares.Skia, squares.Vips) < 0.5, $"{Difference(squares.Skia, squares.Vips)} grey levels");
            using var expected = CentreSquare.Of(turned.PngsaveBuffer(), Size);
            Assert.True(Difference(squares.Skia, expected.Planes) < 1.5, $"{Difference(squares.Skia, expected.Planes)} grey levels");
        }
    }

    [Fact]
    public void What_Skia_accepts_of_these_damaged_files_libvips_accepts()
    {
        var random = new Random(7);
        var accepted = 0;
        foreach (var name in (string[])["hopper_gray.jpg", "exif_landscape_6.jpg", "hopper_orientation_5.jpg"])
        {
            using var small = Image.ThumbnailBuffer(SharedData.OddFile(name), 160, noRotate: true);
            using var photograph = small.CopyMemory();
            foreach (var whole in (byte[][])[photograph.JpegsaveBuffer(), photograph.JpegsaveBuffer(interlace: true)])
            {
                var cut = Enumerable.Range(1, 20).Select(twentieth => whole[..(whole.Length * twentieth / 20)]);
                var flipped = Enumerable.Range(0, 60).Select(i =>
                {
                    byte[] damaged = [.. whole];
                    damaged[random.Next(2, i % 2 == 0 ? whole.Length : 700)] ^= (byte)(1 << random.Next(8));
                    return damaged;
                });
                foreach (var file in cut.Concat(flipped))
                {
                    accepted += Read(file) is null ? 0 : 1; // or libvips would have refused it, which throws
                }
            }
        }

        Assert.True(accepted > 100, $"{accepted}");
    }

    [Fact]
    public void Only_ordinary_files_are_fast()
    {
        Assert.Equal(new JpegHeader(40, 30, 1), JpegHeader.OfOrdinary(Pictures.Jpeg(40, 30, 1, 2, 3)));
        var turned = JpegHeader.OfOrdinary(SharedData.OddFile("exif_landscape_6.jpg"))!.Upright;
        Assert.Equal((1_800, 1_200, 6), (turned.Width, turned.Height, turned.Orientation));
        Assert.Null(JpegHeader.OfOrdinary(SharedData.OddFile("pil_sample_cmyk.jpg")));
        Assert.Null(JpegHeader.OfOrdinary(Pictures.Png(40, 30, 1, 2, 3)));
        using var grey = Pictures.Plain(40, 30, 100);
        using var wide = grey.IccTransform("p3", embedded: false, inputProfile: "srgb");
        Assert.Null(JpegHeader.OfOrdinary(wide.JpegsaveBuffer()));

        // Each scan is a walk through the whole picture: thousands in a small file are an attack.
        var progressive = grey.JpegsaveBuffer(interlace: true);
        Assert.NotNull(JpegHeader.OfOrdinary(progressive));
        Assert.Null(JpegHeader.OfOrdinary([.. progressive, .. Enumerable.Repeat((byte[])[0xFF, 0xDA], 101).SelectMany(scan => scan)]));
    }

    /// <returns>null where libvips has to decide.</returns>
    private static (byte[] Skia, byte[] Vips)? Read(byte[] file)
    {
        var (skia, vips) = (new byte[3 * Size * Size], new byte[3 * Size * Size]);
        if (JpegHeader.OfOrdinary(file) is not { } header || !OrdinaryJpeg.TryRead(file, header, new(Size, IsWhole: false), skia))
        {
            return null;
        }

        CentreSquare.ReadWithVips(file, Size, Preprocessing.Latest, vips);
        return (skia, vips);
    }

    /// <summary>Coloured rings, off the middle, that get wider: nothing in it is symmetric.</summary>
    private static Image Smooth(int width, int height)
    {
        using var places = Image.Xyz(width, height);
        using var moved = places - new double[] { width / 3.0, height / 4.0 };
        using var squares = moved * moved;
        using var distance = (squares[0] + squares[1]) / (width * height / 3_000.0);
        using var rings = (distance * new double[] { 1, 1.3, 0.7 }).Sin();
        using var bytes = (rings * 120 + 128).Cast(Enums.BandFormat.Uchar);
        return bytes.Copy(interpretation: Enums.Interpretation.Srgb);
    }

    private static double Difference(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other)
    {
        var sum = 0L;
        for (var i = 0; i < one.Length; i++)
        {
            sum += Math.Abs(one[i] - other[i]);
        }

        return (double)sum / one.Length;
    }
}
