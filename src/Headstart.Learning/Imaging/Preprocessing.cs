using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Headstart.Learning.Imaging;

/// <summary>
/// Input of a backbone: the shorter side scaled to <paramref name="Size"/> pixels, the centre cropped, values scaled to 0..1, then
/// <c>(value - mean) / std</c> per channel. The same recipe serves training, prediction and export. <see cref="Version"/> defines how
/// pixels are scaled.
/// </summary>
/// <param name="Size">Side of the square input in pixels.</param>
/// <param name="Mean">Per-channel mean, R, G, B, of values in 0..1.</param>
/// <param name="Std">Per-channel standard deviation, R, G, B, of values in 0..1; not zero.</param>
public sealed record Preprocessing(int Size, IReadOnlyList<float> Mean, IReadOnlyList<float> Std)
{
    /// <summary>The version that <see cref="CentreSquare"/> defines; used for all new trainings.</summary>
    public const int Latest = 2;

    /// <summary>Incremented when a change of the code changes the numbers. Version 1 is the thumbnailer of libvips (blocks, then Lanczos),
    /// which heads of earlier trainings still use.</summary>
    public int Version { get; init; } = Latest;

    /// <summary>Inputs with equal values share one decoded <see cref="CentreSquare"/>.</summary>
    public (int Size, int Version) Square => (Size, Version);

    /// <summary>Number of values of one preprocessed image: 3 x <see cref="Size"/> x <see cref="Size"/>.</summary>
    public int Length => 3 * Size * Size;

    /// <summary>
    /// A stable name such as <c>centre224-1a2b3c4d-v2</c>: part of feature cache keys and head artifacts. The last part is
    /// <see cref="Version"/>.
    /// </summary>
    public string Id => $"centre{Size}-{Convert.ToHexStringLower(SHA256.HashData(Numbers()).AsSpan(0, 4))}-v{Version}";

    /// <summary>Lowest and highest possible value of a preprocessed image.</summary>
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
