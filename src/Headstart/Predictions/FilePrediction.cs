using System.Text.Json.Serialization;
using Headstart.Learning.Detection;

namespace Headstart.Predictions;

/// <param name="Probability">0 to 1; the probabilities of all labels sum to 1, except in a multi-label model.</param>
/// <param name="Applies">In a multi-label model, whether the label applies: its probability is at least its threshold. Otherwise
/// absent.</param>
public sealed record LabelResponse(
    string Label, double Probability, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? Applies = null);

/// <param name="Labels">The labels by descending probability; empty in a detection model, which has <c>objects</c>.</param>
/// <param name="Unknown">Whether the image or text resembles none of the categories; null if it could not be read, and in a detection
/// model.</param>
/// <param name="Error">Why this image or text has no prediction; the others still have one.</param>
/// <param name="Explanation">The areas or words that support the most probable label; null unless requested with explain=true.</param>
/// <param name="Text">The predicted text; absent for an image.</param>
/// <param name="Objects">In a detection model, what was found and where, the most probable first; otherwise absent.</param>
/// <param name="Width">In a detection model, the width of the upright image in pixels; otherwise absent.</param>
/// <param name="Height">In a detection model, the height of the upright image in pixels; otherwise absent.</param>
public sealed record FilePrediction(
    string? FileName, IReadOnlyList<LabelResponse> Labels, bool? Unknown, string? Error, ExplanationResponse? Explanation,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Text = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<PredictedObject>? Objects = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Width = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Height = null)
{
    /// <param name="fileName">As uploaded.</param>
    /// <param name="top">Number of labels, or objects, to keep.</param>
    internal static FilePrediction Of(Answer answer, string? fileName = null, int top = int.MaxValue)
    {
        if (answer.Refusal is { } refusal)
        {
            return Failed(fileName, refusal.Detail);
        }

        var names = answer.Version.Labels;
        if (answer.Found is { } found)
        {
            return new(fileName, [], null, null, null, null, [.. found.Objects.Take(top).Select(o => PredictedObject.Of(names, found, o))],
                found.Width, found.Height);
        }

        var thresholds = answer.Version.Thresholds;
        var labels = names.Zip(answer.Probabilities).Select((pair, k) => new LabelResponse(
            pair.First, Math.Round(pair.Second, 6), thresholds is null ? null : pair.Second >= thresholds[k]));
        return new(fileName, [.. labels.OrderByDescending(l => l.Probability).Take(top)], answer.Unknown, null, answer.Explanation);
    }

    internal static FilePrediction Failed(string? fileName, string error) => new(fileName, [], null, error, null);
}

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
