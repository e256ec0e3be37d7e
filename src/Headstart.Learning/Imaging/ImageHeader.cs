using ImageMagick;
using NetVips;

namespace Headstart.Learning.Imaging;

/// <summary>Declared properties of a file's first image. Width and height are those of the upright image, EXIF rotation applied.</summary>
internal sealed record ImageHeader(int Width, int Height)
{
    /// <summary>EXIF tag 0x0112, 1 to 8: how the stored rows are rotated and mirrored to become upright.</summary>
    public int Orientation { get; init; } = 1;

    public long Pixels => (long)Width * Height;

    // Orientations 5 to 8 swap the sides (EXIF 2.3, tag 0x0112).
    public static ImageHeader Of(Image image) =>
        Upright(image.Width, image.Height, OrientationOf(image));

    /// <summary>EXIF tag 0x0112, 1 to 8.</summary>
    public static int OrientationOf(Image image) =>
        image.Contains("orientation") && (int)image.Get("orientation") is >= 1 and <= 8 and var orientation ? orientation : 1;

    public static ImageHeader Of(IMagickImage image) =>
        Upright((int)image.Width, (int)image.Height, Math.Clamp((int)image.Orientation, 1, 8));

    public ImageRefusal? Refuse(string mediaType, ImageLimits limits)
    {
        var whole = ImageFormat.IsDecodedWhole(mediaType);
        return Width < limits.MinSide || Height < limits.MinSide ? ImageRefusal.TooSmall(Width, Height, limits.MinSide)
            : Pixels > limits.MaxPixels ? ImageRefusal.TooManyPixels(Width, Height, limits.MaxPixels)
            : Pixels > limits.MaxWholePixels && whole ? ImageRefusal.TooManyWholePixels(Width, Height, limits)
            : null;
    }

    public static ImageHeader Upright(int width, int height, int orientation) =>
        (orientation >= 5 ? new ImageHeader(height, width) : new(width, height)) with { Orientation = orientation };
}
