using System.Text.Json;
using System.Text.Json.Serialization;
using Headstart.Uploads.Boxes;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Formats;

/// <summary>Label Studio, JSON: tasks with all their annotations (https://labelstud.io/guide/export).</summary>
internal sealed class LabelStudioJson : IAnnotationFormat
{
    public string Name => "Label Studio";

    public IEnumerable<ManifestRow>? Read(Annotation file) =>
        file.Json is { IsList: true } shape && shape.Has("data") && (shape.Has("annotations") || shape.Has("completions"))
            ? file.Parse<List<StudioTask>>(Name).Select(task => Row(file, task)) : null;

    private ManifestRow Row(Annotation file, StudioTask task)
    {
        var image = task.Data?.Where(field => field.Value.ValueKind == JsonValueKind.String)
            .Select(field => (field.Key, Value: field.Value.GetString()!)).Where(field => ImageNames.LooksLikeOne(field.Value))
            .OrderBy(field => LabelWords.IsImage(field.Key) ? 0 : 1).Select(field => field.Value).FirstOrDefault()
            ?? task.FileUpload ?? throw file.Broken(Name, $"task {task.Id} names no image");
        var given = (task.Annotations ?? task.Completions ?? []).Where(answer => answer.Cancelled is not true)
            .Select(answer => answer.Result ?? []).ToList();
        var answers = given.Select(LabelsOf).Where(labels => labels.Count > 0).ToList();
        var row = answers.Skip(1).Any(labels => !labels.SetEquals(answers[0]))
            ? Labelled.Not(image, "annotators-disagree", StudioValues.Disagreement(answers))
            : Labelled.Row(Name, image, answers.FirstOrDefault() ?? []);
        return row with
        {
            Drawn = StudioValues.Agreed(given.ConvertAll(results => StudioValues.DrawingOf(results.ConvertAll(result =>
                new StudioShape(result.Value, result.Id.ToString(), PixelSize.Of(result.Width.Number(), result.Height.Number()),
                    result.Rotation.Number() is not (null or 0)))))),
        };
    }

    /// <summary>The chosen answers; without any, the labels of boxes and shapes.</summary>
    private static HashSet<string> LabelsOf(IReadOnlyList<StudioResult> results)
    {
        var choices = results.Where(result => result.Type == "choices").ToList();
        return [.. (choices.Count > 0 ? choices : results).Where(result => result.Value.ValueKind == JsonValueKind.Object)
            .SelectMany(result => StudioValues.LabelsOf(result.Value))];
    }

    private sealed record StudioTask(
        [property: JsonConverter(typeof(AnyText))] string? Id, Dictionary<string, JsonElement>? Data, List<StudioAnswer>? Annotations,
        List<StudioAnswer>? Completions, [property: JsonPropertyName("file_upload")] string? FileUpload);

    private sealed record StudioAnswer(List<StudioResult>? Result, [property: JsonPropertyName("was_cancelled")] bool? Cancelled);

    private sealed record StudioResult(
        JsonElement Value, string? Type, JsonElement Id, [property: JsonPropertyName("original_width")] JsonElement Width,
        [property: JsonPropertyName("original_height")] JsonElement Height,
        [property: JsonPropertyName("image_rotation")] JsonElement Rotation);
}
