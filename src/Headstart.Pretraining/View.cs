using Headstart.Learning.Imaging;
using NetVips;

namespace Headstart.Pretraining;

/// <summary>
/// A random part of a photograph, perhaps mirrored. Teacher and student look at the same part ("Knowledge distillation: a good teacher is
/// patient and consistent", Beyer et al. 2022), each at its own size.
/// </summary>
public static class View
{
    private const double SmallestArea = 0.35; // share of the largest square
    private const double LongestSide = 4.0 / 3;

    /// <summary>Cuts a random part out of an upright 8-bit sRGB image, perhaps mirrored.</summary>
    public static Image CutFrom(Image image, Random random)
    {
        var side = Math.Min(image.Width, image.Height);
        var area = (SmallestArea + (1 - SmallestArea) * random.NextDouble()) * side * side;
        var ratio = Math.Pow(LongestSide, random.NextDouble() * 2 - 1);
        var width = Math.Clamp((int)Math.Round(Math.Sqrt(area * ratio)), 1, image.Width);
        var height = Math.Clamp((int)Math.Round(Math.Sqrt(area / ratio)), 1, image.Height);
        var part = image.ExtractArea(random.Next(image.Width - width + 1), random.Next(image.Height - height + 1), width, height);
        if (random.Next(2) == 0)
        {
            return part;
        }

        using (part)
        {
            return part.FlipHor();
        }
    }

    /// <summary>The view as <c>[3, size, size]</c> bytes.</summary>
    public static byte[] Render(Image part, int size)
    {
        using var scaled = part.ThumbnailImage(size, height: size, size: Enums.Size.Force);
        var pixels = scaled.WriteToMemory<byte>();
        var planes = new byte[3 * size * size];
        if (pixels.Length != planes.Length)
        {
            throw new InvalidDataException($"The view has {pixels.Length} bytes instead of three per pixel.");
        }

        CentreSquare.SplitInto(planes, pixels);
        return planes;
    }
}
