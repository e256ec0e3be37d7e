using System.Globalization;
using Headstart.Learning.Native;
using ImageMagick;
using NetVips;

namespace Headstart.Learning.Imaging;

/// <summary>A file of an accepted format with a readable header: its pixels as upright 8-bit sRGB, with whichever decoder it
/// needs.</summary>
internal sealed class ImageSource
{
    internal const string Profile = "icc-profile-data";

    // A loader option, because libvips 8.18 does not pass the thumbnailer's own fail_on to the loader: truncated files would be accepted.
    private const string RefuseDamage = "[fail_on=error]";

    /// <summary>Some formats are decoded whole, at up to ten bytes per pixel; images larger than this are decoded one at a time.</summary>
    internal const long LargePixels = 40_000_000;

    /// <summary>Bytes that user programs leave before the start of a file: blanks, line breaks and the UTF-8 byte order mark.</summary>
    private static readonly byte[] Blanks = [.. " \t\r\n"u8, 0xEF, 0xBB, 0xBF];

    private static readonly Lock LargeTurn = new();

    private byte[] _file;
    private readonly MagickFormat? _format;
    private readonly bool _isDeep;

    private ImageSource(byte[] file, string mediaType)
    {
        (_file, MediaType, _format) = (file, mediaType, MagickFormats.Of(mediaType));
        if ((_format is not null || mediaType == ImageFormat.Heic) && !MagickRuntime.TryLoad())
        {
            throw new ImageRefusedException(ImageRefusal.UnsupportedHere(mediaType));
        }

        if (_format is { } format)
        {
            Header = MagickFormats.Header(file, format);
            return;
        }

        if (mediaType == ImageFormat.Heic)
        {
            using var picture = new HeicPicture(file);
            Header = picture.Header;
            return;
        }

        using var image = Image.NewFromBuffer(file, access: Enums.Access.Sequential);
        Header = ImageHeader.Of(image);
        _isDeep = image.Format != Enums.BandFormat.Uchar;
        if (!HasColours(image))
        {
            throw new ImageRefusedException(ImageRefusal.UnsupportedChannels(image.Bands));
        }
    }

    public string MediaType { get; }

    public ImageHeader Header { get; }

    /// <exception cref="ImageRefusedException">The format is not accepted, or the header cannot be read.</exception>
    public static ImageSource Open(byte[] file)
    {
        if (file.Length == 0)
        {
            throw new ImageRefusedException(ImageRefusal.Empty);
        }

        file = WithoutBlanks(file);
        var mediaType = ImageFormat.MediaType(file) ?? throw new ImageRefusedException(ImageRefusal.UnsupportedFormat(file));
        if (mediaType == ImageFormat.Tiff && RawTiff.Is(file))
        {
            throw new ImageRefusedException(ImageRefusal.Raw);
        }

        VipsRuntime.EnsureLoaded();
        return Refusing(() => new ImageSource(mediaType switch
        {
            ImageFormat.Png => PngOrientation.Mend(file),
            ImageFormat.Bmp => MagickFormats.WithItsLength(file),
            _ => file,
        }, mediaType));
    }

    /// <summary>Scales the image, shrinking while loading if the format allows it.</summary>
    /// <returns>In memory.</returns>
    /// <exception cref="ImageRefusedException">It is damaged anywhere.</exception>
    public Image Fit(int width, int height, Enums.Interesting crop, Enums.Size size) => InTurn(() =>
    {
        if (Other(Shrink) is { } shrunk)
        {
            return shrunk;
        }

        if (_isDeep && ValueRange.Of(_file) is { } range)
        {
            using var deep = Whole();
            using var scaled = range.Scale(deep);
            return Shrink(scaled);
        }

        using var loaded = Image.ThumbnailBuffer(_file, width, RefuseDamage, height: height, size: size, crop: crop);
        return ToPixels(loaded);

        Image Shrink(Image whole)
        {
            using var small = whole.ThumbnailImage(width, height: height, size: size, crop: crop);
            return ToPixels(small);
        }
    });

    /// <summary>The image, scaled.</summary>
    /// <returns>In memory.</returns>
    /// <exception cref="ImageRefusedException">It is damaged anywhere.</exception>
    public Image Scaled(ScaleTarget target) => InTurn(() =>
    {
        if (Other(Scale) is { } middle)
        {
            return middle;
        }

        if (_isDeep && ValueRange.Of(_file) is { } range)
        {
            using var deep = Whole();
            using var bytes = range.Scale(deep);
            return Scale(bytes);
        }

        var halves = target.Halves(Header.Width, Header.Height);
        using var whole = halves == 1 ? Whole() : MediaType switch
        {
            ImageFormat.Jpeg => Whole($"[shrink={halves}]"),
            ImageFormat.WebP => Whole(string.Create(CultureInfo.InvariantCulture, $"[scale={1.0 / halves}]")),
            _ => Whole(),
        };
        return Scale(whole);

        Image Scale(Image decoded) => Scaled(decoded, target);
    });

    /// <summary>The centre square, scaled. Cropped parts are not checked for damage.</summary>
    /// <returns>In memory.</returns>
    /// <exception cref="ImageRefusedException">It is damaged.</exception>
    public Image Middle(int size) => InTurn(() =>
    {
        if (Other(Cut) is { } middle)
        {
            return middle;
        }

        using var whole = Whole();
        if (_isDeep && ValueRange.Of(_file) is { } range)
        {
            using var scaled = range.Scale(whole);
            return Cut(scaled);
        }

        return Cut(whole);

        Image Cut(Image strip)
        {
            var side = Math.Min(strip.Width, strip.Height);
            using var square = strip.ExtractArea((strip.Width - side) / 2, (strip.Height - side) / 2, side, side);
            using var scaled = square.ThumbnailImage(size, height: size);
            return ToPixels(scaled);
        }
    });

    /// <summary>Decodes formats that libvips cannot; null for others.</summary>
    private Image? Other(Func<Image, Image> use)
    {
        if (MediaType != ImageFormat.Heic)
        {
            return _format is { } format ? MagickFormats.Decode(_file, format, use) : null;
        }

        using var picture = new HeicPicture(_file);
        return picture.Decode(use);
    }

    private Image Whole(string options = "") =>
        Image.NewFromBuffer(_file, options, access: Enums.Access.Sequential, failOn: Enums.FailOn.Error);

    /// <param name="decoded">Possibly already shrunk by its codec.</param>
    /// <param name="target">What to scale it to.</param>
    private Image Scaled(Image decoded, ScaleTarget target)
    {
        // Colours are converted after scaling, when there are fewer pixels, if a pixel is a few bytes and has no transparency.
        using var opaque = decoded.HasAlpha() && decoded.Interpretation != Enums.Interpretation.Cmyk
            && decoded.Format == Enums.BandFormat.Uchar ? decoded.Flatten(background: [255]) : decoded.Copy();
        using var bytes = opaque.Format == Enums.BandFormat.Uchar && !opaque.HasAlpha() && opaque.Bands is 1 or 3 or 4
            ? opaque.Copy() : ToOpaque(opaque);
        var orientation = ImageHeader.OrientationOf(decoded);
        var (width, height) = orientation >= 5 ? (Header.Height, Header.Width) : (Header.Width, Header.Height);
        var halves = Math.Max(1, (int)Math.Round((double)Math.Max(width, height) / Math.Max(decoded.Width, decoded.Height)));
        var plan = target.Plan(width, height, orientation, (decoded.Width, decoded.Height, halves));
        var planes = new byte[bytes.Bands * plan.Width * plan.Height];
        Scale(bytes, plan, planes);
        using var lines = Image.NewFromMemory(planes, plan.Width, plan.Height * bytes.Bands, bands: 1, Enums.BandFormat.Uchar);
        Image[] bands = [.. Enumerable.Range(0, bytes.Bands)
            .Select(band => lines.ExtractArea(0, band * plan.Height, plan.Width, plan.Height))];
        using var joined = bands[0].Bandjoin(bands[1..]);
        using var scaled = joined.Copy(interpretation: bytes.Interpretation);
        foreach (var band in bands)
        {
            band.Dispose();
        }

        if (!bytes.Contains(Profile))
        {
            return ToPixels(scaled);
        }

        using var profiled = scaled.Mutate(fields => fields.Set(GValue.BlobType, Profile, (byte[])bytes.Get(Profile)));
        return ToPixels(profiled);
    }

    private static void Scale(Image image, ScalePlan plan, Span<byte> planes)
    {
        const int RowsAtOnce = 16;
        using var scaler = new PictureScaler(plan, image.Bands);
        using var region = Region.New(image);
        var row = image.Width * image.Bands;
        for (var y = 0; y < image.Height; y += RowsAtOnce)
        {
            var rows = region.Fetch(0, y, image.Width, Math.Min(RowsAtOnce, image.Height - y));
            for (var at = 0; at < rows.Length; at += row)
            {
                scaler.Add(rows.AsSpan(at, row), planes);
            }
        }
    }

    private Image InTurn(Func<Image> decode)
    {
        if (Header.Pixels <= LargePixels)
        {
            return Refusing(Decoded);
        }

        lock (LargeTurn)
        {
            return Refusing(Decoded);
        }

        Image Decoded()
        {
            // Not earlier: this decodes, and the size has been checked by now.
            _file = MediaType == ImageFormat.Jpeg ? JpegEnd.Mend(_file) : _file;
            return decode();
        }
    }

    private static T Refusing<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (VipsException exception)
        {
            throw new ImageRefusedException(ImageRefusal.Damaged, exception);
        }
    }

    private static byte[] WithoutBlanks(byte[] file)
    {
        var start = file.AsSpan().IndexOfAnyExcept(Blanks);
        return start > 0 && ImageFormat.MediaType(file.AsSpan(start)) is not null ? file[start..] : file;
    }

    /// <summary>Whether the bands are colours, with at most one more for transparency. Only a TIFF can leave the meaning of its bands
    /// open.</summary>
    private bool HasColours(Image image)
    {
        var colours = image.Interpretation switch
        {
            Enums.Interpretation.Bw or Enums.Interpretation.Grey16 => 1,
            Enums.Interpretation.Cmyk => 4,
            Enums.Interpretation.Multiband => MediaType == ImageFormat.Tiff ? 0 : image.Bands,
            _ => 3,
        };
        return image.Bands - colours is 0 or 1 && colours > 0
            && image.Format is not (Enums.BandFormat.Complex or Enums.BandFormat.Dpcomplex);
    }

    private static Image ToPixels(Image loaded)
    {
        using var opaque = ToOpaque(loaded);
        return opaque.CopyMemory();
    }

    private static Image ToOpaque(Image loaded)
    {
        using var srgb = ToSrgb(loaded);
        using var opaque = srgb.HasAlpha() ? srgb.Flatten(background: [255, 255, 255]) : srgb.Copy();
        return opaque.Cast(Enums.BandFormat.Uchar);
    }

    /// <summary>Converts to sRGB after scaling, and only if a profile requires it: with an output profile the thumbnailer would convert
    /// every image, which takes four times as long as everything else together.</summary>
    private static Image ToSrgb(Image image) => image.Contains(Profile) && !IsSrgb((byte[])image.Get(Profile))
        ? image.IccTransform("srgb", embedded: true)
        : image.Colourspace(Enums.Interpretation.Srgb);

    /// <summary>The name in version 2 profiles of the usual sRGB, which most photographs with a profile have.</summary>
    internal static bool IsSrgb(ReadOnlySpan<byte> profile) => profile.IndexOf("sRGB IEC61966-2"u8) >= 0;
}
