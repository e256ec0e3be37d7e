using System.Text.Json;
using System.Text.Json.Serialization;
using Headstart.Uploads.Boxes;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Formats;

/// <summary>Labelbox: the lines of its export, with <c>data_row</c> and <c>projects</c>, and the older list with <c>Labeled Data</c>
/// (https://docs.labelbox.com/reference/label-export): answers to its only question, otherwise names of boxes and shapes.</summary>
internal sealed class LabelboxJson : IAnnotationFormat
{
    private static readonly string[] Names = ["name", "title", "value"];

    public string Name => "Labelbox";

    public IEnumerable<ManifestRow>? Read(Annotation file) => file.Json is not { } shape ? null
        : shape.Has("data_row", "projects") ? Rows(file, shape.IsList ? file.Parse<List<Item>>(Name) : [.. file.Lines<Item>(Name)])
        : shape.IsList && shape.Has("Labeled Data", "Label") ? Rows(file, file.Parse<List<Older>>(Name).ConvertAll(Item.Of)) : null;

    private IEnumerable<ManifestRow> Rows(Annotation file, List<Item> items)
    {
        var question = LabelWords.OnlyLabel(file, items.SelectMany(item => item.Answers).SelectMany(answer => answer.Questions.Elements())
            .Where(question => ChoicesOf(question).Any()).Select(NameOf).OfType<string>());
        return items.Where(item => item.Image is not null).Select(item => Row(item, question));
    }

    private ManifestRow Row(Item item, string? question)
    {
        var answers = item.Answers.ConvertAll(answer => LabelsOf(answer, question));
        var given = answers.Where(labels => labels.Count > 0).ToList();
        var row = given.Skip(1).Any(labels => !labels.SetEquals(given[0]))
            ? Labelled.Not(item.Image!, "annotators-disagree", StudioValues.Disagreement(given, Name))
            : Labelled.Row(Name, item.Image!, given.FirstOrDefault() ?? [], url: item.Address);
        var drawn = item.Answers.ConvertAll(answer => DrawingOf(answer, item.Size, question is not null));
        return row with
        {
            Drawn = drawn is not [{ } first, ..] || drawn.Contains(null) ? null
                : drawn.TrueForAll(one => one!.IsSameAs(first)) ? first
                : Drawing.Not(StudioValues.Redrawn(Name)),
        };
    }

    private static HashSet<string> LabelsOf(Answer answer, string? question) => [.. question is null
        ? answer.Objects.Elements().Select(NameOf).OfType<string>()
        : answer.Questions.Elements().Where(one => NameOf(one) == question).SelectMany(ChoicesOf)];

    /// <param name="asked">Whether the project has a question, so that an image may be labelled without boxes.</param>
    private static Drawing? DrawingOf(Answer answer, PixelSize? size, bool asked) =>
        answer.Objects.Elements().ToList() is { Count: > 0 } objects ? new(DrawingUnit.Pixels, objects.ConvertAll(Drawn), size)
        : asked ? null : Drawing.Nothing;

    private static DrawnBox Drawn(JsonElement one)
    {
        var box = one.Property("bounding_box").ValueKind == JsonValueKind.Object ? one.Property("bounding_box") : one.Property("bbox");
        var polygon = one.Property("polygon").Elements().Select(point => (point.Number("x"), point.Number("y"))).ToList();
        return box.ValueKind == JsonValueKind.Object
            ? DrawnBox.Sized(NameOf(one), box.Number("left"), box.Number("top"), box.Number("width"), box.Number("height"))
            : polygon.Count > 0 ? DrawnBox.Around(NameOf(one), polygon)
            : DrawnBox.Not(NameOf(one), "is neither a bounding box nor a polygon; draw one of these.");
    }

    /// <summary>The chosen options of a question with radio buttons or a checklist; empty for a text.</summary>
    private static IEnumerable<string> ChoicesOf(JsonElement question) =>
        new[] { question.Property("radio_answer"), question.Property("answer") }.Where(answer => answer.ValueKind == JsonValueKind.Object)
            .Concat(question.Property("checklist_answers").Elements()).Concat(question.Property("answers").Elements())
            .Select(NameOf).OfType<string>();

    private static string? NameOf(JsonElement named) => Names.Select(name => named.Property(name))
        .Where(name => name.ValueKind == JsonValueKind.String).Select(name => name.GetString()).FirstOrDefault(name => name!.Length > 0);

    /// <summary>One annotator's labels for an image.</summary>
    private sealed record Answer(JsonElement Objects, [property: JsonPropertyName("classifications")] JsonElement Questions);

    private sealed record Item(
        [property: JsonPropertyName("data_row")] JsonElement Row, [property: JsonPropertyName("media_attributes")] JsonElement Media,
        JsonElement Projects)
    {
        /// <summary>In the older list; null in the newer lines.</summary>
        private Answer? Only { get; init; }

        public string? Image => Text("external_id") ?? Text("global_key") ?? Address ?? Text("id");

        public string? Address => Text("row_data") is { } url && url.StartsWith("http", StringComparison.OrdinalIgnoreCase) ? url : null;

        public PixelSize? Size => PixelSize.Of(Media.Number("width"), Media.Number("height"));

        public List<Answer> Answers => Only is not null ? [Only]
            : Projects.ValueKind != JsonValueKind.Object ? []
            : [.. Projects.EnumerateObject().SelectMany(project => project.Value.Property("labels").Elements())
                .Where(label => !label.Property("performance_details").Property("skipped").IsSet())
                .Select(label => label.Property("annotations")).Where(said => said.ValueKind == JsonValueKind.Object)
                .Select(said => new Answer(said.Property("objects"), said.Property("classifications")))];

        public static Item Of(Older older)
        {
            var row = JsonSerializer.SerializeToElement(new { external_id = older.ExternalId, row_data = older.LabeledData });
            var said = older.Label.ValueKind == JsonValueKind.Object && !older.Skipped.IsSet();
            return new(row, default, JsonSerializer.SerializeToElement(new { }))
            {
                Only = said ? new(older.Label.Property("objects"), older.Label.Property("classifications")) : null,
            };
        }

        private string? Text(string name) => Row.Property(name) is { ValueKind: JsonValueKind.String } text
            && text.GetString() is { Length: > 0 } value ? value : null;
    }

    private sealed record Older(
        [property: JsonPropertyName("Labeled Data")] string? LabeledData, JsonElement Label, JsonElement Skipped,
        [property: JsonPropertyName("External ID")] string? ExternalId);
}
