using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Headstart.Learning.Imaging;

/// <summary>
/// What a backbone wants to see: the shorter side scaled to <paramref name="Size"/> pixels, the centre cut out, values scaled to
/// 0..1, then <c>(value - mean) / std</c> per channel. The same recipe serves training, prediction and export. How pixels are scaled is
/// what <see cref="Version"/> says.
/// </summary>
/// <param name="Size">Side of the square input in pixels.</param>
/// <param name="Mean">Per-channel mean, R, G, B, of values in 0..1.</param>
/// <param name="Std">Per-channel standard deviation, R, G, B, of values in 0..1; not zero.</param>
public sealed record Preprocessing(int Size, IReadOnlyList<float> Mean, IReadOnlyList<float> Std)
{
    /// <summary>The version whose definition is <see cref="CentreSquare"/>'s; what is trained today has it.</summary>
    public const int Latest = 2;

    /// <summary>
    /// Counts changes of the code that changed the numbers. 1 is how libvips makes thumbnails (blocks, then Lanczos), which heads of
    /// earlier trainings still read.
    /// </summary>
    public int Version { get; init; } = Latest;

    /// <summary>What decoding has to give: inputs for which this is equal come from the same <see cref="CentreSquare"/>.</summary>
    public (int Size, int Version) Square => (Size, Version);

    /// <summary>Number of values of one preprocessed image: 3 x <see cref="Size"/> x <see cref="Size"/>.</summary>
    public int Length => 3 * Size * Size;

    /// <summary>
    /// A stable name such as <c>centre224-1a2b3c4d-v2</c>: part of feature cache keys and head artifacts. The last part is
    /// <see cref="Version"/>.
    /// </summary>
    public string Id => $"centre{Size}-{Convert.ToHexStringLower(SHA256.HashData(Numbers()).AsSpan(0, 4))}-v{Version}";

    /// <summary>Lowest and highest value that a preprocessed image can have.</summary>
    public (float Low, float High) Range => (Enumerable.Range(0, Mean.Count).Min(band => -Mean[band] / Std[band]),
        Enumerable.Range(0, Mean.Count).Max(band => (1 - Mean[band]) / Std[band]));

    public bool Equals(Preprocessing? other) =>
        other is not null && Square == other.Square && Mean.SequenceEqual(other.Mean) && Std.SequenceEqual(other.Std);

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
