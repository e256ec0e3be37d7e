namespace Headstart.Learning.Detection;

/// <summary>A rectangle relative to the upright image: 0 is the image's left or upper edge, 1 its right or lower edge.</summary>
/// <param name="X">Left edge.</param>
/// <param name="Y">Upper edge.</param>
/// <param name="Width">Extent to the right of <paramref name="X"/>.</param>
/// <param name="Height">Extent below <paramref name="Y"/>.</param>
public readonly record struct Box(float X, float Y, float Width, float Height)
{
    public float Right => X + Width;

    public float Bottom => Y + Height;

    /// <summary>Share of the image; 0 for an empty box.</summary>
    public float Area => Math.Max(0, Width) * Math.Max(0, Height);

    /// <summary>Whether all numbers are finite and the box is not empty.</summary>
    public bool IsSound => float.IsFinite(X) && float.IsFinite(Y) && float.IsFinite(Right) && float.IsFinite(Bottom) && Width > 0
        && Height > 0;

    /// <param name="left">Left edge.</param>
    /// <param name="top">Upper edge.</param>
    /// <param name="right">Right edge.</param>
    /// <param name="bottom">Lower edge.</param>
    public static Box Between(float left, float top, float right, float bottom) => new(left, top, right - left, bottom - top);

    /// <summary>The part inside the image; its <see cref="Area"/> is 0 if there is none.</summary>
    public Box Clip()
    {
        var (left, top) = (Math.Clamp(X, 0, 1), Math.Clamp(Y, 0, 1));
        return Between(left, top, Math.Clamp(Right, left, 1), Math.Clamp(Bottom, top, 1));
    }

    /// <summary>Area of the intersection.</summary>
    public float Overlap(Box other) => Math.Max(0, Math.Min(Right, other.Right) - Math.Max(X, other.X))
        * Math.Max(0, Math.Min(Bottom, other.Bottom) - Math.Max(Y, other.Y));

    /// <summary>Intersection over union, 0..1; the same value as in pixels.</summary>
    public float Iou(Box other)
    {
        var overlap = Overlap(other);
        return overlap <= 0 ? 0 : overlap / (Area + other.Area - overlap);
    }

    /// <summary>Share of this box that the other covers, 0..1; used instead of IoU for crowds.</summary>
    public float Inside(Box other) => Area <= 0 ? 0 : Overlap(other) / Area;
}

/// <summary>An object labelled by a person.</summary>
/// <param name="Category">Index of its category.</param>
/// <param name="Box">Its position.</param>
/// <param name="Difficult">Pascal VOC's "difficult" or COCO's "iscrowd": not learned, and neither finding nor missing it counts.</param>
public sealed record LabelledBox(int Category, Box Box, bool Difficult = false);

/// <summary>An object found by a detector.</summary>
/// <param name="Category">Index of its category.</param>
/// <param name="Box">Its position, clipped to the image.</param>
/// <param name="Probability">Calibrated: of objects found with 0.9, nine in ten are real.</param>
public sealed record DetectedObject(int Category, Box Box, float Probability);

/// <summary>An image with all of its objects.</summary>
/// <param name="Boxes">Empty for an image without objects.</param>
/// <param name="Read">Returns the file's bytes. Called from several threads, more than once.</param>
public sealed record DetectionExample(IReadOnlyList<LabelledBox> Boxes, Func<byte[]> Read)
{
    /// <summary>Supplied by the user as a test example: no head may learn from it, not even the served one.</summary>
    public bool TestOnly { get; init; }

    /// <summary>Examples of one group are near-duplicates and stay on the same side of every split; null for an example without
    /// any.</summary>
    public int? Group { get; init; }
}

/// <summary>The objects found in one image.</summary>
/// <param name="Width">Width of the upright image in pixels.</param>
/// <param name="Height">Height of the upright image in pixels.</param>
/// <param name="Objects">Most probable first.</param>
public sealed record Detections(int Width, int Height, IReadOnlyList<DetectedObject> Objects);
