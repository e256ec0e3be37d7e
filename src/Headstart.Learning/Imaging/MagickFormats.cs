using System.Buffers.Binary;
using ImageMagick;
using NetVips;

namespace Headstart.Learning.Imaging;

/// <summary>Formats of scanners and archives that libvips cannot read here: BMP, JPEG 2000 and JPEG XL. ImageMagick decodes them; it is
/// told the format, so that no file reaches another of its two hundred readers.</summary>
internal static class MagickFormats
{
    /// <returns>null for formats that libvips reads.</returns>
    public static MagickFormat? Of(string mediaType) => mediaType switch
    {
        ImageFormat.Bmp => MagickFormat.Bmp,
        ImageFormat.Jp2 => MagickFormat.Jp2,
        ImageFormat.J2k => MagickFormat.J2k,
        ImageFormat.Jxl => MagickFormat.Jxl,
        _ => null,
    };

    /// <summary>A BMP contains its own length. Many programs write a wrong one, which only ImageMagick refuses.</summary>
    public static byte[] WithItsLength(byte[] bitmap)
    {
        byte[] mended = [.. bitmap];
        BinaryPrimitives.WriteInt32LittleEndian(mended.AsSpan(2), bitmap.Length);
        return mended;
    }

    /// <summary>Reads the header without decoding pixels.</summary>
    /// <exception cref="ImageRefusedException">The header cannot be read.</exception>
    public static ImageHeader Header(byte[] file, MagickFormat format) => Read(file, format, static (image, file, settings) =>
    {
        image.Ping(file, settings);
        return ImageHeader.Of(image);
    });

    /// <summary>Decodes the whole first image and passes it to libvips without copying.</summary>
    /// <param name="file">The file.</param>
    /// <param name="format">Its format.</param>
    /// <param name="use">Receives 8-bit grey or RGB with or without alpha, with the file's colour profile and orientation; valid until it
    /// returns.</param>
    /// <exception cref="ImageRefusedException">The file cannot be read, or is damaged anywhere.</exception>
    public static Image Decode(byte[] file, MagickFormat format, Func<Image, Image> use) => Read(file, format, (image, bytes, settings) =>
    {
        image.Read(bytes, settings);
        if (image.ColorSpace is not (ColorSpace.sRGB or ColorSpace.Gray))
        {
            image.ColorSpace = ColorSpace.sRGB;
        }

        image.ClassType = ClassType.Direct; // no palette
        using var pixels = image.GetPixelsUnsafe();
        var (width, height, bands) = ((int)image.Width, (int)image.Height, (int)pixels.Channels);
        using var view = Image.NewFromMemory(pixels.GetAreaPointer(0, 0, image.Width, image.Height), (ulong)width * (ulong)height
            * (ulong)bands, width, height, bands, Enums.BandFormat.Uchar);
        using var named = view.Copy(interpretation: bands < 3 ? Enums.Interpretation.Bw : Enums.Interpretation.Srgb);
        using var whole = named.Mutate(fields =>
        {
            fields.Set(GValue.GIntType, "orientation", Math.Max(1, (int)image.Orientation));
            if (image.GetColorProfile()?.ToByteArray() is { } profile)
            {
                fields.Set(GValue.BlobType, ImageSource.Profile, profile);
            }
        });
        return use(whole);
    });

    private static T Read<T>(byte[] file, MagickFormat format, Func<MagickImage, byte[], MagickReadSettings, T> read)
    {
        try
        {
            using var image = new MagickImage();
            var damage = false;
            image.Warning += (_, warning) => damage |= warning.Exception is MagickCorruptImageWarningException;
            var result = read(image, file, new MagickReadSettings { Format = format, FrameIndex = 0, FrameCount = 1 });
            if (!damage)
            {
                return result;
            }

            (result as IDisposable)?.Dispose();
            throw new ImageRefusedException(ImageRefusal.Damaged);
        }
        catch (MagickException exception)
        {
            throw new ImageRefusedException(ImageRefusal.Damaged, exception);
        }
    }
}
