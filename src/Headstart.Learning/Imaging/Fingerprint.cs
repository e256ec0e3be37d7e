using System.Numerics.Tensors;

namespace Headstart.Learning.Imaging;

/// <summary>
/// An image at 32 x 32 grey places, less their mean and scaled to length 1: a perceptual hash that keeps numbers instead of bits. It stays
/// almost the same when an image is scaled, compressed or retouched. (Hashes of 64 bits, such as dHash, cannot tell one hand before a wall
/// from another.)
/// </summary>
public sealed class Fingerprint
{
    private const int Side = 32;

    private readonly byte[] _grey;
    private readonly float[] _places;

    /// <param name="grey">What <see cref="Grey"/> gave.</param>
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

    /// <summary>The places, row by row: all that is needed to make it again.</summary>
    public ReadOnlyMemory<byte> Grey => _grey;

    /// <exception cref="ImageRefusedException">The bytes are no image that can be read.</exception>
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

    /// <summary>Correlation of the two images' places, -1..1; copies of one picture are above 0.98.</summary>
    public double Likeness(Fingerprint other) =>
        TensorPrimitives.Dot<float>(_places, other._places);
}
