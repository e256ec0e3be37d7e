namespace Headstart.Learning.Imaging;

/// <summary>Why a file is refused as an image.</summary>
/// <param name="Reason">One of <see cref="Reasons"/>: a stable value for programs.</param>
/// <param name="Detail">A sentence for users that says what to do.</param>
public sealed record ImageRefusal(string Reason, string Detail)
{
    /// <summary>All values of <see cref="Reason"/>.</summary>
    public static IReadOnlyList<string> Reasons { get; } =
        ["empty", "too-large", "unsupported-format", "unsupported-channels", "too-many-pixels", "too-small", "damaged"];

    internal static ImageRefusal Empty { get; } = new("empty", "The file is empty: send the image itself.");

    internal static ImageRefusal UnsupportedFormat(ReadOnlySpan<byte> file) => FileKind.Of(file) switch
    {
        FileKind.Raw => Raw,
        { } kind => new("unsupported-format", $"The file is {kind}, not an image we can read: send a {ImageFormat.Names} image."),
        null => new("unsupported-format", $"The file is not an image we can read: send a {ImageFormat.Names} image."),
    };

    internal static ImageRefusal Raw { get; } = new("unsupported-format", "The file is a camera's raw file, which only raw converters "
        + "can read: export it as a JPEG.");

    internal static ImageRefusal UnsupportedHere(string mediaType) => new("unsupported-format",
        $"This host cannot read {mediaType}, because ImageMagick does not run on its system: send a JPEG or PNG image.");

    internal static ImageRefusal Damaged { get; } = new("damaged",
        "The image is damaged or incomplete: save or export it again, then send the new file.");

    internal static ImageRefusal TooLarge(long bytes, long limit) => new("too-large",
        $"The file has {bytes:N0} bytes and the limit is {limit:N0}: send a smaller version; a side of 1,000 pixels is plenty.");

    internal static ImageRefusal UnsupportedChannels(int bands) => new("unsupported-channels",
        $"The image has {bands} bands and is not marked as grey or RGB, with at most one for transparency: export the bands to learn "
        + "from as a grey or RGB image.");

    internal static ImageRefusal TooManyPixels(long width, long height, long limit) => new("too-many-pixels",
        $"The image has {width:N0} x {height:N0} pixels and the limit is {limit:N0} in all: scale it down; a side of 1,000 pixels is "
        + "plenty.");

    internal static ImageRefusal TooManyWholePixels(long width, long height, ImageLimits limits) => new("too-many-pixels",
        $"The image has {width:N0} x {height:N0} pixels and the limit of its format is {limits.MaxWholePixels:N0} in all: save it as a "
        + $"JPEG, which may have {limits.MaxPixels:N0}, or scale it down; a side of 1,000 pixels is plenty.");

    internal static ImageRefusal TooSmall(int width, int height, int limit) => new("too-small",
        $"The image has {width} x {height} pixels and each side needs at least {limit}: send a larger version.");
}

/// <summary>Thrown when a caller asks for the pixels of a file that is refused; see <see cref="Refusal"/>.</summary>
public sealed class ImageRefusedException(ImageRefusal refusal, Exception? inner = null) : Exception(refusal.Detail, inner)
{
    public ImageRefusal Refusal { get; } = refusal;
}
