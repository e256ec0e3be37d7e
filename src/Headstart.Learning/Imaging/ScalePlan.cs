namespace Headstart.Learning.Imaging;

/// <summary>Which source pixels contribute to which pixels of the scaled image. All axes are those of the file; <see cref="Start"/>,
/// <see cref="RowStep"/> and <see cref="ColumnStep"/> rotate and mirror the result.</summary>
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
        var (down, across) = turned ? (1, Width) : (Width, 1); // steps in the result from row to row and from column to column of the file
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

    /// <summary>Index in the result, row by row, of the file's first row and column.</summary>
    public int Start { get; }

    /// <summary>Step in the result from one row of the file to the next.</summary>
    public int RowStep { get; }

    /// <summary>Step in the result from one column of the file to the next.</summary>
    public int ColumnStep { get; }

    /// <summary>Whether the orientation swaps left and right of the file.</summary>
    public static bool IsMirrored(int orientation) => orientation is 2 or 3 or 7 or 8;

    /// <summary>Whether the orientation swaps top and bottom of the file.</summary>
    public static bool IsUpsideDown(int orientation) => orientation is 3 or 4 or 6 or 7;
}
