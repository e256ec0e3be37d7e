using Headstart.Learning.Native;
using NetVips;

namespace Headstart.Learning.Imaging;

/// <summary>
/// From the bytes of a file to checked, upright 8-bit sRGB. Every way to read a file ends in pixels or in an
/// <see cref="ImageRefusal"/>. Thread-safe; each call works on one thread.
/// </summary>
public static class ImageReader
{
    /// <summary>Longer to shorter side of what is not cut before it is scaled; photographs are below 3.</summary>
    internal const int MostOblong = 4;

    private const int CheckSize = 64;
    private const string Profile = "icc-profile-data";

    // As a loader option: libvips 8.18 does not pass the thumbnailer's own fail_on to the loader, and truncated files would go through.
    private const string RefuseDamage = "[fail_on=error]";

    /// <summary>
    /// Says whether the file is an image within the limits. Format and size come from the header, before a pixel is decoded; then
    /// the whole image is decoded at a small size, so that truncated and damaged files are found here and not in a training run.
    /// </summary>
    /// <param name="bytes">The file.</param>
    /// <param name="limits">What to accept.</param>
    /// <param name="info">The size and type of an accepted image, else null.</param>
    /// <returns>null if the image is fine.</returns>
    public static ImageRefusal? Check(byte[] bytes, ImageLimits limits, out ImageInfo? info)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        ArgumentNullException.ThrowIfNull(limits);
        info = null;
        try
        {
            var (mediaType, header) = Inspect(bytes, limits);
            using var small = Decode(bytes, CheckSize, Enums.Interesting.None);
            info = new ImageInfo(header.Width, header.Height, mediaType);
            return null;
        }
        catch (ImageRefusedException refused)
        {
            return refused.Refusal;
        }
    }

    /// <summary>
    /// The part of <see cref="Check"/> that decodes nothing, for those who decode the image next anyway: <see cref="CentreSquare.Of"/>
    /// finds the damage that this cannot see.
    /// </summary>
    /// <returns>null if the header is fine.</returns>
    public static ImageRefusal? CheckHeader(byte[] bytes, ImageLimits limits)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        ArgumentNullException.ThrowIfNull(limits);
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
        ArgumentNullException.ThrowIfNull(bytes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        RequireFormat(bytes);
        using var image = Decode(bytes, size, Enums.Interesting.None, Enums.Size.Down);
        return image.JpegsaveBuffer(q: 85, keep: Enums.ForeignKeep.None);
    }

    /// <summary>A file of raw pixels, without loss.</summary>
    /// <param name="rgb"><c>[height, width, 3]</c>: red, green and blue, row by row.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    public static byte[] Png(ReadOnlyMemory<byte> rgb, int width, int height)
    {
        VipsRuntime.EnsureLoaded();
        using var image = Image.NewFromMemoryCopy(rgb.ToArray(), width, height, bands: 3, Enums.BandFormat.Uchar);
        return image.PngsaveBuffer(compression: 1);
    }

    /// <summary>
    /// The input of a backbone: 8-bit sRGB, alpha flattened on white, CMYK, 16-bit, grey and ICC converted, EXIF rotation applied,
    /// first frame; then what <paramref name="p"/> says. The size limits of <see cref="Check"/> are not applied again here.
    /// </summary>
    /// <param name="bytes">The file.</param>
    /// <param name="p">The recipe.</param>
    /// <param name="chw">Receives <c>[3, Size, Size]</c>: planes R, G, B.</param>
    /// <exception cref="ImageRefusedException">The file cannot be read, or is damaged anywhere.</exception>
    public static void Preprocess(byte[] bytes, Preprocessing p, Span<float> chw)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        ArgumentNullException.ThrowIfNull(p);
        using var square = CentreSquare.Of(bytes, p.Size);
        square.Fill(chw, p);
    }

    /// <summary>
    /// The middle of the image, its shorter side scaled to <paramref name="size"/>. The whole image is decoded, what the cut leaves away
    /// included: a file that is cut short must be refused wherever it ends.
    /// </summary>
    internal static Image DecodeSquare(byte[] bytes, int size)
    {
        RequireFormat(bytes);
        var header = ReadHeader(bytes);
        if (Math.Max(header.Width, header.Height) > (long)MostOblong * Math.Min(header.Width, header.Height))
        {
            return DecodeMiddle(bytes, size);
        }

        var tall = header.Height > header.Width;
        using var whole = Decode(bytes, tall ? size : MostOblong * size, tall ? MostOblong * size : size, Enums.Interesting.None,
            Enums.Size.Both);
        return whole.ExtractArea((whole.Width - size) / 2, (whole.Height - size) / 2, size, size);
    }

    /// <summary>
    /// Of a strip of many thousand pixels by eight: as wide as the square it would take gigabytes and minutes. So it is looked through for
    /// damage at a small size, then cut, then scaled.
    /// </summary>
    private static Image DecodeMiddle(byte[] bytes, int size)
    {
        using var small = Decode(bytes, CheckSize, Enums.Interesting.None);
        try
        {
            using var strip = Image.NewFromBuffer(bytes, access: Enums.Access.Sequential, failOn: Enums.FailOn.Error);
            var side = Math.Min(strip.Width, strip.Height);
            using var middle = strip.ExtractArea((strip.Width - side) / 2, (strip.Height - side) / 2, side, side);
            using var scaled = middle.ThumbnailImage(size, height: size);
            return ToPixels(scaled);
        }
        catch (VipsException exception)
        {
            throw new ImageRefusedException(ImageRefusal.Damaged, exception);
        }
    }

    private static (string MediaType, ImageHeader Header) Inspect(byte[] bytes, ImageLimits limits)
    {
        if (bytes.Length > limits.MaxBytes)
        {
            throw new ImageRefusedException(ImageRefusal.TooLarge(bytes.Length, limits.MaxBytes));
        }

        var mediaType = RequireFormat(bytes);
        var header = ReadHeader(bytes);
        return header.Refuse(limits) is { } refusal ? throw new ImageRefusedException(refusal) : (mediaType, header);
    }

    private static string RequireFormat(byte[] bytes) => bytes.Length == 0
        ? throw new ImageRefusedException(ImageRefusal.Empty)
        : ImageFormat.MediaType(bytes) ?? throw new ImageRefusedException(ImageRefusal.UnsupportedFormat);

    private static ImageHeader ReadHeader(byte[] bytes)
    {
        VipsRuntime.EnsureLoaded();
        try
        {
            using var image = Image.NewFromBuffer(bytes, access: Enums.Access.Sequential);
            return ImageHeader.Of(image);
        }
        catch (VipsException exception)
        {
            throw new ImageRefusedException(ImageRefusal.Damaged, exception);
        }
    }

    /// <summary>Shrinks while loading and ends with an upright 8-bit sRGB image of three bands, in memory.</summary>
    internal static Image Decode(byte[] bytes, int size, Enums.Interesting crop, Enums.Size upscale = Enums.Size.Both) =>
        Decode(bytes, size, size, crop, upscale);

    private static Image Decode(byte[] bytes, int width, int height, Enums.Interesting crop, Enums.Size upscale)
    {
        VipsRuntime.EnsureLoaded();
        try
        {
            using var loaded = Image.ThumbnailBuffer(bytes, width, RefuseDamage, height: height, size: upscale, crop: crop);
            return ToPixels(loaded);
        }
        catch (VipsException exception)
        {
            throw new ImageRefusedException(ImageRefusal.Damaged, exception);
        }
    }

    private static Image ToPixels(Image loaded)
    {
        using var srgb = ToSrgb(loaded);
        using var opaque = srgb.HasAlpha() ? srgb.Flatten(background: [255, 255, 255]) : srgb.Copy();
        using var eightBit = opaque.Cast(Enums.BandFormat.Uchar);
        return eightBit.CopyMemory();
    }

    /// <summary>
    /// Done on the small image and only where a profile asks for it: handing the thumbnailer an output profile makes it convert every
    /// image, which takes four times as long as everything else together.
    /// </summary>
    private static Image ToSrgb(Image image) => image.Contains(Profile) && !IsSrgb((byte[])image.Get(Profile))
        ? image.IccTransform("srgb", embedded: true)
        : image.Colourspace(Enums.Interpretation.Srgb);

    /// <summary>The name that version 2 profiles of the usual sRGB carry; most photographs that have a profile have this one.</summary>
    private static bool IsSrgb(ReadOnlySpan<byte> profile) => profile.IndexOf("sRGB IEC61966-2"u8) >= 0;

    /// <summary>From <c>[Size, Size, 3]</c> bytes to <c>[3, Size, Size]</c> numbers.</summary>
    internal static void Normalise(ReadOnlySpan<byte> pixels, Preprocessing p, Span<float> chw)
    {
        var plane = p.Size * p.Size;
        for (var channel = 0; channel < 3; channel++)
        {
            var scale = 1 / (255 * p.Std[channel]);
            var shift = -p.Mean[channel] / p.Std[channel];
            var values = chw.Slice(channel * plane, plane);
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = pixels[3 * i + channel] * scale + shift;
            }
        }
    }
}
