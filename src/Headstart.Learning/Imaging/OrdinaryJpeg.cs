using System.Buffers;
using Headstart.Learning.Native;
using SkiaSharp;

namespace Headstart.Learning.Imaging;

/// <summary>Decodes ordinary JPEGs with Skia's libjpeg-turbo, which takes half the time of libvips and gives the same bytes. It only
/// reports whether a file was fine; all others go to libvips, which alone decides what is refused.</summary>
internal static class OrdinaryJpeg
{
    private const int RowsAtOnce = 16; // height of a block of pixels with subsampled colours
    private const int Bands = 4; // libjpeg-turbo writes them faster than three

    /// <summary>Larger images are decoded one at a time by <see cref="ImageSource"/>.</summary>
    private const long MostPixels = ImageSource.LargePixels;

    /// <param name="file">The file.</param>
    /// <param name="header">The header of this file.</param>
    /// <param name="target">What to scale it to.</param>
    /// <param name="planes">Receives <c>[3, h, w]</c>.</param>
    /// <returns>Whether the whole file was decoded without complaints; if not, the content of <paramref name="planes"/> is
    /// undefined.</returns>
    public static unsafe bool TryRead(byte[] file, JpegHeader header, ScaleTarget target, Span<byte> planes)
    {
        if ((long)header.Width * header.Height > MostPixels || !SkiaRuntime.TryLoad())
        {
            return false;
        }

        fixed (byte* start = file)
        {
            using var data = SKData.Create((nint)start, file.Length); // without copying
            using var codec = SKCodec.Create(data);
            return codec is not null && (codec.Info.Width, codec.Info.Height) == (header.Width, header.Height)
                && TryScale(codec, header, target, planes);
        }
    }

    private static unsafe bool TryScale(SKCodec codec, JpegHeader header, ScaleTarget target, Span<byte> planes)
    {
        var halves = target.Halves(header.Width, header.Height);
        var (width, height) = halves == 1 ? (header.Width, header.Height) : (Part(header.Width), Part(header.Height));
        var info = new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        if (codec.StartScanlineDecode(info) != SKCodecResult.Success)
        {
            return false;
        }

        var plan = target.Plan(header.Width, header.Height, header.Orientation, (width, height, halves));
        using var scaler = new PictureScaler(plan, Bands);
        var rented = ArrayPool<byte>.Shared.Rent(RowsAtOnce * info.RowBytes);
        try
        {
            fixed (byte* rows = rented)
            {
                // To the last row, even if the result ends earlier, so that a truncated file is noticed.
                for (var y = 0; y < height; y += RowsAtOnce)
                {
                    var count = Math.Min(RowsAtOnce, height - y);
                    if (codec.GetScanlines((nint)rows, count, info.RowBytes) != count)
                    {
                        return false;
                    }

                    for (var i = 0; i < count; i++)
                    {
                        scaler.Add(rented.AsSpan(i * info.RowBytes, info.RowBytes), planes);
                    }
                }
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        int Part(int side) => (side + halves - 1) / halves; // rounds as libjpeg does
    }
}
