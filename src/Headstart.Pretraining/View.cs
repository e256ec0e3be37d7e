using System.Runtime.InteropServices;
using NetVips;

namespace Headstart.Pretraining;

/// <summary>
/// A random part of a photograph, perhaps mirrored. Teacher and student look at the same part ("Knowledge distillation: a good teacher is
/// patient and consistent", Beyer et al. 2022), each at its own size.
/// </summary>
public static class View
{
    private const double SmallestArea = 0.35; // of the largest square
    private const double LongestSide = 4.0 / 3;

    /// <summary>Cuts a part out of an upright 8-bit sRGB image.</summary>
    public static Image CutFrom(Image image, Random random)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(random);
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

    /// <summary>The view as <c>[size, size, 3]</c> bytes.</summary>
    public static byte[] Render(Image part, int size)
    {
        ArgumentNullException.ThrowIfNull(part);
        using var scaled = part.ThumbnailImage(size, height: size, size: Enums.Size.Force);
        var memory = scaled.WriteToMemory(out var length);
        try
        {
            var pixels = new byte[3 * size * size];
            if (length != (ulong)pixels.Length)
            {
                throw new InvalidDataException($"The view has {length} bytes and not three of 8 bits a pixel.");
            }

            Marshal.Copy(memory, pixels, 0, pixels.Length);
            return pixels;
        }
        finally
        {
            NetVips.NetVips.Free(memory);
        }
    }
}
