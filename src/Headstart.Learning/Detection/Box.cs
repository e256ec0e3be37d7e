namespace Headstart.Learning.Detection;

/// <summary>A rectangle relative to the upright picture: 0 is its left or upper edge, 1 its right or lower one.</summary>
/// <param name="X">Left edge.</param>
/// <param name="Y">Upper edge.</param>
/// <param name="Width">To the right of <paramref name="X"/>.</param>
/// <param name="Height">Below <paramref name="Y"/>.</param>
public readonly record struct Box(float X, float Y, float Width, float Height)
{
    public float Right => X + Width;

    public float Bottom => Y + Height;

    /// <summary>Share of the picture; 0 where nothing is inside.</summary>
    public float Area => Math.Max(0, Width) * Math.Max(0, Height);

    /// <summary>Whether all numbers are finite and something is inside.</summary>
    public bool IsSound => float.IsFinite(X) && float.IsFinite(Y) && float.IsFinite(Right) && float.IsFinite(Bottom) && Width > 0
        && Height > 0;

    /// <param name="left">Left edge.</param>
    /// <param name="top">Upper edge.</param>
    /// <param name="right">Right edge.</param>
    /// <param name="bottom">Lower edge.</param>
    public static Box Between(float left, float top, float right, float bottom) => new(left, top, right - left, bottom - top);

    /// <summary>The part inside of the picture; its <see cref="Area"/> is 0 where there is none.</summary>
    public Box Clip()
    {
        var (left, top) = (Math.Clamp(X, 0, 1), Math.Clamp(Y, 0, 1));
        return Between(left, top, Math.Clamp(Right, left, 1), Math.Clamp(Bottom, top, 1));
    }

    /// <summary>Area that both cover.</summary>
    public float Overlap(Box other) => Math.Max(0, Math.Min(Right, other.Right) - Math.Max(X, other.X))
        * Math.Max(0, Math.Min(Bottom, other.Bottom) - Math.Max(Y, other.Y));

    /// <summary>Intersection over union, 0..1. The same in pixels: both axes are scaled alike for both boxes.</summary>
    public float Iou(Box other)
    {
        var overlap = Overlap(other);
        return overlap <= 0 ? 0 : overlap / (Area + other.Area - overlap);
    }

    /// <summary>Share of this box that the other covers, 0..1: what counts against a crowd.</summary>
    public float Inside(Box other) => Area <= 0 ? 0 : Overlap(other) / Area;
}

/// <summary>An object that a person has marked.</summary>
/// <param name="Category">Index of its category.</param>
/// <param name="Box">Where it is.</param>
/// <param name="Difficult">"difficult" of Pascal VOC and "iscrowd" of COCO: neither learned nor counted, and no mistake to find.</param>
public sealed record LabelledBox(int Category, Box Box, bool Difficult = false);

/// <summary>An object that a detector has found.</summary>
/// <param name="Category">Index of its category.</param>
/// <param name="Box">Where it is, inside of the picture.</param>
/// <param name="Probability">Calibrated: of those found with 0.9, nine in ten are there.</param>
public sealed record DetectedObject(int Category, Box Box, float Probability);

/// <summary>A picture with all of its objects.</summary>
/// <param name="Boxes">Empty for a picture with nothing to find.</param>
/// <param name="Read">Gives the file's bytes. Called from several threads, more than once.</param>
public sealed record DetectionExample(IReadOnlyList<LabelledBox> Boxes, Func<byte[]> Read)
{
    /// <summary>A person gave it as test: no head may learn from it, not even the one that is served.</summary>
    public bool TestOnly { get; init; }

    /// <summary>Examples of one group show almost the same and are never on both sides of a comparison; null for one that is
    /// alone.</summary>
    public int? Group { get; init; }
}

/// <summary>What was found in one picture.</summary>
/// <param name="Width">Of the upright picture in pixels.</param>
/// <param name="Height">Of the upright picture in pixels.</param>
/// <param name="Objects">The most probable first.</param>
public sealed record Detections(int Width, int Height, IReadOnlyList<DetectedObject> Objects);
