using Headstart.Learning.Imaging;

namespace Headstart.Learning.Tests.Imaging;

public sealed class TriangleFilterTests
{
    /// <summary>What Pillow's <c>resize((round down), BILINEAR)</c> and torchvision's <c>CenterCrop</c> do, written down pixel by
    /// pixel.</summary>
    [Theory]
    [InlineData(50, 37, 24)]
    [InlineData(37, 50, 24)]
    [InlineData(37, 147, 24)] // not yet a strip
    [InlineData(24, 24, 24)]
    [InlineData(9, 10, 24)] // grows
    [InlineData(97, 96, 24)] // as a PNG not halved
    public void A_square_is_what_the_definition_says(int width, int height, int size)
    {
        var pixels = new byte[3 * width * height];
        new Random(width).NextBytes(pixels);

        using var square = CentreSquare.Of(ImageReader.Png(pixels, width, height), size);

        var shorter = Math.Min(width, height);
        for (var i = 0; i < 3 * size * size; i++)
        {
            var (band, y, x) = (i / (size * size), i / size % size, i % size);
            var rows = Weights(height, size * height / shorter, y, size);
            var columns = Weights(width, size * width / shorter, x, size);
            var expected = rows.Sum(row => columns.Sum(column =>
                row.Weight * column.Weight * pixels[3 * (row.Place * width + column.Place) + band]));
            Assert.True(Math.Abs(expected - square.Planes[i]) < 0.502, $"{band}, {y}, {x}: {expected} and {square.Planes[i]}");
        }
    }

    private static List<(int Place, double Weight)> Weights(int length, int scaled, int i, int size)
    {
        var scale = (double)length / scaled;
        var centre = (i + Math.Round((scaled - size) / 2.0) + 0.5) * scale;
        var reach = Math.Max(1, scale);
        var all = Enumerable.Range(0, length).Select(place => (place, Math.Max(0, 1 - Math.Abs(place + 0.5 - centre) / reach))).ToList();
        var sum = all.Sum(weight => weight.Item2);
        return [.. all.Where(weight => weight.Item2 > 0).Select(weight => (weight.place, weight.Item2 / sum))];
    }
}
