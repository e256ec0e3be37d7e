using System.Numerics;
using System.Runtime.InteropServices;
using NetVips;

namespace Headstart.Learning.Imaging;

/// <summary>
/// 64 bits that stay almost the same when an image is scaled, compressed or slightly edited: whether each of 8 x 8 places is brighter than the one to its right.
/// Known as dHash.
/// </summary>
public static class PerceptualHash
{
    private const int Side = 8;
    private const int DecodeAt = 64; // shrinking in two steps is faster and, by averaging, steadier

    /// <exception cref="ImageRefusedException">The bytes are no image that can be read.</exception>
    public static ulong Of(byte[] image)
    {
        using var small = ImageReader.Decode(image, DecodeAt, Enums.Interesting.None, Enums.Size.Both);
        using var grey = small.Colourspace(Enums.Interpretation.Bw);
        using var places = grey.ThumbnailImage(Side + 1, height: Side, size: Enums.Size.Force);
        var memory = places.WriteToMemory(out var length);
        try
        {
            var values = new byte[length];
            Marshal.Copy(memory, values, 0, values.Length);
            var hash = 0UL;
            for (var i = 0; i < Side * Side; i++)
            {
                var at = i / Side * (Side + 1) + i % Side;
                hash |= (values[at] > values[at + 1] ? 1UL : 0) << i;
            }

            return hash;
        }
        finally
        {
            NetVips.NetVips.Free(memory);
        }
    }

    /// <summary>In how many of the 64 places two hashes differ; images that have nothing to do with each other differ in about 32.</summary>
    public static int Distance(ulong one, ulong other) => BitOperations.PopCount(one ^ other);
}
