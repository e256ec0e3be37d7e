using Headstart.Learning.Native;
using NetVips;

namespace Headstart.Learning.Imaging;

/// <summary>Turns the bytes of a file into checked, upright 8-bit sRGB. Every way to read a file ends in pixels or in an
/// <see cref="ImageRefusal"/>. Thread-safe; each call works on one thread.</summary>
public static class ImageReader
{
    private const int CheckSize = 64;

    /// <summary>Checks that the file is an image within the limits. Format and size come from the header, before any pixel is decoded; then
    /// the whole image is decoded at a small size, so that truncated and damaged files are found here and not in a training run.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="limits">What to accept.</param>
    /// <param name="info">The size and type of an accepted image, else null.</param>
    /// <returns>null if the image is fine.</returns>
    public static ImageRefusal? Check(byte[] bytes, ImageLimits limits, out ImageInfo? info)
    {
        info = null;
        try
        {
            using var small = Small(bytes, limits, out var mediaType);
            info = new ImageInfo(small.Header.Width, small.Header.Height, mediaType, FlawFinder.Of(small, CheckSize))
            {
                Orientation = small.Header.Orientation,
            };
            return null;
        }
        catch (ImageRefusedException refused)
        {
            return refused.Refusal;
        }
    }

    /// <summary>The part of <see cref="Check"/> that decodes nothing, for callers that decode the image next anyway:
    /// <see cref="CentreSquare.Of"/> finds the damage that it cannot see.</summary>
    /// <returns>null if the header is fine.</returns>
    public static ImageRefusal? CheckHeader(byte[] bytes, ImageLimits limits)
    {
        if (bytes.Length <= limits.MaxBytes && JpegHeader.OfOrdinary(bytes) is { Upright: var header })
        {
            return header.Refuse(ImageFormat.Jpeg, limits);
        }

        try
        {
            Inspect(bytes, limits);
            return null;
        }
        catch (ImageRefusedException refused)
        {
            return refused.Refusal;
        }
    }

    /// <summary>A JPEG of the whole image that fits in <paramref name="size"/> x <paramref name="size"/> pixels.</summary>
    /// <exception cref="ImageRefusedException">The file cannot be read.</exception>
    public static byte[] Thumbnail(byte[] bytes, int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        using var image = Decode(bytes, size, Enums.Interesting.None, Enums.Size.Down);
        return image.JpegsaveBuffer(q: 85, keep: Enums.ForeignKeep.None);
    }

    /// <summary>Raw pixels as a lossless file.</summary>
    /// <param name="rgb"><c>[height, width, 3]</c>: red, green and blue, row by row.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    public static byte[] Png(ReadOnlyMemory<byte> rgb, int width, int height)
    {
        VipsRuntime.EnsureLoaded();
        using var image = Image.NewFromMemoryCopy(rgb.ToArray(), width, height, bands: 3, Enums.BandFormat.Uchar);
        return image.PngsaveBuffer(compression: 1);
    }

    /// <summary>The input of a backbone: 8-bit sRGB, alpha flattened on white, CMYK, 16-bit, grey and ICC converted, EXIF rotation applied,
    /// first frame; then the recipe <paramref name="p"/>. The size limits of <see cref="Check"/> are not applied again.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="p">The recipe.</param>
    /// <param name="chw">Receives <c>[3, Size, Size]</c>: planes R, G, B.</param>
    /// <exception cref="ImageRefusedException">The file cannot be read, or is damaged anywhere.</exception>
    public static void Preprocess(byte[] bytes, Preprocessing p, Span<float> chw)
    {
        using var square = CentreSquare.Of(bytes, p.Size, p.Version);
        square.Fill(chw, p);
    }

    /// <summary>Input of <see cref="Preprocessing.Version"/> 1: the centre of the image, its shorter side scaled to
    /// <paramref name="size"/>. The whole image is decoded, including what is cropped: a truncated file must be refused wherever it
    /// ends.</summary>
    internal static Image DecodeSquare(byte[] bytes, int size)
    {
        var source = ImageSource.Open(bytes);
        var (width, height) = source.Header;
        if (Math.Max(width, height) > (long)ScaleTarget.MostOblong * Math.Min(width, height))
        {
            // A strip of many thousand pixels by eight, scaled to the height of the square, would take gigabytes and minutes. So check it
            // for damage at a small size, then crop, then scale.
            source.Fit(CheckSize, CheckSize, Enums.Interesting.None, Enums.Size.Both).Dispose();
            return source.Middle(size);
        }

        var tall = height > width;
        var longest = ScaleTarget.MostOblong * size;
        using var whole = source.Fit(tall ? size : longest, tall ? longest : size, Enums.Interesting.None, Enums.Size.Both);
        return whole.ExtractArea((whole.Width - size) / 2, (whole.Height - size) / 2, size, size);
    }

    /// <summary>An upright 8-bit sRGB image of three bands, in memory.</summary>
    internal static Image Decode(byte[] bytes, int size, Enums.Interesting crop, Enums.Size upscale = Enums.Size.Both) =>
        ImageSource.Open(bytes).Fit(size, size, crop, upscale);

    private static WholePicture Small(byte[] bytes, ImageLimits limits, out string mediaType)
    {
        mediaType = ImageFormat.Jpeg;
        if (bytes.Length <= limits.MaxBytes && JpegHeader.OfOrdinary(bytes) is { } jpeg)
        {
            if (jpeg.Upright.Refuse(mediaType, limits) is { } refusal)
            {
                throw new ImageRefusedException(refusal);
            }

            if (WholePicture.TryRead(bytes, jpeg, CheckSize) is { } picture)
            {
                return picture;
            }
        }

        var source = Inspect(bytes, limits);
        mediaType = source.MediaType;
        return WholePicture.Of(source, CheckSize);
    }

    private static ImageSource Inspect(byte[] bytes, ImageLimits limits)
    {
        if (bytes.Length > limits.MaxBytes)
        {
            throw new ImageRefusedException(ImageRefusal.TooLarge(bytes.Length, limits.MaxBytes));
        }

        var source = ImageSource.Open(bytes);
        return source.Header.Refuse(source.MediaType, limits) is { } refusal ? throw new ImageRefusedException(refusal) : source;
    }
}
