using System.Globalization;
using Headstart.Learning.Imaging;

namespace Headstart.Uploads.Boxes;

/// <summary>Unit of the numbers of boxes.</summary>
public enum DrawingUnit
{
    /// <summary>Parts of the image's width and height, from 0 to 1.</summary>
    Parts,

    Pixels,
}

/// <summary>The size of an image in pixels.</summary>
public readonly record struct PixelSize(int Width, int Height)
{
    /// <summary>null unless both are positive; some tools write 0 for an unknown size.</summary>
    public static PixelSize? Of(double? width, double? height) =>
        width is >= 1 and <= int.MaxValue && height is >= 1 and <= int.MaxValue
            ? new((int)Math.Round(width.Value), (int)Math.Round(height.Value)) : null;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Width:N0} x {Height:N0}");
}

/// <summary>
/// The objects of an image as the sender marked them, in the sender's units. <see cref="On"/> converts them to boxes once the image is
/// known. An empty list means that nothing is there.
/// </summary>
/// <param name="Unit">Unit of all numbers.</param>
/// <param name="Boxes">The boxes as sent.</param>
/// <param name="Size">Size of the image in which they were drawn, if the sender gives it.</param>
public sealed record Drawing(DrawingUnit Unit, IReadOnlyList<DrawnBox> Boxes, PixelSize? Size = null)
{
    private const double SameShape = 0.02; // tolerance for an image that was scaled to whole pixels

    /// <summary>Why it cannot be used; null if it can.</summary>
    public string? Problem { get; init; }

    /// <summary>Whether the boxes certainly refer to the upright image, whatever EXIF says.</summary>
    public bool IsUpright { get; init; }

    /// <summary>Whether to add the boxes to those that the image has: some clients send one box at a time.</summary>
    public bool Adds { get; init; }

    public static Drawing Nothing { get; } = new(DrawingUnit.Parts, []);

    public IReadOnlyList<string> Categories => [.. Boxes.Select(box => box.Category ?? "").Distinct()];

    /// <summary>Boxes as defined by our own API.</summary>
    public static Drawing Of(IReadOnlyList<LabelBox> boxes) => new(DrawingUnit.Parts,
        [.. boxes.Select(box => box is null ? DrawnBox.Not(null, "is null; send an object.")
            : new DrawnBox(box.Category, box.X, box.Y, box.Width, box.Height, box.Difficult))])
    {
        IsUpright = true,
    };

    public static Drawing Not(string problem) => Nothing with { Problem = problem };

    /// <summary>Merges two rows about one image.</summary>
    /// <param name="one">null if the row has no boxes.</param>
    /// <param name="labels">Labels of a row without boxes.</param>
    /// <param name="other">null if the row has no boxes.</param>
    /// <param name="otherLabels">Labels of a row without boxes.</param>
    public static Drawing? Join(Drawing? one, IReadOnlyList<string>? labels, Drawing? other, IReadOnlyList<string>? otherLabels) =>
        one is not null && other is not null ? one.And(other)
        : (one ?? other) is not { } only ? null
        : (one is null ? labels : otherLabels) is { Count: > 0 }
            ? Not("Some of its objects have a category without a box; draw the boxes, or remove those rows.")
        : only;

    /// <summary>Whether both have the same boxes.</summary>
    public bool IsSameAs(Drawing other) => Problem == other.Problem && (Unit == other.Unit || Boxes.Count == 0)
        && Boxes.ToHashSet().SetEquals(other.Boxes);

    /// <summary>What is wrong with it in any image; null if nothing.</summary>
    public string? Refuse() => Problem is not null ? Problem
        : Boxes.Count > LabelBox.Most ? $"An image can have at most {LabelBox.Most:N0} boxes, and this has more; leave the smallest "
            + "ones out."
        : Boxes.Select((box, i) => box.Refuse() is { } why ? $"{Named(i)} {why}" : null).FirstOrDefault(reason => reason is not null);

    /// <summary>The boxes relative to the upright image, or why they are not certain.</summary>
    public (IReadOnlyList<LabelBox> Boxes, string? Problem) On(ImageInfo image)
    {
        var turned = false;
        if ((Refuse() ?? RefuseFrame(image, out turned)) is { } problem)
        {
            return ([], problem);
        }

        var (width, height) = Unit == DrawingUnit.Parts ? (1, 1)
            : image.Orientation >= 5 && turned ? (image.Height, image.Width) : (image.Width, image.Height);
        var boxes = Boxes.Select(box => new LabelBox(box.Category, box.Left / width, box.Top / height, box.Width / width,
            box.Height / height, box.Difficult)).ToList();
        var outside = boxes.FindIndex(box => box.IsOutside);
        return outside >= 0 ? ([], $"{Named(outside)} extends beyond the image, which has {new PixelSize(image.Width, image.Height)} "
            + "pixels: "
                + $"it goes from {Boxes[outside]}{(Unit == DrawingUnit.Parts ? ", in parts of the image's width and height" : "")}.")
            : (turned ? boxes.ConvertAll(box => Upright(box, image.Orientation)) : boxes, null);
    }

    private Drawing And(Drawing other) => Problem is not null || Boxes.Count > LabelBox.Most ? this
        : other.Problem is not null || Boxes.Count == 0 ? other
        : other.Boxes.Count == 0 ? this
        : Unit != other.Unit || Size != other.Size ? Not("Its rows do not agree about the size of the image; correct them.")
        : this with { Boxes = [.. Boxes, .. other.Boxes] };

    /// <summary>Why it is not certain whether the boxes were drawn in the upright image or in the stored one; null if it
    /// is.</summary>
    private string? RefuseFrame(ImageInfo image, out bool turned)
    {
        turned = false;
        var here = new PixelSize(image.Width, image.Height);
        var stored = image.Orientation >= 5 ? new PixelSize(image.Height, image.Width) : here;
        if (Boxes.Count == 0 || (IsUpright && Unit == DrawingUnit.Parts))
        {
            return null;
        }

        if (Unit == DrawingUnit.Pixels && !IsUpright && Boxes.All(box => box.IsTiny))
        {
            return "All its boxes are inside one pixel: they seem to be relative to the image instead of in pixels; correct the "
                + "annotations.";
        }

        var (asSeen, asStored) = (Fits(here), image.Orientation != 1 && Fits(stored));
        if (!asSeen && (!asStored || IsUpright))
        {
            return $"Its annotation belongs to an image of {Size} pixels, but this one has {here}; export the annotations again "
                + "with the images that you send.";
        }

        turned = !asSeen;
        return asSeen && asStored && !IsUpright ? $"The file says that the image must be turned to be upright (EXIF orientation "
            + $"{image.Orientation}), and its annotation does not say whether the boxes were drawn before or after that; save the image "
            + "upright (for example with mogrify -auto-orient), check its boxes and send both again." : null;
    }

    private bool Fits(PixelSize image) => Size is not { } size || (Unit == DrawingUnit.Pixels ? size == image
        : Math.Abs((double)size.Width * image.Height - (double)size.Height * image.Width)
            <= SameShape * Math.Max(1, (double)size.Width * image.Height));

    private string Named(int box) =>
        $"Box {box + 1}{(string.IsNullOrWhiteSpace(Boxes[box].Category) ? "" : $" (\"{RequestBodies.Readable(Boxes[box].Category!)}\")")}";

    /// <summary>Converts a box of the stored image to the upright one (EXIF 2.3, tag 0x0112).</summary>
    private static LabelBox Upright(LabelBox box, int orientation)
    {
        var (x, y, right, bottom) = (box.X, box.Y, 1 - box.X - box.Width, 1 - box.Y - box.Height); // distances from the four edges
        var (left, top) = orientation switch
        {
            2 => (right, y),
            3 => (right, bottom),
            4 => (x, bottom),
            5 => (y, x),
            6 => (bottom, x),
            7 => (bottom, right),
            8 => (y, right),
            _ => (x, y),
        };
        return orientation >= 5 ? box with { X = left, Y = top, Width = box.Height, Height = box.Width } : box with { X = left, Y = top };
    }
}

/// <summary>A box as sent.</summary>
/// <param name="Category">Its category as sent; null if missing.</param>
/// <param name="Left">Left edge.</param>
/// <param name="Top">Top edge.</param>
/// <param name="Width">Distance to the right edge.</param>
/// <param name="Height">Distance to the bottom edge.</param>
/// <param name="Difficult">Whether it is hard to see, or a crowd.</param>
/// <param name="Problem">Why it is not a box, as the end of a sentence.</param>
public sealed record DrawnBox(string? Category, double Left, double Top, double Width, double Height, bool Difficult = false,
    string? Problem = null)
{
    private const string Incomplete = "lacks a number; give it all four, or remove it.";

    /// <summary>Whether it is inside the first pixel.</summary>
    public bool IsTiny => Left <= 1 && Top <= 1 && Width <= 1 && Height <= 1;

    public static DrawnBox Not(string? category, string problem) => new(category, 0, 0, 0, 0, Problem: problem);

    /// <summary>From the top left corner and the size.</summary>
    public static DrawnBox Sized(string? category, double? left, double? top, double? width, double? height, bool difficult = false) =>
        (left, top, width, height) is ({ } x, { } y, { } across, { } down) ? new(category, x, y, across, down, difficult)
            : Not(category, Incomplete);

    /// <summary>From the centre and the size.</summary>
    public static DrawnBox Centred(string? category, double? x, double? y, double? width, double? height) =>
        Sized(category, x - width / 2, y - height / 2, width, height);

    /// <summary>From the top left and bottom right corners.</summary>
    public static DrawnBox Cornered(string? category, double? left, double? top, double? right, double? bottom, bool difficult = false) =>
        right < left || bottom < top
            ? Not(category, string.Create(CultureInfo.InvariantCulture, $"has its corners swapped: from {left}, {top} to {right},"
                + $" {bottom}; ")
                + "the first must be the top left one.")
            : Sized(category, left, top, right - left, bottom - top, difficult);

    /// <summary>The smallest box around points.</summary>
    public static DrawnBox Around(string? category, IReadOnlyList<(double? X, double? Y)> points) =>
        points.Count < 2 ? Not(category, "has no area; draw a box, or remove it.")
        : points.Any(point => point.X is null || point.Y is null) ? Not(category, Incomplete)
        : Cornered(category, points.Min(p => p.X), points.Min(p => p.Y), points.Max(p => p.X), points.Max(p => p.Y));

    /// <summary>What is wrong with it in any image, as the end of a sentence; null if nothing.</summary>
    public string? Refuse() => Problem is not null ? Problem
        : Names.Read(Category, "category").Problem is { } nameless ? $"has no usable category: {nameless}"
        : !(Width > 0 && Height > 0) || !double.IsFinite(Left + Top + Width + Height)
            ? $"is empty: it goes from {this}; draw it again, or remove it."
        : null;

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Left:0.###}, {Top:0.###} to {Left + Width:0.###}, {Top + Height:0.###}");
}
