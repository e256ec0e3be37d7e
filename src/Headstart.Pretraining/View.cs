using System.Runtime.InteropServices;
using NetVips;

namespace Headstart.Pretraining;

/// <summary>
/// A part of a photograph, perhaps mirrored. Teachers and student look at the same part ("Knowledge distillation: a good teacher is patient
/// and consistent", Beyer et al. 2022), each at its own size.
/// </summary>
/// <param name="Number">0 is the centre square; others are random parts of 40 to 100 % of the area.</param>
public readonly record struct View(int Photograph, int Number, int Seed)
{
    private const double SmallestArea = 0.4;
    private const double LongestSide = 4.0 / 3;

    /// <summary>Cuts this view out of an upright 8-bit sRGB image.</summary>
    public Image CutFrom(Image image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var (left, top, width, height) = Box(image.Width, image.Height, out var mirrored);
        var part = image.ExtractArea(left, top, width, height);
        if (!mirrored)
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

    private (int Left, int Top, int Width, int Height) Box(int width, int height, out bool mirrored)
    {
        mirrored = false;
        var side = Math.Min(width, height);
        if (Number == 0)
        {
            return ((width - side) / 2, (height - side) / 2, side, side);
        }

        var random = new Random(unchecked((Seed * 31 + Number) * 1_000_003 + Photograph));
        mirrored = random.Next(2) == 1;
        var area = (SmallestArea + (1 - SmallestArea) * random.NextDouble()) * side * side;
        var ratio = Math.Pow(LongestSide, random.NextDouble() * 2 - 1);
        var w = Math.Clamp((int)Math.Round(Math.Sqrt(area * ratio)), 1, width);
        var h = Math.Clamp((int)Math.Round(Math.Sqrt(area / ratio)), 1, height);
        return (random.Next(width - w + 1), random.Next(height - h + 1), w, h);
    }
}
