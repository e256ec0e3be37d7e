using Headstart.Learning.Detection;

namespace Headstart.Predictions;

/// <summary>An object that was found in an image.</summary>
/// <param name="Label">Its category.</param>
/// <param name="Probability">0 to 1: of the objects found with 0.9, nine in ten are right.</param>
/// <param name="Box">Where it is, relative to the upright image.</param>
/// <param name="Pixels">The same box in pixels of the upright image.</param>
public sealed record PredictedObject(string Label, double Probability, RelativeBox Box, PixelBox Pixels)
{
    internal static PredictedObject Of(IReadOnlyList<string> labels, Detections image, DetectedObject found) =>
        new(labels[found.Category], Math.Round(found.Probability, 6), RelativeBox.Of(found.Box),
            PixelBox.Of(found.Box, image.Width, image.Height));
}

/// <summary>A box relative to the upright image's width and height, 0 to 1.</summary>
/// <param name="X">Left edge.</param>
/// <param name="Y">Top edge.</param>
public sealed record RelativeBox(double X, double Y, double Width, double Height)
{
    internal static RelativeBox Of(Box box) =>
        new(Math.Round(box.X, 6), Math.Round(box.Y, 6), Math.Round(box.Width, 6), Math.Round(box.Height, 6));
}

/// <summary>A box in whole pixels of the upright image.</summary>
/// <param name="X">Left edge.</param>
/// <param name="Y">Top edge.</param>
public sealed record PixelBox(int X, int Y, int Width, int Height)
{
    internal static PixelBox Of(Box box, int width, int height)
    {
        var (left, top) = ((int)MathF.Round(box.X * width), (int)MathF.Round(box.Y * height));
        return new(left, top, (int)MathF.Round(box.Right * width) - left, (int)MathF.Round(box.Bottom * height) - top);
    }
}
