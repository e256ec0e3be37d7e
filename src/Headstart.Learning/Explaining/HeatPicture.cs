using Headstart.Learning.Imaging;
using NetVips;

namespace Headstart.Learning.Explaining;

/// <summary>A heat map drawn over its photograph.</summary>
public static class HeatPicture
{
    /// <summary>Limit of the picture's longer side in pixels.</summary>
    public const int LargestSide = 448;

    private const float MostOpaque = 0.6f;
    private const int Bands = 3;

    // Seven of the 256 colours of "turbo" (Mikhailov, Google AI Blog 2019, Apache-2.0), blue to red, without its dark ends. Plainer
    // palettes of one hue get lost on flowers and wood.
    private static readonly (float Red, float Green, float Blue)[] Colours =
        [(70, 107, 227), (40, 187, 236), (49, 242, 153), (164, 252, 60), (237, 208, 58), (251, 128, 34), (210, 49, 5)];

    /// <summary>
    /// The whole photograph, upright, coloured where there is evidence for the label: red where it is strongest in this image, increasingly
    /// transparent below half of that, and nothing where there is none or evidence against the label. The part outside the centre square,
    /// which backbones do not see, is left unchanged.
    /// </summary>
    /// <param name="heat">The heat map of this image.</param>
    /// <param name="image">The file.</param>
    /// <returns>A PNG.</returns>
    /// <exception cref="ImageRefusedException">The file cannot be read.</exception>
    public static byte[] Over(this HeatMap heat, byte[] image)
    {
        using var photograph = ImageReader.Decode(image, LargestSide, Enums.Interesting.None, Enums.Size.Down);
        var (width, height) = (photograph.Width, photograph.Height);
        var pixels = photograph.WriteToMemory<byte>();
        Lay(heat, pixels, width, height);
        using var painted = Image.NewFromMemory(pixels, width, height, Bands, Enums.BandFormat.Uchar);
        using var picture = painted.Copy(interpretation: Enums.Interpretation.Srgb);
        return picture.PngsaveBuffer(keep: Enums.ForeignKeep.None);
    }

    /// <param name="heat">What to draw over the centre square.</param>
    /// <param name="pixels"><c>[height, width, 3]</c></param>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Pixels down.</param>
    private static void Lay(HeatMap heat, Span<byte> pixels, int width, int height)
    {
        var hottest = heat.Evidence.Max();
        if (!(hottest > 0))
        {
            return; // no evidence for the label anywhere
        }

        var side = Math.Min(width, height);
        var (left, top) = ((width - side) / 2, (height - side) / 2);
        var fine = Bilinear.Resize(heat.Evidence, heat.Cells, side);
        for (var y = 0; y < side; y++)
        {
            var row = pixels.Slice(Bands * ((top + y) * width + left), Bands * side);
            for (var x = 0; x < side; x++)
            {
                Paint(row.Slice(Bands * x, Bands), Math.Clamp(fine[y * side + x] / hottest, 0, 1));
            }
        }
    }

    private static void Paint(Span<byte> pixel, float heat)
    {
        var opaque = MostOpaque * Math.Min(1, 2 * heat);
        var place = heat * (Colours.Length - 1);
        var low = Math.Min((int)place, Colours.Length - 2);
        var (from, to) = (Colours[low], Colours[low + 1]);
        pixel[0] = Mix(pixel[0], Between(from.Red, to.Red, place - low), opaque);
        pixel[1] = Mix(pixel[1], Between(from.Green, to.Green, place - low), opaque);
        pixel[2] = Mix(pixel[2], Between(from.Blue, to.Blue, place - low), opaque);
    }

    private static byte Mix(byte under, float over, float opaque) => (byte)MathF.Round(Between(under, over, opaque));

    private static float Between(float from, float to, float share) => from + (to - from) * share;
}
