using System.Buffers;

namespace Headstart.Learning.Imaging;

/// <summary>
/// All of an image, upright, 8-bit sRGB, its longer side scaled to a number of pixels. Decoded and scaled like <see cref="CentreSquare"/>.
/// The bytes are in a borrowed array.
/// </summary>
internal sealed class WholePicture : IDisposable
{
    private const int Bands = 3;

    private readonly byte[] _rented; // [3, Height, Width]

    private WholePicture(ImageHeader header, ScaleTarget target)
    {
        (Header, (Width, Height)) = (header, target.Result(header.Width, header.Height));
        _rented = ArrayPool<byte>.Shared.Rent(Bands * Width * Height);
    }

    /// <summary>The size of the image in its file.</summary>
    public ImageHeader Header { get; }

    /// <summary>Pixels across.</summary>
    public int Width { get; }

    /// <summary>Pixels down.</summary>
    public int Height { get; }

    /// <summary>Planes R, G, B, each row by row.</summary>
    public ReadOnlySpan<byte> Planes => Pixels;

    private Span<byte> Pixels => _rented.AsSpan(0, Bands * Width * Height);

    /// <param name="file">The image's bytes.</param>
    /// <param name="size">Pixels of the longer side.</param>
    /// <exception cref="ImageRefusedException">The file cannot be read, or is damaged anywhere.</exception>
    public static WholePicture Of(byte[] file, int size)
    {
        if (JpegHeader.OfOrdinary(file) is { } jpeg && TryRead(file, jpeg, size) is { } picture)
        {
            return picture;
        }

        return Of(ImageSource.Open(file), size);
    }

    /// <param name="source">Read by libvips and the decoders beside it.</param>
    /// <param name="size">Pixels of the longer side.</param>
    /// <exception cref="ImageRefusedException">The file is damaged anywhere.</exception>
    public static WholePicture Of(ImageSource source, int size)
    {
        var target = new ScaleTarget(size, IsWhole: true);
        using var image = source.Scaled(target);
        var picture = new WholePicture(source.Header, target);
        CentreSquare.CopyPixels(image, picture.Pixels);
        return picture;
    }

    /// <returns>null if the file is not as ordinary as its header: libvips then decides what is wrong with it.</returns>
    /// <param name="file">The image's bytes.</param>
    /// <param name="jpeg">Its header.</param>
    /// <param name="size">Pixels of the longer side.</param>
    public static WholePicture? TryRead(byte[] file, JpegHeader jpeg, int size)
    {
        var target = new ScaleTarget(size, IsWhole: true);
        var picture = new WholePicture(jpeg.Upright, target);
        if (OrdinaryJpeg.TryRead(file, jpeg, target, picture.Pixels))
        {
            return picture;
        }

        picture.Dispose();
        return null;
    }

    /// <summary>Rec. 601 grey, row by row.</summary>
    public double[] Grey()
    {
        var planes = Planes;
        var n = Width * Height;
        var grey = new double[n];
        for (var i = 0; i < n; i++)
        {
            grey[i] = 0.299 * planes[i] + 0.587 * planes[n + i] + 0.114 * planes[2 * n + i];
        }

        return grey;
    }

    /// <summary>Returns the array; the picture must not be used afterwards.</summary>
    public void Dispose() => ArrayPool<byte>.Shared.Return(_rented);
}
