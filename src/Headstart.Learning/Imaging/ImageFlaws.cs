namespace Headstart.Learning.Imaging;

/// <summary>What makes an image a bad example, as far as its pixels show it. Never a reason to refuse it: the data may be like
/// that.</summary>
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

    /// <summary>More than three times as long as wide, or as wide as long: backbones see only the square in its middle.</summary>
    OddShape = 16,

    /// <summary>Areas of exactly one colour, as in screenshots, charts and drawings.</summary>
    Graphic = 32,

    /// <summary>A side has less than 32 pixels.</summary>
    Tiny = 64,
}

/// <summary>
/// Looks for <see cref="ImageFlaws"/> in the 64 pixels at which an upload is decoded anyway. The list is that of CleanVision
/// (github.com/cleanlab/cleanvision); the measures and their limits are our own, and docs/measurements.md has how often they are wrong.
/// </summary>
internal static class FlawFinder
{
    // docs/measurements.md: where sharp photographs and blurred ones lie.
    private const double Sharp = 0.9;
    private const double LowestBright = 215, HighestDark = 50; // of 255, for all but a hundredth of the pixels
    private const double LeastContrast = 5; // standard deviation, of 255
    private const double FlatPairs = 0.3, FlatGreyPairs = 0.6, FewColours = 0.2; // shares of the neighbours, and of the pixels
    private const int OddRatio = 3, TinySide = 32;

    /// <param name="small">The image in a square of <paramref name="side"/> pixels.</param>
    /// <param name="side">Pixels.</param>
    public static ImageFlaws Of(WholePicture small, int side)
    {
        var (header, grey) = (small.Header, small.Grey());
        var (shorter, longer) = (Math.Min(header.Width, header.Height), Math.Max(header.Width, header.Height));
        var flaws = Of(shorter < TinySide, ImageFlaws.Tiny) | Of(longer > OddRatio * shorter, ImageFlaws.OddShape)
            | Of(IsGraphic(small), ImageFlaws.Graphic) | Brightness(grey);
        // One colour has no edges that could be sharp, and what was scaled up has none any more.
        return Deviation(grey) < LeastContrast ? flaws | ImageFlaws.Empty
            : flaws | Of(longer >= side && IsBlurred(grey, small.Width, small.Height), ImageFlaws.Blurred);
    }

    private static ImageFlaws Of(bool found, ImageFlaws flaw) => found ? flaw : ImageFlaws.None;

    private static ImageFlaws Brightness(double[] grey)
    {
        var sorted = grey.Order().ToArray();
        var hundredth = sorted.Length / 100;
        return Of(sorted[^(1 + hundredth)] < HighestDark, ImageFlaws.Dark) | Of(sorted[hundredth] > LowestBright, ImageFlaws.Bright);
    }

    private static double Deviation(double[] grey)
    {
        var mean = grey.Average();
        return Math.Sqrt(grey.Average(value => (value - mean) * (value - mean)));
    }

    /// <summary>Second differences against first ones: their ratio does not depend on contrast, nor on how much there is to see.</summary>
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
