namespace Headstart.Learning.Imaging;

/// <summary>Limits for image files.</summary>
public sealed record ImageLimits
{
    /// <summary>Largest file in bytes.</summary>
    public long MaxBytes { get; init; } = 50 * 1024 * 1024;

    /// <summary>Largest width x height, as declared in the header; of animations one frame, because only the first is used.</summary>
    public long MaxPixels { get; init; } = 250_000_000;

    /// <summary>The same for formats that are decoded whole, at ten to seventeen bytes per pixel: HEIC, AVIF, BMP, JPEG 2000, JPEG XL and
    /// GIF. Others are read in parts or at a smaller size: a JPEG of 200 million pixels takes 60 MB.</summary>
    public long MaxWholePixels => MaxPixels / 5 * 2;

    /// <summary>Smallest width and height in pixels.</summary>
    public int MinSide { get; init; } = 8;
}

/// <summary>Properties of an accepted image.</summary>
/// <param name="Width">Pixels across, of the upright image: EXIF rotation applied.</param>
/// <param name="Height">Pixels down, of the upright image.</param>
/// <param name="MediaType">For example <c>image/jpeg</c>.</param>
/// <param name="Flaws">Flaws that make it a bad example.</param>
public sealed record ImageInfo(int Width, int Height, string MediaType, ImageFlaws Flaws)
{
    /// <summary>EXIF tag 0x0112, 1 to 8: how the stored image is rotated and mirrored to become upright; 5 to 8 swap its sides.</summary>
    public int Orientation { get; init; } = 1;
}
