using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using NetVips;

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
        using var small = ImageReader.Decode(image, 4 * Side, Enums.Interesting.None, Enums.Size.Both); // shrinking in two steps is faster
        using var grey = small.Colourspace(Enums.Interpretation.Bw);
        using var scaled = grey.ThumbnailImage(Side, height: Side, size: Enums.Size.Force);
        var memory = scaled.WriteToMemory(out var length);
        try
        {
            var bytes = new byte[length];
            Marshal.Copy(memory, bytes, 0, bytes.Length);
            return new Fingerprint(bytes[..(Side * Side)]);
        }
        finally
        {
            NetVips.NetVips.Free(memory);
        }
    }

    /// <summary>Correlation of two fingerprints, -1..1; above 0.98 for copies of one image.</summary>
    public double Likeness(Fingerprint other) =>
        TensorPrimitives.Dot<float>(_places, other._places);
}
