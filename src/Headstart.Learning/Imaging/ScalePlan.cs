namespace Headstart.Learning.Imaging;

/// <summary>
/// Which pixels of a file count in which of the scaled picture. Everything is in the axes of the file; <see cref="Start"/>,
/// <see cref="RowStep"/> and <see cref="ColumnStep"/> turn and mirror the result.
/// </summary>
internal sealed class ScalePlan
{
    /// <param name="columns">Along the rows of the file.</param>
    /// <param name="rows">Down the file.</param>
    /// <param name="orientation">EXIF, 1 to 8.</param>
    public ScalePlan(TriangleFilter columns, TriangleFilter rows, int orientation)
    {
        (Columns, Rows) = (columns, rows);
        var turned = orientation >= 5;
        (Width, Height) = turned ? (rows.Size, columns.Size) : (columns.Size, rows.Size);
        var (down, across) = turned ? (1, Width) : (Width, 1); // in the result, from row to row and from column to column of the file
        var (mirrored, upsideDown) = (IsMirrored(orientation), IsUpsideDown(orientation));
        (RowStep, ColumnStep) = (upsideDown ? -down : down, mirrored ? -across : across);
        Start = (upsideDown ? (rows.Size - 1) * down : 0) + (mirrored ? (columns.Size - 1) * across : 0);
    }

    /// <summary>Pixels across the result.</summary>
    public int Width { get; }

    /// <summary>Pixels down the result.</summary>
    public int Height { get; }

    public TriangleFilter Rows { get; }

    public TriangleFilter Columns { get; }

    /// <summary>Where in the result, row by row, the file's first row and column go.</summary>
    public int Start { get; }

    /// <summary>How far it is from there to what comes from the next row of the file.</summary>
    public int RowStep { get; }

    /// <summary>How far it is from there to what comes from the next column of the file.</summary>
    public int ColumnStep { get; }

    /// <summary>Does the orientation swap left and right of the file?</summary>
    public static bool IsMirrored(int orientation) => orientation is 2 or 3 or 7 or 8;

    /// <summary>Does the orientation swap top and bottom of the file?</summary>
    public static bool IsUpsideDown(int orientation) => orientation is 3 or 4 or 6 or 7;
}
