using Headstart.Learning.Imaging;
using Headstart.Learning.Native;
using NetVips;

namespace Headstart.Learning.Tests.Imaging;

public sealed class CentreSquareTests
{
    private const int Size = 224;

    [Fact]
    public void The_first_version_is_to_the_pixel_what_a_cut_while_decoding_gives()
    {
        foreach (var file in Directory.GetFiles(SharedData.Folder("datasets/hymenoptera/train/bees")).Take(30)
            .Concat(Directory.GetFiles(SharedData.Folder("datasets/odd_files"))))
        {
            var bytes = File.ReadAllBytes(file);
            if (ImageReader.Check(bytes, new ImageLimits(), out var info) is not null
                || Math.Max(info!.Width, info.Height) > 4 * Math.Min(info.Width, info.Height))
            {
                continue;
            }

            using var cut = ImageReader.Decode(bytes, Size, Enums.Interesting.Centre);
            using var square = CentreSquare.Of(bytes, Size, version: 1);

            var planes = new byte[square.Planes.Length];
            CentreSquare.SplitInto(planes, cut.WriteToMemory<byte>());
            Assert.True(square.Planes.SequenceEqual(planes), file);
        }
    }

    [Theory]
    [InlineData(300, 900)]
    [InlineData(900, 300)]
    [InlineData(200, 2_000)] // too oblong to be decoded whole at this size
    [InlineData(2_000, 200)]
    public void A_file_cut_short_is_refused_even_where_the_end_is_not_in_the_square(int width, int height)
    {
        using var noise = Image.Gaussnoise(width, height, sigma: 60, mean: 128);
        using var bytes = noise.Cast(Enums.BandFormat.Uchar);
        var whole = bytes.JpegsaveBuffer();
        using (CentreSquare.Of(whole, 32))
        {
        }

        var refused = Assert.Throws<ImageRefusedException>(() => CentreSquare.Of(whole[..(whole.Length * 9 / 10)], 32));

        Assert.Equal("damaged", refused.Refusal.Reason);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Of_a_strip_it_is_the_middle_upright(int version)
    {
        // Black with a white stretch just below the middle.
        using var black = Image.Black(40, 400);
        using var white = Image.Black(40, 20) + 255;
        using var top = black.Join(white, Enums.Direction.Vertical);
        using var strip = top.Join(black, Enums.Direction.Vertical);
        using var shifted = strip.ExtractArea(0, 10, 40, 780);
        using var image = shifted.Cast(Enums.BandFormat.Uchar);
        using var turned = image.Rot270();
        // to be turned by a quarter to the right
        using var tagged = turned.Mutate(metadata => metadata.Set(GValue.GIntType, "orientation", 6));
        using var square = CentreSquare.Of(tagged.JpegsaveBuffer(q: 95), Size, version);

        var third = Size * Size / 3;
        Assert.InRange(Average(square.Planes[..third]), 0, 0.5);
        Assert.InRange(Average(square.Planes[(Size * Size - third)..(Size * Size)]), 254.5, 255);

        static double Average(ReadOnlySpan<byte> values) => values.ToArray().Average(value => (double)value);
    }

    [Fact]
    public void A_square_fills_no_input_of_another_version()
    {
        using var square = CentreSquare.Of(Pictures.Png(40, 30, 1, 2, 3), SharedData.ImageNet.Size);
        square.Fill(new float[SharedData.ImageNet.Length], SharedData.ImageNet);

        Assert.Throws<ArgumentException>(() =>
            square.Fill(new float[SharedData.ImageNet.Length], SharedData.ImageNet with { Version = 1 }));
    }
}

[Collection(Alone.Name)]
public sealed class CentreSquareMemoryTests
{
    [Fact]
    public void A_strip_of_a_hundred_thousand_pixels_by_eight_takes_no_gigabytes()
    {
        using var image = Image.Black(8, 100_000);
        var png = image.PngsaveBuffer();
        ProcessMemory.ForgetPeak();
        var before = ProcessMemory.Peak;

        CentreSquare.Of(png, SharedData.ImageNet.Size).Dispose();

        Assert.InRange(ProcessMemory.Peak - before, 0, 200L << 20); // the whole strip at this size would be 1.9 GB
    }
}
