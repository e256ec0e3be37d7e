namespace Headstart.Learning.Imaging;

/// <summary>
/// Which pixels of an image make its <see cref="CentreSquare"/>: the shorter side is scaled to <c>size</c>, the longer one to the same
/// scale, rounded down, and the middle is kept, as torchvision's <c>Resize(size)</c> and <c>CenterCrop(size)</c> do. Of what is more than
/// <see cref="MostOblong"/> times as long as wide only the square in the middle is looked at. Everything is in the axes of the file;
/// <see cref="Start"/>, <see cref="RowStep"/> and <see cref="ColumnStep"/> turn and mirror the result.
/// </summary>
internal sealed class SquarePlan
{
    /// <summary>Longer to shorter side of what is not cut before it is scaled; photographs are below 3.</summary>
    public const int MostOblong = 4;

    /// <param name="width">Of the whole image as stored, in pixels.</param>
    /// <param name="height">Of the whole image as stored, in pixels.</param>
    /// <param name="orientation">EXIF, 1 to 8.</param>
    /// <param name="size">Pixels across and down of the square.</param>
    /// <param name="decoded">What the decoder gives of it: pixels across and down, and which part of the whole each side is (1, 1/2, 1/4 or
    /// 1/8, see <see cref="Halves"/>).</param>
    public SquarePlan(int width, int height, int orientation, int size, (int Width, int Height, int Halves) decoded)
    {
        Size = size;
        var (turned, mirrored, upsideDown) = (orientation >= 5, orientation is 2 or 3 or 7 or 8, orientation is 3 or 4 or 6 or 7);
        var shorter = Math.Min(width, height);
        Columns = Axis(width, mirrored, decoded.Width);
        Rows = Axis(height, upsideDown, decoded.Height);
        var (down, across) = turned ? (1, size) : (size, 1); // in the square, from row to row and from column to column of the file
        (RowStep, ColumnStep) = (upsideDown ? -down : down, mirrored ? -across : across);
        Start = (upsideDown ? (size - 1) * down : 0) + (mirrored ? (size - 1) * across : 0);

        TriangleFilter Axis(int length, bool reversed, int pixels)
        {
            var kept = length > (long)MostOblong * shorter ? shorter : length;
            var scaled = (int)((long)size * kept / shorter);
            var (before, cut) = ((length - kept) / 2, (int)Math.Round((scaled - size) / 2.0)); // a half to the even side, as in Python
            return new(reversed ? length - kept - before : before, kept, scaled, reversed ? scaled - size - cut : cut, size,
                (pixels, decoded.Halves));
        }
    }

    /// <summary>Pixels across and down of the square.</summary>
    public int Size { get; }

    public TriangleFilter Rows { get; }

    public TriangleFilter Columns { get; }

    /// <summary>Where in the square, row by row, the file's first row and column go.</summary>
    public int Start { get; }

    /// <summary>How far it is from there to what comes from the next row of the file.</summary>
    public int RowStep { get; }

    /// <summary>How far it is from there to what comes from the next column of the file.</summary>
    public int ColumnStep { get; }

    /// <summary>By how much a codec may shrink while it decodes: 1, 2, 4 or 8, so that twice the size is left at least.</summary>
    public static int Halves(int width, int height, int size)
    {
        var halves = 1;
        while (halves < 8 && Math.Min(width, height) >= 4L * halves * size)
        {
            halves *= 2;
        }

        return halves;
    }
}
