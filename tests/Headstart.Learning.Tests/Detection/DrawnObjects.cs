using Headstart.Learning.Detection;
using Headstart.Learning.Imaging;

namespace Headstart.Learning.Tests.Detection;

/// <summary>Pictures made for a test: red and green rectangles on a grey pattern.</summary>
internal static class DrawnObjects
{
    public static readonly string[] Categories = ["red", "green"];

    /// <param name="count">Pictures; every fourth has nothing on it.</param>
    /// <param name="seed">Decides what is drawn.</param>
    /// <param name="categories">How many are used.</param>
    public static DetectionExample[] Draw(int count, int seed, int categories = 2)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            const int Width = 128, Height = 96;
            var pixels = new byte[3 * Width * Height];
            for (var at = 0; at < pixels.Length; at++)
            {
                pixels[at] = (byte)(110 + 30 * Math.Sin(at / 3 % Width * 0.2) + random.Next(20));
            }

            var boxes = new List<LabelledBox>();
            for (var n = 0; n < (i % 4 == 3 ? 0 : 1 + random.Next(2)); n++)
            {
                var (w, h, category) = (24 + random.Next(24), 24 + random.Next(24), random.Next(categories));
                // Side by side: one never covers another.
                var (x, y) = (n * Width / 2 + random.Next(Width / 2 - w), random.Next(Height - h));
                for (var at = 0; at < w * h; at++)
                {
                    var pixel = 3 * ((y + at / w) * Width + x + at % w);
                    (pixels[pixel], pixels[pixel + 1], pixels[pixel + 2]) = category == 0 ? ((byte)210, (byte)30, (byte)30)
                        : ((byte)30, (byte)200, (byte)40);
                }

                boxes.Add(new(category, new((float)x / Width, (float)y / Height, (float)w / Width, (float)h / Height)));
            }

            var file = ImageReader.Png(pixels, Width, Height);
            return new DetectionExample(boxes, () => file);
        })];
    }
}
