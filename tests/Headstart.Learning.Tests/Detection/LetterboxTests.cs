using Headstart.Learning.Detection;
using Headstart.Learning.Imaging;
using Headstart.Learning.Tests.Imaging;
using Headstart.Tests;
using NetVips;

namespace Headstart.Learning.Tests.Detection;

public sealed class LetterboxTests
{
    [Theory]
    [InlineData(50, 37, 64, 64, 47)]
    [InlineData(37, 50, 64, 47, 64)]
    [InlineData(200, 100, 64, 64, 32)]
    [InlineData(1_000, 3, 64, 64, 1)] // never nothing
    public void The_whole_picture_is_scaled_as_the_definition_says(int width, int height, int resolution, int scaledWidth, int scaledHeight)
    {
        var pixels = new byte[3 * width * height];
        new Random(width).NextBytes(pixels);

        using var picture = Letterbox.Of(ImageReader.Png(pixels, width, height), resolution);

        Assert.Equal(new PictureFrame(width, height, scaledWidth, scaledHeight), picture.Frame);
        Assert.Equal((0, 0), (picture.CanvasWidth % 32, picture.CanvasHeight % 32));
        for (var i = 0; i < 3 * scaledWidth * scaledHeight; i += 7)
        {
            var (band, y, x) = (i / (scaledWidth * scaledHeight), i / scaledWidth % scaledHeight, i % scaledWidth);
            var columns = Weights(width, scaledWidth, x);
            var expected = Weights(height, scaledHeight, y).Sum(row => columns.Sum(column =>
                row.Weight * column.Weight * pixels[3 * (row.Place * width + column.Place) + band]));
            Assert.True(Math.Abs(expected - picture.Planes[i]) < 0.502, $"{band}, {y}, {x}: {expected} and {picture.Planes[i]}");
        }
    }

    [Fact]
    public void The_rest_of_the_canvas_has_the_mean_colour()
    {
        using var picture = Letterbox.Of(Pictures.Png(60, 40, 255, 255, 255), 64);
        var values = new float[3 * 64 * 64];
        Array.Fill(values, 7f);
        picture.Fill(values, SharedData.ImageNet);

        Assert.Equal((43, 64), (picture.Height, picture.CanvasHeight));
        for (var i = 0; i < values.Length; i++)
        {
            var (band, y) = (i / 64 / 64, i / 64 % 64);
            Assert.Equal(y < 43 ? (1 - SharedData.ImageNet.Mean[band]) / SharedData.ImageNet.Std[band] : 0, values[i], 1e-5);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(6)]
    [InlineData(8)]
    public void A_picture_on_its_side_is_seen_upright(int orientation)
    {
        // Red on the left and blue on the right, as a person sees it.
        using var red = Pictures.Plain(40, 60, 255, 0, 0);
        using var blue = Pictures.Plain(40, 60, 0, 0, 255);
        using var upright = red.Join(blue, Enums.Direction.Horizontal);
        using var stored = orientation switch { 3 => upright.Rot180(), 6 => upright.Rot270(), 8 => upright.Rot90(), _ => upright.Copy() };
        using var tagged = stored.Mutate(fields => fields.Set(GValue.GIntType, "orientation", orientation));
        foreach (var file in (byte[][])[tagged.JpegsaveBuffer(q: 95), tagged.PngsaveBuffer()])
        {
            using var picture = Letterbox.Of(file, 64);
            Assert.Equal(new PictureFrame(80, 60, 64, 48), picture.Frame);
            Assert.InRange(picture.Planes[48 / 2 * 64 + 5], 245, 255);
            Assert.InRange(picture.Planes[48 / 2 * 64 + 58], 0, 10);
        }
    }

    [Fact]
    public void Both_decoders_agree()
    {
        var photograph = File.ReadAllBytes(Pets.Cats[1]);
        using var fast = Letterbox.Of(photograph, 160);
        using var image = ImageSource.Open(photograph).Scaled(new ScaleTarget(160, IsWhole: true));
        var slow = new byte[fast.Planes.Length];
        CentreSquare.CopyPixels(image, slow);

        var sum = 0;
        for (var i = 0; i < slow.Length; i++)
        {
            sum += Math.Abs(slow[i] - fast.Planes[i]);
        }

        Assert.True(sum < slow.Length, $"{(double)sum / slow.Length} levels apart");
    }

    [Fact]
    public void A_damaged_file_is_refused()
    {
        var photograph = File.ReadAllBytes(Pets.Cats[1]);
        Assert.Throws<ImageRefusedException>(() => Letterbox.Of(photograph[..(photograph.Length / 2)], 160));
        Assert.Throws<ImageRefusedException>(() => Letterbox.Of("no picture"u8.ToArray(), 160));
    }

    private static List<(int Place, double Weight)> Weights(int length, int scaled, int i)
    {
        var scale = (double)length / scaled;
        var (centre, reach) = ((i + 0.5) * scale, Math.Max(1, scale));
        var all = Enumerable.Range(0, length).Select(place => (place, Math.Max(0, 1 - Math.Abs(place + 0.5 - centre) / reach))).ToList();
        var sum = all.Sum(weight => weight.Item2);
        return [.. all.Where(weight => weight.Item2 > 0).Select(weight => (weight.place, weight.Item2 / sum))];
    }
}
