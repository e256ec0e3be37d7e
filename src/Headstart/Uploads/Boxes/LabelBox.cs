using Headstart.Data;

namespace Headstart.Uploads.Boxes;

/// <summary>An object of an image: its category and position.</summary>
/// <param name="Category">The name of its category.</param>
/// <param name="X">Left edge, from 0 (left edge of the upright image) to 1 (its right edge).</param>
/// <param name="Y">Top edge, from 0 (top) to 1 (bottom).</param>
/// <param name="Width">Width, as a part of the image's width.</param>
/// <param name="Height">Height, as a part of the image's height.</param>
/// <param name="Difficult">Whether it is hard to see, or a crowd: then it is not learned from, and not counted if missed.</param>
public sealed record LabelBox(string? Category, double X, double Y, double Width, double Height, bool Difficult = false)
{
    /// <summary>Maximum number of boxes of an image.</summary>
    public const int Most = 1_000;

    private const double Overhang = 0.01; // from rounding to pixels; it is cut off

    public static LabelBox Of(ExampleBox box, string category) =>
        new(category, Rounded(box.X), Rounded(box.Y), Rounded(box.Width), Rounded(box.Height), box.Difficult);

    /// <summary>Whether more of it is outside the image than rounding explains.</summary>
    internal bool IsOutside => X < -Overhang || Y < -Overhang || X + Width > 1 + Overhang || Y + Height > 1 + Overhang
        || Clipped() is { Width: <= 0 } or { Height: <= 0 };

    /// <summary>Why a list of boxes is refused; null if it is accepted.</summary>
    public static string? Refuse(IReadOnlyList<LabelBox> boxes) =>
        boxes.Count > Most ? $"An image can have at most {Most:N0} boxes, and this has {boxes.Count:N0}; leave the smallest ones out."
        : boxes.Select((box, i) => box.Refuse(i + 1)).FirstOrDefault(reason => reason is not null);

    /// <summary>The box cut off at the edges of the image.</summary>
    public LabelBox Clipped()
    {
        var (left, top) = (Math.Clamp(X, 0, 1), Math.Clamp(Y, 0, 1));
        return this with
        {
            X = left,
            Y = top,
            Width = Math.Clamp(X + Width, 0, 1) - left,
            Height = Math.Clamp(Y + Height, 0, 1) - top,
        };
    }

    private string? Refuse(int number)
    {
        var box = $"Box {number}";
        return Names.Read(Category, "category").Problem is { } problem ? $"{box}: {problem}"
            : !(Width > 0 && Height > 0) ? $"{box} is empty: its width and height must be more than 0. (Send x and y of its top left "
                + "corner, "
                + "width and height, not two corners.)"
            : IsOutside ? $"{box} extends beyond the image: x, y, width and height are parts of the upright image's width and height, "
                + "from 0 to 1."
            : null;
    }

    private static double Rounded(float value) => Math.Round(value, 6);
}

/// <param name="Boxes">All boxes of the image, which replace its current ones; an empty list means that nothing is there, and null that
/// nobody has looked at it yet.</param>
public sealed record NewBoxesRequest(IReadOnlyList<LabelBox>? Boxes);
