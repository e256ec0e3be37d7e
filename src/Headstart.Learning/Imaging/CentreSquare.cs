using System.Buffers;
using System.Runtime.InteropServices;

namespace Headstart.Learning.Imaging;

/// <summary>
/// What every backbone of one input size sees of an image: decoded once, however many of them look at it. The bytes are in a borrowed
/// array.
/// </summary>
public sealed class CentreSquare : IDisposable
{
    private const int Bands = 3;

    private readonly byte[] _rented;

    private CentreSquare(byte[] rented, int size) => (_rented, Size) = (rented, size);

    /// <summary>Pixels across and down.</summary>
    public int Size { get; }

    /// <summary>The middle of the image: 8-bit sRGB, alpha flattened on white, CMYK, 16-bit, grey and ICC converted, EXIF rotation applied,
    /// first frame.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="size">What its shorter side is scaled to.</param>
    /// <exception cref="ImageRefusedException">The file cannot be read, or is damaged anywhere.</exception>
    public static CentreSquare Of(byte[] bytes, int size)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        using var image = ImageReader.DecodeSquare(bytes, size);
        var memory = image.WriteToMemory(out var length);
        try
        {
            var expected = Bands * size * size;
            if (length != (ulong)expected)
            {
                throw new ImageRefusedException(ImageRefusal.Damaged);
            }

            var rented = ArrayPool<byte>.Shared.Rent(expected);
            Marshal.Copy(memory, rented, 0, expected);
            return new CentreSquare(rented, size);
        }
        finally
        {
            NetVips.NetVips.Free(memory);
        }
    }

    /// <summary>The values that a backbone wants.</summary>
    /// <param name="chw">Receives <c>[3, Size, Size]</c>: planes R, G, B.</param>
    /// <param name="p">Of this <see cref="Size"/>.</param>
    public void Fill(Span<float> chw, Preprocessing p)
    {
        ArgumentNullException.ThrowIfNull(p);
        if (p.Size != Size || chw.Length != p.Length)
        {
            throw new ArgumentException($"A square of {Size} pixels does not fill {chw.Length} values for an input of {p.Size} pixels.",
                nameof(chw));
        }

        ImageReader.Normalise(_rented.AsSpan(0, chw.Length), p, chw);
    }

    /// <summary>Gives the array back; the square is empty afterwards.</summary>
    public void Dispose() => ArrayPool<byte>.Shared.Return(_rented);
}
