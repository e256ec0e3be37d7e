using System.Globalization;
using System.Text.Json;
using Headstart.Uploads.Boxes;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Formats;

/// <summary>
/// Manifests of Amazon SageMaker Ground Truth and Rekognition: JSON Lines with <c>source-ref</c> and, for each labelling job, an attribute
/// and its <c>-metadata</c>. (https://docs.aws.amazon.com/sagemaker/latest/dg/sms-data-output.html)
/// </summary>
internal sealed class AmazonManifest : IAnnotationFormat
{
    private const string Suffix = "-metadata";

    public string Name => "Amazon manifest";

    public IEnumerable<ManifestRow>? Read(Annotation file) => file.Json is { IsList: false } shape && shape.Has("source-ref")
        ? file.Lines<Dictionary<string, JsonElement>>(Name)
            .Select(line => Labelled.Row(Name, Text(line, "source-ref"), LabelsOf(line)) with { Drawn = DrawingOf(line) }) : null;

    /// <summary>The boxes of the only job that has boxes; null if none does.</summary>
    private static Drawing? DrawingOf(Dictionary<string, JsonElement> line)
    {
        var jobs = line.Where(field => field.Value.Property("annotations").ValueKind == JsonValueKind.Array
            && line.GetValueOrDefault(field.Key + Suffix).Property("type") is { ValueKind: JsonValueKind.String } type
            && type.GetString()!.EndsWith("object-detection", StringComparison.Ordinal)).ToList();
        if (jobs is not [var (name, value)])
        {
            return jobs.Count == 0 ? null : Drawing.Not("Several labelling jobs drew boxes in this image; leave one of them.");
        }

        var map = line[name + Suffix].Property("class-map");
        var size = value.Property("image_size").Elements().FirstOrDefault();
        return new(DrawingUnit.Pixels, [.. value.Property("annotations").Elements().Select(box => DrawnBox.Sized(ClassOf(box, map),
            box.Number("left"), box.Number("top"), box.Number("width"), box.Number("height")))],
            PixelSize.Of(size.Number("width"), size.Number("height")));
    }

    private static string? ClassOf(JsonElement box, JsonElement map) => box.Property("class_id") is { ValueKind: JsonValueKind.Number } id
        ? map.Property(Number(id)) is { ValueKind: JsonValueKind.String } name ? name.GetString() : Number(id) : null;

    private static IEnumerable<string> LabelsOf(Dictionary<string, JsonElement> line) =>
        line.Where(field => field.Key.EndsWith(Suffix, StringComparison.Ordinal) && field.Value.ValueKind == JsonValueKind.Object)
            .SelectMany(field => LabelsOf(field.Value, line.GetValueOrDefault(field.Key[..^Suffix.Length])));

    private static IEnumerable<string> LabelsOf(JsonElement about, JsonElement value)
    {
        var type = about.TryGetProperty("type", out var given) && given.ValueKind == JsonValueKind.String ? given.GetString()! : "";
        if (type.Contains("verification", StringComparison.Ordinal) || about.TryGetProperty("failure-reason", out _))
        {
            return []; // a verdict on a label, or no answer
        }

        return about.TryGetProperty("class-name", out var name) && name.ValueKind == JsonValueKind.String ? [name.GetString()!]
            : about.TryGetProperty("class-map", out var map) && map.ValueKind == JsonValueKind.Object
                ? [.. Classes(value).Select(id => map.TryGetProperty(id, out var mapped) && mapped.ValueKind == JsonValueKind.String
                    ? mapped.GetString()! : id)] : [];
    }

    /// <summary>Class numbers from a list of numbers or of boxes.</summary>
    private static IEnumerable<string> Classes(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => value.EnumerateArray().Where(id => id.ValueKind == JsonValueKind.Number).Select(Number),
        JsonValueKind.Object when value.TryGetProperty("annotations", out var boxes) && boxes.ValueKind == JsonValueKind.Array =>
            boxes.EnumerateArray().Where(box => box.ValueKind == JsonValueKind.Object && box.TryGetProperty("class_id", out _))
                .Select(box => Number(box.GetProperty("class_id"))),
        _ => [],
    };

    private static string Number(JsonElement id) => id.TryGetInt64(out var whole) ? whole.ToString(CultureInfo.InvariantCulture)
        : id.GetRawText();

    private static string Text(Dictionary<string, JsonElement> line, string name) =>
        line.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
