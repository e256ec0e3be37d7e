using System.Text.Json;
using System.Text.Json.Serialization;
using Headstart.Data;
using Headstart.Operations;
using Headstart.Predictions;

namespace Headstart.BatchPredictions;

/// <summary>What a version says of an item, as a prediction at once would.</summary>
/// <param name="Labels">All, by falling probability; none where there is an error.</param>
/// <param name="Unknown">Whether the image or text resembles none of the categories.</param>
/// <param name="Error">Why there is no answer.</param>
public sealed record BatchAnswer(IReadOnlyList<BatchLabel> Labels, bool? Unknown, string? Error)
{
    public static BatchAnswer Of(FilePrediction prediction) =>
        new([.. prediction.Labels.Select(l => new BatchLabel(l.Label, l.Probability, l.Applies))], prediction.Unknown, prediction.Error);

    public static BatchAnswer Refused(string error) => new([], null, error);

    public string ToJson() => JsonSerializer.Serialize(this, Json.Options);

    public static BatchAnswer FromJson(string json) => JsonSerializer.Deserialize<BatchAnswer>(json, Json.Options)!;
}

/// <param name="Probability">0 to 1.</param>
/// <param name="Applies">With several labels an image, whether this one applies; else absent.</param>
public sealed record BatchLabel(
    string Label, double Probability, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? Applies = null);

/// <summary>A line of the results of images: the answer, and what it is about.</summary>
/// <param name="ImageId">Of a stored image; null for a file that was sent.</param>
public sealed record BatchLine(string FileName, Guid? ImageId, IReadOnlyList<BatchLabel> Labels, bool? Unknown, string? Error)
{
    /// <param name="item">With an answer.</param>
    public static BatchLine Of(BatchItem item)
    {
        var (labels, unknown, error) = BatchAnswer.FromJson(item.Answer!);
        return new(item.FileName, item.ExampleId, labels, unknown, error);
    }
}

/// <summary>A line of the results of texts: the answer, and what it is about.</summary>
/// <param name="Text">null where it could not be read.</param>
/// <param name="TextId">Of a stored text; null for one that was sent.</param>
/// <param name="FileName">Of the file that it stood in, where there was one.</param>
public sealed record TextBatchLine(
    string? Text, Guid? TextId, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? FileName,
    IReadOnlyList<BatchLabel> Labels, bool? Unknown, string? Error)
{
    /// <param name="item">With an answer.</param>
    public static TextBatchLine Of(BatchItem item)
    {
        var (labels, unknown, error) = BatchAnswer.FromJson(item.Answer!);
        return new(item.Text, item.ExampleId, item.FileName.Length == 0 ? null : item.FileName, labels, unknown, error);
    }
}
