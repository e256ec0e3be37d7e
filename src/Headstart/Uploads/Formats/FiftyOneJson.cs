using System.Text.Json;
using System.Text.Json.Serialization;
using Headstart.Uploads.Boxes;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Formats;

/// <summary>FiftyOne: <c>labels.json</c>, which names files without extension
/// (https://docs.voxel51.com/user_guide/export_datasets.html), and <c>samples.json</c> of a whole data set.</summary>
internal sealed class FiftyOneJson : IAnnotationFormat
{
    private const string Truth = "ground_truth";

    public string Name => "FiftyOne";

    public IEnumerable<ManifestRow>? Read(Annotation file) => file.Json is not { IsList: false, IsLines: false } shape ? null
        : shape.Has("classes", "labels") && file.Parse<Labels>(Name) is { Files.ValueKind: JsonValueKind.Object } labels
            ? Rows(file, labels)
        : shape.Has("samples") && file.Parse<DataSet>(Name).Samples is { } samples
            && samples.Any(sample => sample.ContainsKey("filepath")) ? Rows(file, samples) : null;

    private List<ManifestRow> Rows(Annotation file, Labels labels)
    {
        string[] classes = [.. labels.Classes.Elements().Select(name => name.ToString())];
        return [.. labels.Files.EnumerateObject().Select(one => Row(one.Name, one.Value, classes, file))];
    }

    private ManifestRow Row(string image, JsonElement label, string[] classes, Annotation file)
    {
        var all = label.ValueKind == JsonValueKind.Array ? [.. label.EnumerateArray()]
            : label.ValueKind == JsonValueKind.Null ? [] : new List<JsonElement> { label };
        var names = all.ConvertAll(one => NameOf(one.ValueKind == JsonValueKind.Object ? one.Property("label") : one));
        var boxes = all.Exists(one => one.Property("bounding_box").ValueKind == JsonValueKind.Array);
        return Labelled.Row(Name, image, names) with
        {
            Drawn = boxes || label is { ValueKind: JsonValueKind.Array } && all.Count == 0
                ? new(DrawingUnit.Parts, [.. all.Zip(names, (one, name) => Drawn(name, one.Property("bounding_box")))]) : null,
        };

        string NameOf(JsonElement one) => one.ValueKind == JsonValueKind.String ? one.GetString()!
            : one.ValueKind == JsonValueKind.Number && one.TryGetInt32(out var number) && number >= 0 && number < classes.Length
                ? classes[number]
            : throw file.Broken(Name, $"the label of \"{RequestBodies.Readable(image)}\" is none of its classes");
    }

    /// <summary>The labels are in the field <c>ground_truth</c>, or in the only field.</summary>
    private IEnumerable<ManifestRow> Rows(Annotation file, List<Dictionary<string, JsonElement>> samples)
    {
        var fields = samples.SelectMany(sample => sample).Where(field => LabelsIn(field.Value) is not null)
            .Select(field => field.Key).Distinct().ToList();
        var field = fields.Contains(Truth) ? Truth : LabelWords.OnlyLabel(file, fields);
        foreach (var sample in samples)
        {
            if (sample.GetValueOrDefault("filepath") is not { ValueKind: JsonValueKind.String } path)
            {
                continue;
            }

            var said = field is null ? null : LabelsIn(sample.GetValueOrDefault(field));
            var sides = sample.GetValueOrDefault("tags").Elements().Where(tag => tag.ValueKind == JsonValueKind.String)
                .Select(tag => tag.GetString()!).Where(SplitNames.IsName).ToList();
            yield return Labelled.Row(Name, path.GetString()!, said?.Labels ?? [], sides is [var side] ? side : null) with
            {
                Drawn = said?.Drawn,
            };
        }
    }

    /// <summary>The labels of a field, and its boxes if it has any; null for a field of another kind.</summary>
    private static (List<string> Labels, Drawing? Drawn)? LabelsIn(JsonElement field)
    {
        var kind = field.Property("_cls") is { ValueKind: JsonValueKind.String } name ? name.GetString() : null;
        List<JsonElement> all = kind switch
        {
            "Classification" => [field],
            "Classifications" => [.. field.Property("classifications").Elements()],
            "Detections" => [.. field.Property("detections").Elements()],
            _ => [],
        };
        var labels = all.ConvertAll(one => one.Property("label") is { ValueKind: JsonValueKind.String } label ? label.GetString()! : "");
        return kind is not ("Classification" or "Classifications" or "Detections") ? null
            : (labels, kind != "Detections" ? null
                : new(DrawingUnit.Parts, [.. all.Zip(labels, (one, label) => Drawn(label, one.Property("bounding_box")))]));
    }

    /// <summary>The top left corner and the size, relative to the image.</summary>
    private static DrawnBox Drawn(string label, JsonElement box) => box.Elements().Select(number => number.Number()).ToList()
        is [var x, var y, var width, var height] ? DrawnBox.Sized(label, x, y, width, height)
        : DrawnBox.Not(label, "has no bounding_box of four numbers; export detections.");

    private sealed record Labels(JsonElement Classes, [property: JsonPropertyName("labels")] JsonElement Files);

    private sealed record DataSet(List<Dictionary<string, JsonElement>>? Samples);
}
