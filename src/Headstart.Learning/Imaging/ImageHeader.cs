using NetVips;

namespace Headstart.Learning.Imaging;

/// <summary>The claims of a file about itself. Sizes are as a person sees the image, EXIF rotation applied.</summary>
internal sealed record ImageHeader(int Width, int Height, int Pages)
{
    public static ImageHeader Of(Image image)
    {
        var pages = image.Contains("n-pages") ? Math.Max(1, (int)image.Get("n-pages")) : 1;
        // Orientations 5 to 8 swap the sides (EXIF 2.3, tag 0x0112).
        var onItsSide = image.Contains("orientation") && (int)image.Get("orientation") is >= 5 and <= 8;
        return onItsSide ? new(image.Height, image.Width, pages) : new(image.Width, image.Height, pages);
    }

    public ImageRefusal? Refuse(ImageLimits limits)
    {
        if (Width < limits.MinSide || Height < limits.MinSide)
        {
            return ImageRefusal.TooSmall(Width, Height, limits.MinSide);
        }

        return (Int128)Width * Height * Pages > limits.MaxPixels
            ? ImageRefusal.TooManyPixels(Width, Height, Pages, limits.MaxPixels)
            : null;
    }
}
