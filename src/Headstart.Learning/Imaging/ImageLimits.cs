namespace Headstart.Learning.Imaging;

/// <summary>What a file may ask of us.</summary>
public sealed record ImageLimits
{
    /// <summary>Largest file in bytes.</summary>
    public long MaxBytes { get; init; } = 20 * 1024 * 1024;

    /// <summary>Largest width x height x pages, as the file's header claims them.</summary>
    public long MaxPixels { get; init; } = 100_000_000;

    /// <summary>Smallest width and height in pixels.</summary>
    public int MinSide { get; init; } = 8;
}

/// <summary>What the header of an accepted image says.</summary>
/// <param name="Width">Pixels across, as a person sees the image: EXIF rotation applied.</param>
/// <param name="Height">Pixels down, as a person sees the image.</param>
/// <param name="MediaType">Such as <c>image/jpeg</c>.</param>
public sealed record ImageInfo(int Width, int Height, string MediaType);
