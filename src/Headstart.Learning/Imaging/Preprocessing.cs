using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Headstart.Learning.Imaging;

/// <summary>
/// What a backbone wants to see: the shorter side scaled to <paramref name="Size"/> pixels, the centre cut out, values scaled to
/// 0..1, then <c>(value - mean) / std</c> per channel. The same recipe serves training, prediction and export.
/// </summary>
/// <param name="Size">Side of the square input in pixels.</param>
/// <param name="Mean">Per-channel mean, R, G, B, of values in 0..1.</param>
/// <param name="Std">Per-channel standard deviation, R, G, B, of values in 0..1; not zero.</param>
public sealed record Preprocessing(int Size, IReadOnlyList<float> Mean, IReadOnlyList<float> Std)
{
    /// <summary>Number of values of one preprocessed image: 3 x <see cref="Size"/> x <see cref="Size"/>.</summary>
    public int Length => 3 * Size * Size;

    /// <summary>
    /// A stable name such as <c>centre224-1a2b3c4d-v1</c>: part of feature cache keys and head artifacts. The last part counts
    /// changes of the code that would change the numbers.
    /// </summary>
    public string Id => $"centre{Size}-{Convert.ToHexStringLower(SHA256.HashData(Numbers()).AsSpan(0, 4))}-v1";

    /// <summary>Lowest and highest value that a preprocessed image can have.</summary>
    public (float Low, float High) Range => (Enumerable.Range(0, Mean.Count).Min(band => -Mean[band] / Std[band]),
        Enumerable.Range(0, Mean.Count).Max(band => (1 - Mean[band]) / Std[band]));

    public bool Equals(Preprocessing? other) =>
        other is not null && Size == other.Size && Mean.SequenceEqual(other.Mean) && Std.SequenceEqual(other.Std);

    public override int GetHashCode() => Id.GetHashCode(StringComparison.Ordinal);

    private byte[] Numbers()
    {
        float[] numbers = [Size, .. Mean, .. Std];
        var bytes = new byte[numbers.Length * sizeof(float)];
        for (var i = 0; i < numbers.Length; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), numbers[i]);
        }

        return bytes;
    }
}
