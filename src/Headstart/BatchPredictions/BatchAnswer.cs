using System.Text.Json;
using System.Text.Json.Serialization;
using Headstart.Data;
using Headstart.Predictions;

namespace Headstart.BatchPredictions;

/// <summary>A version's prediction for an item, the same as a single prediction.</summary>
/// <param name="Labels">All labels by descending probability; empty if there is an error, and in a detection model.</param>
/// <param name="Unknown">Whether the image or text resembles none of the categories.</param>
/// <param name="Error">Why there is no prediction.</param>
/// <param name="Objects">In a detection model, what was found and where; otherwise absent.</param>
public sealed record BatchAnswer(IReadOnlyList<BatchLabel> Labels, bool? Unknown, string? Error,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<PredictedObject>? Objects = null)
{
    public static BatchAnswer Of(Answer answer)
    {
        var prediction = FilePrediction.Of(answer);
        return new([.. prediction.Labels.Select(l => new BatchLabel(l.Label, l.Probability, l.Applies))], prediction.Unknown,
            prediction.Error, prediction.Objects);
    }

    public static BatchAnswer Refused(string error) => new([], null, error);

    public string ToJson() => JsonSerializer.Serialize(this, Json.Options);

    public static BatchAnswer FromJson(string json) => JsonSerializer.Deserialize<BatchAnswer>(json, Json.Options)!;
}

/// <param name="Probability">0 to 1.</param>
/// <param name="Applies">In a multi-label model, whether the label applies; otherwise absent.</param>
public sealed record BatchLabel(
    string Label, double Probability, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? Applies = null);

/// <summary>A line of image results: the image and its prediction.</summary>
/// <param name="ImageId">Id of a stored image; null for an uploaded file.</param>
/// <param name="Labels">Empty in a detection model, which has <c>objects</c>.</param>
/// <param name="Objects">In a detection model, what was found and where; otherwise absent.</param>
public sealed record BatchLine(string FileName, Guid? ImageId, IReadOnlyList<BatchLabel> Labels, bool? Unknown, string? Error,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<PredictedObject>? Objects = null)
{
    /// <param name="item">An item with its prediction.</param>
    public static BatchLine Of(BatchItem item)
    {
        var (labels, unknown, error, objects) = BatchAnswer.FromJson(item.Answer!);
        return new(item.FileName, item.ExampleId, labels, unknown, error, objects);
    }
}

/// <summary>A line of text results: the text and its prediction.</summary>
/// <param name="Text">The text; null if it could not be read.</param>
/// <param name="TextId">Id of a stored text; null for an uploaded one.</param>
/// <param name="FileName">The file that contained it, if any.</param>
public sealed record TextBatchLine(
    string? Text, Guid? TextId, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? FileName,
    IReadOnlyList<BatchLabel> Labels, bool? Unknown, string? Error)
{
    /// <param name="item">An item with its prediction.</param>
    public static TextBatchLine Of(BatchItem item)
    {
        var (labels, unknown, error, _) = BatchAnswer.FromJson(item.Answer!);
        return new(item.Text, item.ExampleId, item.FileName.Length == 0 ? null : item.FileName, labels, unknown, error);
    }
}
