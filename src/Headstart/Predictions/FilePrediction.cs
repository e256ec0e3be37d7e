using System.Text.Json.Serialization;
using Headstart.Versions;

namespace Headstart.Predictions;

/// <param name="Probability">0 to 1; the probabilities of all labels sum to 1, except in a multi-label model.</param>
/// <param name="Applies">In a multi-label model, whether the label applies: its probability is at least its threshold. Otherwise
/// absent.</param>
public sealed record LabelResponse(
    string Label, double Probability, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? Applies = null);

/// <param name="Labels">The labels by descending probability.</param>
/// <param name="Unknown">Whether the image or text resembles none of the categories; null if it could not be read.</param>
/// <param name="Error">Why this image or text has no prediction; the others still have one.</param>
/// <param name="Explanation">The areas or words that support the most probable label; null unless requested with explain=true.</param>
/// <param name="Text">The predicted text; absent for an image.</param>
public sealed record FilePrediction(
    string? FileName, IReadOnlyList<LabelResponse> Labels, bool? Unknown, string? Error, ExplanationResponse? Explanation,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Text = null)
{
    /// <param name="top">Number of labels to keep.</param>
    internal static FilePrediction Of(ServedVersion version, string? fileName, Answer answer, int top)
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

    internal static FilePrediction Failed(string? fileName, string error) => new(fileName, [], null, error, null);
}
