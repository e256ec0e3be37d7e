namespace Headstart.Learning.Imaging;

/// <summary>Visible flaws that make an image a bad example. Never a reason to refuse it: the data may be like that.</summary>
[Flags]
public enum ImageFlaws
{
    None = 0,

    /// <summary>Nothing in it is sharp, even at 64 pixels.</summary>
    Blurred = 1,

    /// <summary>Nearly black.</summary>
    Dark = 2,

    /// <summary>Nearly white.</summary>
    Bright = 4,

    /// <summary>Almost the same colour everywhere.</summary>
    Empty = 8,

    /// <summary>More than three times as long as wide, or as wide as long: backbones see only the centre square.</summary>
    OddShape = 16,

    /// <summary>Areas of exactly one colour, as in screenshots, charts and drawings.</summary>
    Graphic = 32,

    /// <summary>A side of fewer than 32 pixels.</summary>
    Tiny = 64,
}

/// <summary>Detects <see cref="ImageFlaws"/> in the 64 x 64 pixels that uploads are decoded to anyway. The list is that of CleanVision
/// (github.com/cleanlab/cleanvision); the measures and limits are our own, and docs/measurements.md gives their error rates.</summary>
internal static class FlawFinder
{
    // docs/measurements.md has the ratios of sharp and blurred photographs.
    private const double Sharp = 0.9;
    private const double LowestBright = 215, HighestDark = 50; // of 255, for all but a hundredth of the pixels
    private const double LeastContrast = 5; // standard deviation, of 255
    private const double FlatPairs = 0.3, FlatGreyPairs = 0.6, FewColours = 0.2; // shares of neighbouring pairs and of pixels
    private const int OddRatio = 3, TinySide = 32;

    /// <param name="small">The image in a square of <paramref name="side"/> pixels.</param>
    /// <param name="side">Pixels.</param>
    public static ImageFlaws Of(WholePicture small, int side)
    {
        var (header, grey) = (small.Header, small.Grey());
        var (shorter, longer) = (Math.Min(header.Width, header.Height), Math.Max(header.Width, header.Height));
        var flaws = Of(shorter < TinySide, ImageFlaws.Tiny) | Of(longer > OddRatio * shorter, ImageFlaws.OddShape)
            | Of(IsGraphic(small), ImageFlaws.Graphic) | Brightness(grey);
        // A single colour has no edges that could be sharp, and scaled-up images have lost theirs.
        return Deviation(grey) < LeastContrast ? flaws | ImageFlaws.Empty
            : flaws | Of(longer >= side && IsBlurred(grey, small.Width, small.Height), ImageFlaws.Blurred);
    }

    private static ImageFlaws Of(bool found, ImageFlaws flaw) => found ? flaw : ImageFlaws.None;

    private static ImageFlaws Brightness(double[] grey)
    {
        double[] sorted = [.. grey];
        Array.Sort(sorted);
        var hundredth = sorted.Length / 100;
        return Of(sorted[^(1 + hundredth)] < HighestDark, ImageFlaws.Dark) | Of(sorted[hundredth] > LowestBright, ImageFlaws.Bright);
    }

    private static double Deviation(double[] grey)
    {
        var mean = grey.Average();
        return Math.Sqrt(grey.Average(value => (value - mean) * (value - mean)));
    }

    /// <summary>Compares second differences with first ones: the ratio depends neither on contrast nor on the amount of detail.</summary>
    private static bool IsBlurred(double[] grey, int width, int height)
    {
        var (laplacian, gradient) = (0.0, 0.0);
        for (var y = 1; y < height - 1; y++)
        {
            for (var x = 1; x < width - 1; x++)
            {
                var i = y * width + x;
                var (right, below) = (grey[i + 1] - grey[i], grey[i + width] - grey[i]);
                var second = right + below + grey[i - 1] - grey[i] + grey[i - width] - grey[i];
                laplacian += second * second;
                gradient += right * right + below * below;
            }
        }

        return laplacian < Sharp * gradient;
    }

    private static bool IsGraphic(WholePicture small)
    {
        var (n, same, isGrey, last) = (small.Width * small.Height, 0, true, 0);
        var red = small.Planes[..n];
        var green = small.Planes[n..(2 * n)];
        var blue = small.Planes[(2 * n)..];
        var colours = new HashSet<int>();
        for (var i = 0; i < n; i++)
        {
            var colour = red[i] << 16 | green[i] << 8 | blue[i];
            colours.Add(colour);
            isGrey &= red[i] == green[i] && red[i] == blue[i];
            same += i % small.Width > 0 && colour == last ? 1 : 0;
            last = colour;
        }

        var flat = (double)same / Math.Max(1, (small.Width - 1) * small.Height);
        return isGrey ? flat > FlatGreyPairs : flat > FlatPairs && colours.Count < FewColours * n;
    }
}
