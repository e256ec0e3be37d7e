using System.Text.Json;
using Headstart.Uploads.Boxes;

namespace Headstart.Uploads.Formats;

/// <summary>A shape, or another answer of an annotator.</summary>
/// <param name="Id">Shared by a shape and its label if these are separate results.</param>
/// <param name="Size">Size of the image.</param>
/// <param name="IsTurned">Whether the image was rotated before the shape was drawn.</param>
internal sealed record StudioShape(JsonElement Value, string Id, PixelSize? Size, bool IsTurned);

/// <summary>The labels in a value of Label Studio, such as <c>{"choices":["cat"]}</c> or
/// <c>[{"x":1,"rectanglelabels":["cat"]}]</c>.</summary>
internal static class StudioValues
{
    private const string Studio = "Label Studio";

    /// <param name="answers">Answers of several annotators.</param>
    /// <param name="tool">The tool in which they can be corrected.</param>
    public static string Disagreement(IEnumerable<IReadOnlySet<string>> answers, string tool = Studio) =>
        $"Its annotations in {tool} have different labels ("
        + $"{string.Join("; ", answers.Take(5).Select(labels => string.Join(", ", labels)))}); keep one of them there and export again.";

    public static string Redrawn(string tool) =>
        $"Its annotations in {tool} have different boxes; keep one of them there and export again.";

    /// <summary>The boxes on which all annotators agree; null if they chose labels without drawing.</summary>
    public static Drawing? Agreed(IReadOnlyList<Drawing?> answers) =>
        answers is not [{ } first, ..] || answers.Any(answer => answer is null) ? null
        : answers.Skip(1).All(answer => answer!.IsSameAs(first)) ? first : Drawing.Not(Redrawn(Studio));

    /// <summary>The boxes of shapes, in percent of the image; null if there are only labels.</summary>
    public static Drawing? DrawingOf(IReadOnlyCollection<StudioShape> shapes)
    {
        var drawn = shapes.Where(shape => IsShape(shape.Value)).ToList();
        if (drawn.Count == 0)
        {
            return shapes.Any(shape => LabelsOf(shape.Value).Any()) ? null : Drawing.Nothing;
        }

        // If the project has separate controls for them, Label Studio writes a shape and its label as two results with the same id.
        var labelled = drawn.Where(shape => LabelsOf(shape.Value).Any()).ToList();
        var ids = labelled.Select(shape => shape.Id).ToHashSet();
        var nameless = drawn.Exists(shape => !LabelsOf(shape.Value).Any() && !ids.Contains(shape.Id));
        var sizes = labelled.Select(shape => shape.Size).Distinct().ToList();
        return nameless ? Drawing.Not("A shape in it has no label; give it one, or remove it.")
            : sizes.Count > 1 ? Drawing.Not("Its shapes do not agree about the size of the image; export it again.")
            : labelled.Exists(shape => shape.IsTurned)
                ? Drawing.Not("It was turned in Label Studio before it was labelled (image_rotation); turn the file itself and draw again.")
            : new(DrawingUnit.Parts,
                [.. labelled.SelectMany(shape => LabelsOf(shape.Value).Select(label => Drawn(label, shape.Value)))], sizes[0]);
    }

    /// <summary>Empty for another value.</summary>
    public static IEnumerable<string> LabelsOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => value.EnumerateArray().SelectMany(LabelsOf),
        JsonValueKind.Object => value.EnumerateObject()
            .Where(field => field.Name == "choices" || field.Name.EndsWith("labels", StringComparison.Ordinal))
            .SelectMany(field => field.Value.ValueKind == JsonValueKind.Array ? field.Value.EnumerateArray() : [])
            .Where(label => label.ValueKind == JsonValueKind.String).Select(label => label.GetString()!),
        _ => [],
    };

    /// <summary>The boxes in a cell or field with such a value.</summary>
    public static Drawing? DrawingOf(string cell)
    {
        try
        {
            using var json = JsonDocument.Parse(cell);
            IEnumerable<JsonElement> values = json.RootElement.ValueKind == JsonValueKind.Array ? json.RootElement.EnumerateArray()
                : [json.RootElement];
            return DrawingOf([.. values.Select(value => new StudioShape(value, value.Property("id").ToString(),
                PixelSize.Of(value.Number("original_width"), value.Number("original_height")),
                value.Number("image_rotation") is not (null or 0)))]);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null; // plain text
        }
    }

    private static bool IsShape(JsonElement value) => value.Property("x").ValueKind == JsonValueKind.Number
        || value.Property("points").ValueKind == JsonValueKind.Array || value.Property("rle").ValueKind == JsonValueKind.Array;

    private static DrawnBox Drawn(string label, JsonElement value)
    {
        var (x, y) = (value.Number("x") / 100, value.Number("y") / 100);
        if (value.Number("rotation") is { } angle and not 0)
        {
            return DrawnBox.Not(label, FormattableString.Invariant($"is turned by {angle:0.#} degrees; draw it upright."));
        }

        return value.Property("points").ValueKind == JsonValueKind.Array
            ? DrawnBox.Around(label, [.. value.Property("points").Elements()
                .Select(point => point.Elements().Select(n => n.Number() / 100).ToList())
                .Select(point => (point.ElementAtOrDefault(0), point.ElementAtOrDefault(1)))])
            : value.Number("radiusX") / 100 is { } across && value.Number("radiusY") / 100 is { } down
                ? DrawnBox.Cornered(label, x - across, y - down, x + across, y + down)
            : value.Number("height") is null ? DrawnBox.Not(label, "is a point or a mask; draw a rectangle.")
            : DrawnBox.Sized(label, x, y, value.Number("width") / 100, value.Number("height") / 100);
    }

    /// <summary>The labels of a cell, which is a label or such a value as JSON; null for plain text.</summary>
    public static IReadOnlyList<string>? LabelsOf(string cell)
    {
        if (cell is not ['{' or '[', ..])
        {
            return null;
        }

        try
        {
            using var json = JsonDocument.Parse(cell);
            return [.. LabelsOf(json.RootElement)];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
