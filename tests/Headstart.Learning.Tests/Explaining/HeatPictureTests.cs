using Headstart.Learning.Explaining;
using Headstart.Learning.Imaging;
using Headstart.Learning.Tests.Imaging;
using NetVips;

namespace Headstart.Learning.Tests.Explaining;

public sealed class HeatPictureTests
{
    /// <summary>Hot at the top left, cold at the top right, against the label below.</summary>
    private static readonly HeatMap Heat = new(2, [4, 0, -1, -4], []);

    [Theory]
    [InlineData("flower.webp", 448, 448, 336)]
    [InlineData("exif_landscape_3.jpg", 448, 448, 299)]
    [InlineData("exif_landscape_5.jpg", 448, 448, 299)]
    [InlineData("exif_landscape_6.jpg", 448, 448, 299)]
    [InlineData("exif_landscape_8.jpg", 448, 448, 299)]
    [InlineData("hopper_orientation_6.webp", 128, 128, 128)] // never enlarged
    public void It_has_the_proportions_of_the_photograph_as_a_person_sees_it(string name, int longest, int width, int height)
    {
        var png = Heat.Over(SharedData.OddFile(name));

        Assert.Null(ImageReader.Check(png, new ImageLimits(), out var info));
        Assert.Equal((width, height, "image/png"), (info!.Width, info.Height, info.MediaType));
        Assert.Equal(longest, Math.Max(info!.Width, info.Height));
    }

    [Theory]
    [InlineData(300, 200)]
    [InlineData(200, 301)]
    public void Colour_is_where_evidence_is_and_nowhere_else(int width, int height)
    {
        var (pixels, side) = (Pixels(Heat.Over(Pictures.Png(width, height, 128, 128, 128)), width, height), Math.Min(width, height));
        var (left, top) = ((width - side) / 2, (height - side) / 2);

        var (red, _, blue) = pixels(left + 10, top + 10);
        Assert.True(red > 150 && blue < 80, $"{red} {blue}");
        Assert.Equal((128, 128, 128), pixels(left + side - 10, top + 10));
        Assert.Equal((128, 128, 128), pixels(left + 10, top + side - 10));
        // The backbones did not see these.
        Assert.Equal((128, 128, 128), width > height ? pixels(left - 1, 10) : pixels(10, top - 1));
        Assert.NotEqual((128, 128, 128), pixels(left, top));
    }

    [Fact]
    public void Where_nothing_speaks_for_the_label_it_is_the_photograph()
    {
        var pixels = Pixels(new HeatMap(1, [-1], []).Over(Pictures.Png(20, 30, 10, 20, 30)), 20, 30);

        Assert.All(Enumerable.Range(0, 20), i => Assert.Equal((10, 20, 30), pixels(i, i)));
    }

    [Fact]
    public void A_photograph_of_one_row_has_a_picture() => Assert.NotEmpty(Heat.Over(Pictures.Png(2_000, 8, 1, 2, 3)));

    [Fact]
    public void Bytes_that_are_no_image_are_refused() =>
        Assert.Throws<ImageRefusedException>(() => Heat.Over("no image"u8.ToArray()));

    private static Func<int, int, (int Red, int Green, int Blue)> Pixels(byte[] png, int width, int height)
    {
        using var image = Image.NewFromBuffer(png);
        Assert.Equal((width, height, 3), (image.Width, image.Height, image.Bands));
        var bytes = image.WriteToMemory<byte>();
        return (x, y) => (bytes[3 * (y * width + x)], bytes[3 * (y * width + x) + 1], bytes[3 * (y * width + x) + 2]);
    }
}
