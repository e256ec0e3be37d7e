using System.Globalization;

namespace Headstart.Uploads.Boxes;

/// <summary>
/// The columns of a table with boxes: two corners (<c>xmin,ymin,xmax,ymax</c>), a corner and a size (<c>x,y,width,height</c>), or the
/// centre and a size. The column names (<c>xmin_px</c>, <c>x_rel</c>) or the numbers of the whole table tell pixels from parts of the
/// image; nothing is guessed.
/// </summary>
internal sealed class BoxColumns
{
    private const double SurelyPixels = 2; // a part is at most 1, slightly more after rounding
    private const double MostOfAPart = 1.01;

    private static readonly string[][] Left = [["xmin", "x1", "left", "xtl", "minx", "bboxxmin", "bboxx1", "bboxleft"],
        ["ymin", "y1", "top", "ytl", "miny", "bboxymin", "bboxy1", "bboxtop"]];

    private static readonly string[][] Right = [["xmax", "x2", "right", "xbr", "maxx", "bboxxmax", "bboxx2", "bboxright"],
        ["ymax", "y2", "bottom", "ybr", "maxy", "bboxymax", "bboxy2", "bboxbottom"]];

    private static readonly string[][] Corner = [["x", "bboxx", "boxx", .. Left[0]], ["y", "bboxy", "boxy", .. Left[1]]];

    private static readonly string[][] Middle = [["cx", "xcenter", "xcentre", "centerx", "centrex", "bboxxcenter"],
        ["cy", "ycenter", "ycentre", "centery", "centrey", "bboxycenter"]];

    private static readonly string[][] Sizes = [["width", "w", "bboxwidth", "boxwidth", "bboxw"],
        ["height", "h", "bboxheight", "boxheight", "bboxh"]];

    private static readonly string[][] Image = [["imagewidth", "imgwidth", "width"], ["imageheight", "imgheight", "height"]];

    private static readonly string[] Difficulties = ["difficult", "iscrowd", "crowd", "isgroupof"], Set = ["1", "1.0", "true"];

    private readonly int[] _numbers; // x and y, then the other corner or the size
    private readonly int[] _image; // the size of the image; -1 if missing
    private readonly int _difficult;
    private readonly Shape _shape;
    private DrawingUnit? _unit;
    private double _largest;
    private bool _whole = true, _sizesOfBoxes = true;

    private BoxColumns(Shape shape, int[] numbers, IReadOnlyList<string> header)
    {
        (_shape, _numbers) = (shape, numbers);
        var words = header.Select(Word).ToList();
        var known = shape == Shape.Corners ? 3 : 2; // width alone is the box's if the box has a size
        _image = [.. Image.Select(names => words.FindIndex(word => names.Take(known).Contains(word)))];
        _difficult = words.FindIndex(word => Difficulties.Contains(word));
        var units = numbers.Select(column => UnitOf(header[column])).Distinct().ToList();
        _unit = units is [{ } only] ? only : null;
    }

    private enum Shape
    {
        Corners,
        Sized,
        Centred,
    }

    /// <summary>null if the header has no such columns. Pass all rows to <see cref="Look"/> before reading them.</summary>
    public static BoxColumns? Find(IReadOnlyList<string> header)
    {
        var words = header.Select(Word).ToList();
        return Columns(Left, Right) is { } corners ? new(Shape.Corners, corners, header)
            : Columns(Middle, Sizes) is { } centred ? new(Shape.Centred, centred, header)
            : Columns(Corner, Sizes) is { } sized ? new(Shape.Sized, sized, header) : null;

        int[]? Columns(string[][] first, string[][] second)
        {
            int[] found = [.. first.Concat(second).Select(names => words.FindIndex(word => names.Contains(word)))];
            return found.Contains(-1) ? null : found;
        }
    }

    /// <summary>Learns the unit of the table from a row.</summary>
    /// <param name="cell">The text of a column.</param>
    public void Look(Func<int, string> cell)
    {
        if (_numbers.Select(column => Number(cell(column))).ToList() is not [{ } a, { } b, { } c, { } d])
        {
            return;
        }

        _largest = new[] { _largest, a, b, c, d }.Max(Math.Abs);
        _whole &= new[] { a, b, c, d }.All(double.IsInteger);
        _sizesOfBoxes &= Number(cell(_image[0])) is not { } width || Number(cell(_image[1])) is not { } height
            || (Math.Abs(width - (c - a)) <= 1 && Math.Abs(height - (d - b)) <= 1);
    }

    /// <summary>The box of a row; null if the row has a label but no box.</summary>
    /// <param name="label">Empty if the row has none.</param>
    /// <param name="cell">The text of a column.</param>
    public Drawing? Read(string label, Func<int, string> cell)
    {
        var texts = _numbers.Select(cell).ToList();
        if (texts.TrueForAll(text => text.Length == 0))
        {
            return label.Length == 0 ? Drawing.Nothing : null;
        }

        if (texts.Find(text => Number(text) is null) is { } wrong)
        {
            return Drawing.Not($"\"{RequestBodies.Readable(wrong)}\" is not a number; give a box four numbers, with a point for decimals.");
        }

        var unit = _unit ?? (_largest > SurelyPixels ? DrawingUnit.Pixels : _largest <= MostOfAPart && !_whole ? DrawingUnit.Parts : null);
        if (unit is not { } known)
        {
            return Drawing.Not("It is not certain whether the boxes of the table are in pixels or relative to the image; name the columns "
                + "accordingly, such as xmin_px or xmin_rel.");
        }

        var n = texts.ConvertAll(Number);
        var difficult = _difficult >= 0 && Set.Contains(cell(_difficult), StringComparer.OrdinalIgnoreCase);
        var box = _shape switch
        {
            Shape.Corners => DrawnBox.Cornered(label, n[0], n[1], n[2], n[3], difficult),
            Shape.Centred => DrawnBox.Centred(label, n[0], n[1], n[2], n[3]) with { Difficult = difficult },
            _ => DrawnBox.Sized(label, n[0], n[1], n[2], n[3], difficult),
        };
        // Next to two corners, columns width and height are the image's, unless they only repeat the boxes' sizes.
        var size = _shape == Shape.Corners && _sizesOfBoxes ? null : PixelSize.Of(Number(cell(_image[0])), Number(cell(_image[1])));
        return new(known, [box], size);
    }

    private static double? Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null;

    private static string Plain(string name) => string.Concat(name.Where(char.IsLetterOrDigit)).ToLowerInvariant();

    private static DrawingUnit? UnitOf(string name) => Unit(Plain(name)).Unit;

    private static string Word(string name) => Unit(Plain(name)).Word;

    private static (string Word, DrawingUnit? Unit) Unit(string word)
    {
        foreach (var (ending, unit) in new[]
        {
            ("px", DrawingUnit.Pixels), ("pixels", DrawingUnit.Pixels), ("pixel", DrawingUnit.Pixels), ("rel", DrawingUnit.Parts),
            ("relative", DrawingUnit.Parts), ("norm", DrawingUnit.Parts), ("normalized", DrawingUnit.Parts),
            ("normalised", DrawingUnit.Parts),
        })
        {
            if (word.EndsWith(ending, StringComparison.Ordinal))
            {
                return (word[..^ending.Length], unit);
            }
        }

        return (word, null);
    }
}
