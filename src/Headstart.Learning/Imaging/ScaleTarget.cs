namespace Headstart.Learning.Imaging;

/// <summary>
/// How to scale an image. The centre: the shorter side is scaled to <paramref name="Size"/>, the longer one by the same factor, rounded
/// down, and the middle is cropped, as torchvision's <c>Resize(size)</c> and <c>CenterCrop(size)</c> do; of images longer than
/// <see cref="MostOblong"/> times their width only the centre square is used. Or the whole image: the longer side is scaled to
/// <paramref name="Size"/>, the shorter one to the nearest whole number of pixels.
/// </summary>
/// <param name="Size">Pixels.</param>
/// <param name="IsWhole">Whether to keep the whole image.</param>
internal sealed record ScaleTarget(int Size, bool IsWhole)
{
    /// <summary>Largest ratio of sides of an image that is scaled before cropping; photographs are below 3.</summary>
    public const int MostOblong = 4;

    /// <summary>The factor by which a codec may shrink while decoding: 1, 2, 4 or 8, leaving at least twice the target size.</summary>
    public int Halves(int width, int height)
    {
        var (side, halves) = (IsWhole ? Math.Max(width, height) : Math.Min(width, height), 1);
        while (halves < 8 && side >= 4L * halves * Size)
        {
            halves *= 2;
        }

        return halves;
    }

    /// <summary>Pixels across and down the result.</summary>
    /// <param name="width">Width of the upright image.</param>
    /// <param name="height">Height of the upright image.</param>
    public (int Width, int Height) Result(int width, int height) => IsWhole
        ? (Scaled(width, Math.Max(width, height)), Scaled(height, Math.Max(width, height))) : (Size, Size);

    /// <param name="width">Width of the whole image as stored, in pixels.</param>
    /// <param name="height">Height of the whole image as stored, in pixels.</param>
    /// <param name="orientation">EXIF, 1 to 8.</param>
    /// <param name="decoded">The decoder's output: pixels across and down, and the factor by which each side was shrunk (1, 2, 4 or 8, see
    /// <see cref="Halves"/>).</param>
    public ScalePlan Plan(int width, int height, int orientation, (int Width, int Height, int Halves) decoded)
    {
        var (shorter, longer) = (Math.Min(width, height), Math.Max(width, height));
        return new(Axis(width, ScalePlan.IsMirrored(orientation), decoded.Width),
            Axis(height, ScalePlan.IsUpsideDown(orientation), decoded.Height), orientation);

        TriangleFilter Axis(int length, bool reversed, int pixels)
        {
            if (IsWhole)
            {
                return new(0, length, Scaled(length, longer), 0, Scaled(length, longer), (pixels, decoded.Halves));
            }

            var kept = length > (long)MostOblong * shorter ? shorter : length;
            var scaled = (int)((long)Size * kept / shorter);
            var (before, cut) = ((length - kept) / 2, (int)Math.Round((scaled - Size) / 2.0)); // half to even, as in Python
            return new(reversed ? length - kept - before : before, kept, scaled, reversed ? scaled - Size - cut : cut, Size,
                (pixels, decoded.Halves));
        }
    }

    private int Scaled(int length, int longer) => Math.Max(1, (int)((2L * length * Size + longer) / (2L * longer)));
}
