using System.Text.Json.Serialization;
using Headstart.Versions;

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
    /// <param name="top">Number of labels to keep.</param>
    internal static FilePrediction Of(ServedClassifier version, string? fileName, Answer answer, int top)
    {
        if (answer.Refusal is { } refusal)
        {
            return Failed(fileName, refusal.Detail);
        }

        var thresholds = version.Head.Thresholds;
        var labels = version.Head.Labels.Zip(answer.Probabilities).Select((pair, k) => new LabelResponse(
            pair.First, Math.Round(pair.Second, 6), thresholds is null ? null : pair.Second >= thresholds[k]));
        return new(fileName, [.. labels.OrderByDescending(l => l.Probability).Take(top)], answer.Unknown, null, answer.Explanation);
    }

    /// <param name="version">The version that predicted.</param>
    /// <param name="fileName">As uploaded.</param>
    /// <param name="answer">Its prediction.</param>
    /// <param name="top">Number of objects to keep.</param>
    internal static FilePrediction Of(ServedDetector version, string? fileName, DetectionAnswer answer, int top) =>
        answer.Detections is not { } found ? Failed(fileName, answer.Refusal!.Detail)
        : new(fileName, [], null, null, null, null, [.. found.Objects.Take(top).Select(o => PredictedObject.Of(version.Labels, found, o))],
            found.Width, found.Height);

    internal static FilePrediction Failed(string? fileName, string error) => new(fileName, [], null, error, null);
}
