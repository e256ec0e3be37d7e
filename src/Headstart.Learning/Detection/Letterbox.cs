using System.Numerics.Tensors;
using Headstart.Learning.Imaging;

namespace Headstart.Learning.Detection;

/// <summary>
/// What a detector sees of an image: all of it, upright, 8-bit sRGB, its longer side scaled to a resolution, in the upper left corner of a
/// canvas whose sides are multiples of 32. The rest of the canvas has the network's mean colour.
/// </summary>
public sealed class Letterbox : IDisposable
{
    /// <summary>The largest stride: with it all maps have whole sides.</summary>
    public const int Multiple = 32;

    private const int Bands = 3;

    private readonly WholePicture _picture;

    private Letterbox(WholePicture picture)
    {
        _picture = picture;
        Frame = new(picture.Header.Width, picture.Header.Height, picture.Width, picture.Height);
    }

    /// <summary>The sizes of the image, in the file and here.</summary>
    public PictureFrame Frame { get; }

    /// <summary>Pixels across the scaled image; its longer side is the resolution.</summary>
    public int Width => Frame.Width;

    /// <summary>Pixels down the scaled image.</summary>
    public int Height => Frame.Height;

    /// <summary>Pixels across the canvas.</summary>
    public int CanvasWidth => Whole(Width);

    /// <summary>Pixels down the canvas.</summary>
    public int CanvasHeight => Whole(Height);

    /// <summary>Planes R, G, B of the scaled image, each row by row.</summary>
    internal ReadOnlySpan<byte> Planes => _picture.Planes;

    /// <param name="file">The image's bytes.</param>
    /// <param name="resolution">Pixels of the longer side.</param>
    /// <exception cref="ImageRefusedException">The file cannot be read, or is damaged anywhere.</exception>
    public static Letterbox Of(byte[] file, int resolution)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(resolution);
        return new(WholePicture.Of(file, resolution));
    }

    /// <summary>The smallest multiple of <see cref="Multiple"/> that is not less.</summary>
    public static int Whole(int side) => (side + Multiple - 1) / Multiple * Multiple;

    /// <summary>The values that a backbone wants.</summary>
    /// <param name="chw">Receives <c>[3, CanvasHeight, CanvasWidth]</c>: planes R, G, B.</param>
    /// <param name="p">Its mean and standard deviation; its size says nothing here.</param>
    public void Fill(Span<float> chw, Preprocessing p)
    {
        ArgumentNullException.ThrowIfNull(p);
        ArgumentOutOfRangeException.ThrowIfNotEqual(chw.Length, Bands * CanvasWidth * CanvasHeight);
        chw.Clear();
        for (var i = 0; i < Bands * Height; i++)
        {
            var (band, y) = (i / Height, i % Height);
            var row = chw.Slice((band * CanvasHeight + y) * CanvasWidth, Width);
            TensorPrimitives.ConvertTruncating(Planes.Slice(i * Width, Width), row);
            Normalise(row, p, band);
        }
    }

    /// <summary>From 0..255 to what a backbone wants.</summary>
    internal static void Normalise(Span<float> values, Preprocessing p, int band)
    {
        TensorPrimitives.Multiply(values, 1 / (255 * p.Std[band]), values);
        TensorPrimitives.Add(values, -p.Mean[band] / p.Std[band], values);
    }

    /// <summary>Gives the array back; the image is gone afterwards.</summary>
    public void Dispose() => _picture.Dispose();
}

/// <summary>How large an image is in its file and on the canvas, in pixels.</summary>
/// <param name="PictureWidth">Upright, in the file.</param>
/// <param name="PictureHeight">Upright, in the file.</param>
/// <param name="Width">On the canvas.</param>
/// <param name="Height">On the canvas.</param>
public readonly record struct PictureFrame(int PictureWidth, int PictureHeight, int Width, int Height)
{
    /// <summary>Width over height.</summary>
    public double Aspect => (double)PictureWidth / PictureHeight;

    /// <summary>The part of a box that is in the image, from pixels of the canvas to shares of the image.</summary>
    internal Box ToPicture(Sides box) =>
        Box.Between(box.Left / Width, box.Top / Height, box.Right / Width, box.Bottom / Height).Clip();
}
