namespace Headstart.Learning.Imaging;

/// <summary>
/// What is to become of a picture. Its middle: the shorter side is scaled to <paramref name="Size"/>, the longer one to the same scale,
/// rounded down, and the middle is kept, as torchvision's <c>Resize(size)</c> and <c>CenterCrop(size)</c> do; of what is more than
/// <see cref="MostOblong"/> times as long as wide only the square in the middle is looked at. Or all of it: the longer side is scaled to
/// <paramref name="Size"/>, and the shorter one to the nearest whole number of pixels.
/// </summary>
/// <param name="Size">Pixels.</param>
/// <param name="IsWhole">All of it.</param>
internal sealed record ScaleTarget(int Size, bool IsWhole)
{
    /// <summary>Longer to shorter side of what is not cut before it is scaled; photographs are below 3.</summary>
    public const int MostOblong = 4;

    /// <summary>By how much a codec may shrink while it decodes: 1, 2, 4 or 8, so that twice the size is left at least.</summary>
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
    /// <param name="width">Of the upright picture.</param>
    /// <param name="height">Of the upright picture.</param>
    public (int Width, int Height) Result(int width, int height) => IsWhole
        ? (Scaled(width, Math.Max(width, height)), Scaled(height, Math.Max(width, height))) : (Size, Size);

    /// <param name="width">Of the whole image as stored, in pixels.</param>
    /// <param name="height">Of the whole image as stored, in pixels.</param>
    /// <param name="orientation">EXIF, 1 to 8.</param>
    /// <param name="decoded">What the decoder gives of it: pixels across and down, and which part of the whole each side is (1, 1/2, 1/4 or
    /// 1/8, see <see cref="Halves"/>).</param>
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
            var (before, cut) = ((length - kept) / 2, (int)Math.Round((scaled - Size) / 2.0)); // a half to the even side, as in Python
            return new(reversed ? length - kept - before : before, kept, scaled, reversed ? scaled - Size - cut : cut, Size,
                (pixels, decoded.Halves));
        }
    }

    private int Scaled(int length, int longer) => Math.Max(1, (int)((2L * length * Size + longer) / (2L * longer)));
}
