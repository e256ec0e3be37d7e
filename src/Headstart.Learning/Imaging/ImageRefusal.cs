namespace Headstart.Learning.Imaging;

/// <summary>Why a file is not accepted as an image.</summary>
/// <param name="Reason">One of <see cref="Reasons"/>: stable, for programs.</param>
/// <param name="Detail">A sentence for people that says what to do.</param>
public sealed record ImageRefusal(string Reason, string Detail)
{
    /// <summary>Every value <see cref="Reason"/> can have.</summary>
    public static IReadOnlyList<string> Reasons { get; } =
        ["empty", "too-large", "unsupported-format", "too-many-pixels", "too-small", "damaged"];

    internal static ImageRefusal Empty { get; } = new("empty", "The file is empty: send the image itself.");

    internal static ImageRefusal UnsupportedFormat { get; } = new("unsupported-format",
        "The file is not an image we can read: send a JPEG, PNG, WebP, GIF, TIFF or AVIF image.");

    internal static ImageRefusal Damaged { get; } = new("damaged",
        "The image is damaged or incomplete: save or export it again, then send the new file.");

    internal static ImageRefusal TooLarge(long bytes, long limit) => new("too-large",
        $"The file has {bytes:N0} bytes and the limit is {limit:N0}: send a smaller version; a side of 1,000 pixels is plenty.");

    internal static ImageRefusal TooManyPixels(long width, long height, long pages, long limit) => new("too-many-pixels",
        $"The image has {width:N0} x {height:N0} pixels{(pages > 1 ? $" on {pages:N0} pages" : "")} and the limit is {limit:N0} in all: "
        + "scale it down; a side of 1,000 pixels is plenty.");

    internal static ImageRefusal TooSmall(int width, int height, int limit) => new("too-small",
        $"The image has {width} x {height} pixels and each side needs at least {limit}: send a larger version.");
}

/// <summary>Thrown where a caller asked for pixels of a file that has none to give; see <see cref="Refusal"/>.</summary>
public sealed class ImageRefusedException(ImageRefusal refusal, Exception? inner = null) : Exception(refusal.Detail, inner)
{
    public ImageRefusal Refusal { get; } = refusal;
}
