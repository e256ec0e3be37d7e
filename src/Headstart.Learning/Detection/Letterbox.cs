using Headstart.Learning.Imaging;

namespace Headstart.Learning.Detection;

/// <summary>
/// The input of a detector: the whole image, upright, 8-bit sRGB, its longer side scaled to the resolution, in the upper left corner of a
/// canvas whose sides are multiples of 32. The rest of the canvas has the network's mean colour.
/// </summary>
public sealed class Letterbox : IDisposable
{
    /// <summary>The largest stride, so that every map has whole sides.</summary>
    public const int Multiple = 32;

    private const int Bands = 3;

    private readonly WholePicture _picture;

    private Letterbox(WholePicture picture)
    {
        _picture = picture;
        Frame = new(picture.Header.Width, picture.Header.Height, picture.Width, picture.Height);
    }

    /// <summary>Sizes of the image, in the file and on the canvas.</summary>
    public PictureFrame Frame { get; }

    /// <summary>Width of the scaled image in pixels.</summary>
    public int Width => Frame.Width;

    /// <summary>Height of the scaled image in pixels.</summary>
    public int Height => Frame.Height;

    /// <summary>Width of the canvas in pixels.</summary>
    public int CanvasWidth => Whole(Width);

    /// <summary>Height of the canvas in pixels.</summary>
    public int CanvasHeight => Whole(Height);

    /// <summary>Planes R, G, B of the scaled image, each row by row.</summary>
    internal ReadOnlySpan<byte> Planes => _picture.Planes;

    /// <param name="file">The image's bytes.</param>
    /// <param name="resolution">Longer side in pixels.</param>
    /// <exception cref="ImageRefusedException">The file cannot be read, or is damaged anywhere.</exception>
    public static Letterbox Of(byte[] file, int resolution)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(resolution);
        return new(WholePicture.Of(file, resolution));
    }

    /// <summary>Rounds up to a multiple of <see cref="Multiple"/>.</summary>
    public static int Whole(int side) => (side + Multiple - 1) / Multiple * Multiple;

    /// <summary>Writes the normalised canvas, the input of a backbone.</summary>
    /// <param name="chw">Receives <c>[3, CanvasHeight, CanvasWidth]</c>: planes R, G, B.</param>
    /// <param name="p">Mean and standard deviation; its size is ignored.</param>
    public void Fill(Span<float> chw, Preprocessing p)
    {
        ArgumentNullException.ThrowIfNull(p);
        ArgumentOutOfRangeException.ThrowIfNotEqual(chw.Length, Bands * CanvasWidth * CanvasHeight);
        chw.Clear();
        for (var i = 0; i < Bands * Height; i++)
        {
            var (band, y) = (i / Height, i % Height);
            var row = chw.Slice((band * CanvasHeight + y) * CanvasWidth, Width);
            ByteConversion.ToFloats(Planes.Slice(i * Width, Width), 1 / (255 * p.Std[band]), -p.Mean[band] / p.Std[band], row);
        }
    }

    /// <summary>Returns the pixel buffer to its pool; the pixels must not be read afterwards.</summary>
    public void Dispose() => _picture.Dispose();
}

/// <summary>Sizes of an image in its file and on the canvas, in pixels.</summary>
/// <param name="PictureWidth">Width in the file, upright.</param>
/// <param name="PictureHeight">Height in the file, upright.</param>
/// <param name="Width">Width on the canvas.</param>
/// <param name="Height">Height on the canvas.</param>
public readonly record struct PictureFrame(int PictureWidth, int PictureHeight, int Width, int Height)
{
    /// <summary>Width over height.</summary>
    public double Aspect => (double)PictureWidth / PictureHeight;

    /// <summary>Converts a box from canvas pixels to shares of the image, and clips it to the image.</summary>
    internal Box ToPicture(Sides box) =>
        Box.Between(box.Left / Width, box.Top / Height, box.Right / Width, box.Bottom / Height).Clip();
}
