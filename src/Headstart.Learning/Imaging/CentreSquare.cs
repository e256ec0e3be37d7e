using System.Buffers;

namespace Headstart.Learning.Imaging;

/// <summary>
/// The part of an image that all backbones of one input size see, decoded once for all of them, in a pooled array. The image is decoded at
/// full size, or shrunk by its codec in powers of two to no less than twice the target size; then an antialiased triangle filter scales it,
/// computing only the centre (<see cref="ScaleTarget"/>). Pillow and torchvision prepare training photographs the same way.
/// </summary>
public sealed class CentreSquare : IDisposable
{
    private const int Bands = 3;

    private readonly byte[] _rented; // [3, Size, Size]

    private CentreSquare(byte[] rented, int size, int version) => (_rented, Size, Version) = (rented, size, version);

    /// <summary>Pixels across and down.</summary>
    public int Size { get; }

    /// <summary><see cref="Preprocessing.Version"/> it was made by.</summary>
    public int Version { get; }

    /// <summary>Planes R, G, B, each row by row.</summary>
    internal ReadOnlySpan<byte> Planes => _rented.AsSpan(0, Bands * Size * Size);

    /// <summary>The centre of the image: 8-bit sRGB, alpha flattened on white, CMYK, 16-bit, grey and ICC converted, EXIF rotation applied,
    /// first frame.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="size">The length that the shorter side is scaled to.</param>
    /// <param name="version">The <see cref="Preprocessing.Version"/> to apply.</param>
    /// <exception cref="ImageRefusedException">The file cannot be read, or is damaged anywhere.</exception>
    public static CentreSquare Of(byte[] bytes, int size, int version = Preprocessing.Latest)
    {
        var rented = ArrayPool<byte>.Shared.Rent(Bands * size * size);
        try
        {
            var planes = rented.AsSpan(0, Bands * size * size);
            if (version == 1 || JpegHeader.OfOrdinary(bytes) is not { } jpeg
                || !OrdinaryJpeg.TryRead(bytes, jpeg, new(size, IsWhole: false), planes))
            {
                ReadWithVips(bytes, size, version, planes);
            }

            return new CentreSquare(rented, size, version);
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(rented);
            throw;
        }
    }

    /// <summary>Writes the values that a backbone reads.</summary>
    /// <param name="chw">Receives <c>[3, Size, Size]</c>: planes R, G, B.</param>
    /// <param name="p">A recipe with the same <see cref="Size"/> and <see cref="Version"/>.</param>
    public void Fill(Span<float> chw, Preprocessing p)
    {
        if (p.Square != (Size, Version) || chw.Length != p.Length)
        {
            throw new ArgumentException($"A square of {Size} pixels, version {Version}, does not fill {chw.Length} values of {p.Id}.",
                nameof(chw));
        }

        Normalise(Planes, p, chw);
    }

    /// <summary>Converts <c>[3, Size, Size]</c> bytes to floats.</summary>
    internal static void Normalise(ReadOnlySpan<byte> planes, Preprocessing p, Span<float> chw)
    {
        var plane = p.Size * p.Size;
        for (var channel = 0; channel < Bands; channel++)
        {
            ByteConversion.ToFloats(planes.Slice(channel * plane, plane), 1 / (255 * p.Std[channel]), -p.Mean[channel] / p.Std[channel],
                chw.Slice(channel * plane, plane));
        }
    }

    /// <summary>Returns the array to its pool; the square is empty afterwards.</summary>
    public void Dispose() => ArrayPool<byte>.Shared.Return(_rented);

    /// <summary>Decodes and scales with libvips and the decoders beside it, without Skia.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="size">Pixels across and down of the square.</param>
    /// <param name="version"><see cref="Preprocessing.Version"/>.</param>
    /// <param name="planes">Receives <c>[3, size, size]</c>.</param>
    internal static void ReadWithVips(byte[] bytes, int size, int version, Span<byte> planes)
    {
        using var image = version == 1 ? ImageReader.DecodeSquare(bytes, size) : ImageSource.Open(bytes).Scaled(new(size, IsWhole: false));
        CopyPixels(image, planes);
    }

    /// <param name="image">8-bit sRGB of three bands.</param>
    /// <param name="planes">Receives <c>[3, h, w]</c>.</param>
    internal static unsafe void CopyPixels(NetVips.Image image, Span<byte> planes)
    {
        var memory = image.WriteToMemory(out var length);
        try
        {
            if (length != (ulong)planes.Length)
            {
                throw new ImageRefusedException(ImageRefusal.Damaged);
            }

            SplitInto(planes, new ReadOnlySpan<byte>((void*)memory, (int)length));
        }
        finally
        {
            NetVips.NetVips.Free(memory);
        }
    }

    /// <summary>From <c>[n, 3]</c> to <c>[3, n]</c>.</summary>
    internal static void SplitInto(Span<byte> planes, ReadOnlySpan<byte> pixels)
    {
        var n = planes.Length / Bands;
        var red = planes[..n];
        var green = planes[n..(2 * n)];
        var blue = planes[(2 * n)..];
        for (var i = 0; i < n; i++)
        {
            red[i] = pixels[Bands * i];
            green[i] = pixels[Bands * i + 1];
            blue[i] = pixels[Bands * i + 2];
        }
    }
}
