using System.Text.Json.Serialization;
using Headstart.Versions;

namespace Headstart.Predictions;

/// <param name="Probability">0 to 1; where labels exclude each other those of all labels sum to 1.</param>
/// <param name="Applies">With several labels an image, whether this one applies: its probability is at least its threshold. Else absent.</param>
public sealed record LabelResponse(
    string Label, double Probability, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? Applies = null);

/// <param name="Labels">By falling probability.</param>
/// <param name="Unknown">Whether the image or text resembles none of the categories; null where it could not be read.</param>
/// <param name="Error">Why this one could not be answered; the others are.</param>
/// <param name="Explanation">Where the most probable label is seen, or which words speak for it; null unless asked for with explain=true.</param>
/// <param name="Text">The text that was asked about; absent for an image.</param>
public sealed record FilePrediction(
    string? FileName, IReadOnlyList<LabelResponse> Labels, bool? Unknown, string? Error, ExplanationResponse? Explanation,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Text = null)
{
    /// <param name="top">Keep so many labels.</param>
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
