using System.Numerics.Tensors;

namespace Headstart.Learning.Imaging;

/// <summary>
/// A perceptual hash that keeps numbers instead of bits: the image as 32 x 32 grey pixels, minus their mean and scaled to length 1.
/// Scaling, compression and retouching hardly change it. (64-bit hashes such as dHash cannot tell different hands in front of a wall
/// apart.)
/// </summary>
public sealed class Fingerprint
{
    private const int Side = 32;

    private readonly byte[] _grey;
    private readonly float[] _places;

    /// <param name="grey">The result of <see cref="Grey"/>.</param>
    /// <exception cref="ArgumentException">It is of another length.</exception>
    public Fingerprint(byte[] grey)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(grey.Length, Side * Side);
        (_grey, _places) = (grey, new float[grey.Length]);
        TensorPrimitives.ConvertTruncating<byte, float>(grey, _places);
        TensorPrimitives.Subtract(_places, TensorPrimitives.Sum<float>(_places) / _places.Length, _places);
        var norm = TensorPrimitives.Norm<float>(_places);
        TensorPrimitives.Multiply(_places, norm > 0 ? 1 / norm : 0, _places);
    }

    /// <summary>The grey pixels, row by row, from which the fingerprint can be restored.</summary>
    public ReadOnlyMemory<byte> Grey => _grey;

    /// <exception cref="ImageRefusedException">The bytes are not a readable image.</exception>
    public static Fingerprint Of(byte[] image)
    {
        using var small = WholePicture.Of(image, 2 * Side);
        using var scaler = new PictureScaler(new ScalePlan(Axis(small.Width), Axis(small.Height), orientation: 1), bands: 1);
        byte[] grey = [.. small.Grey().Select(value => (byte)Math.Round(value))];
        var places = new byte[Side * Side];
        for (var y = 0; y < small.Height; y++)
        {
            scaler.Add(grey.AsSpan(y * small.Width, small.Width), places);
        }

        return new Fingerprint(places);

        static TriangleFilter Axis(int pixels) => new(0, pixels, Side, 0, Side, (pixels, 1));
    }

    /// <summary>Correlation of two fingerprints, -1..1; above 0.98 for copies of one image.</summary>
    public double Likeness(Fingerprint other) =>
        TensorPrimitives.Dot<float>(_places, other._places);
}
