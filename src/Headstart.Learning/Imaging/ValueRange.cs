using System.Runtime.InteropServices;
using NetVips;

namespace Headstart.Learning.Imaging;

/// <summary>The numbers that become black and white in images whose numbers are not colours: an X-ray has 12 bits in a 16-bit file, an
/// elevation model has metres, a microscope counts photons. Read as colours, they are black or white everywhere.</summary>
/// <param name="Low">Half a percent of all numbers are below it.</param>
/// <param name="High">Half a percent of all numbers are above it.</param>
internal sealed record ValueRange(double Low, double High)
{
    private const double Outside = 0.005;
    private const int SampledSide = 1_024; // pixels

    /// <summary>Numbers that almost all lie within this share of black or white are not colours.</summary>
    private const double Black = 1 / 16.0;

    /// <returns>null for an image whose numbers are colours or all equal.</returns>
    /// <exception cref="ImageRefusedException">It is damaged.</exception>
    public static ValueRange? Of(byte[] file)
    {
        using var image = Image.NewFromBuffer(file, access: Enums.Access.Sequential, failOn: Enums.FailOn.Error);
        if (image.Format == Enums.BandFormat.Uchar)
        {
            return null;
        }

        var values = Sample(image);
        if (values.Length == 0)
        {
            return null;
        }

        var (low, middle, high) = (values[(int)(Outside * values.Length)], values[values.Length / 2],
            values[(int)((1 - Outside) * (values.Length - 1))]);
        return low < high && !AreColours(image, low, middle, high) ? new(low, high) : null;
    }

    /// <summary>Scales to 8-bit grey or RGB. Transparency is dropped: in such files it is a mask or another measurement.</summary>
    public Image Scale(Image image)
    {
        using var colours = Colours(image);
        using var scaled = colours.Linear([255 / (High - Low)], [-255 * Low / (High - Low)]);
        using var rounded = scaled.Rint();
        using var bytes = rounded.Cast(Enums.BandFormat.Uchar);
        using var named = bytes.Copy(interpretation: colours.Bands == 1 ? Enums.Interpretation.Bw : Enums.Interpretation.Srgb);
        return named.Mutate(fields => fields.Remove("icc-profile-data"));
    }

    private static bool AreColours(Image image, float low, float middle, float high) => (image.Format, image.Interpretation) switch
    {
        (Enums.BandFormat.Ushort, _) => high > Black * ushort.MaxValue && low < (1 - Black) * ushort.MaxValue,
        // Linear light, 0 to 1 and beyond: the same shares of white as above, but linear (IEC 61966-2-1).
        (_, Enums.Interpretation.Scrgb) => high > 0.005 && middle is >= 0 and <= 1,
        (_, Enums.Interpretation.Lab or Enums.Interpretation.Labs or Enums.Interpretation.Xyz) => true,
        (Enums.BandFormat.Float or Enums.BandFormat.Double or Enums.BandFormat.Int or Enums.BandFormat.Uint, _) =>
            low >= 0 && high <= byte.MaxValue && high > Black * byte.MaxValue && low < (1 - Black) * byte.MaxValue,
        _ => false, // signed numbers of 8 or 16 bits
    };

    /// <summary>Sorted numbers, without those that are not finite.</summary>
    private static float[] Sample(Image image)
    {
        using var colours = Colours(image);
        using var fewer = colours.Subsample(Math.Max(1, image.Width / SampledSide), Math.Max(1, image.Height / SampledSide));
        using var floats = fewer.Cast(Enums.BandFormat.Float);
        var memory = floats.WriteToMemory(out var length);
        try
        {
            var values = new float[length / sizeof(float)];
            Marshal.Copy(memory, values, 0, values.Length);
            values = [.. values.Where(value => float.IsFinite(value) && MathF.Abs(value) < 1e30f)]; // 3.4e38 says "no data"
            Array.Sort(values);
            return values;
        }
        finally
        {
            NetVips.NetVips.Free(memory);
        }
    }

    private static Image Colours(Image image) => image.Bands is 2 or 4 ? image.ExtractBand(0, n: image.Bands - 1) : image.Copy();
}
