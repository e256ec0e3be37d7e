using System.Text.Json;
using System.Text.Json.Serialization;
using Headstart.Uploads.Boxes;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Formats;

/// <summary>VGG Image Annotator 1 and 2, its project and its annotations as JSON (https://www.robots.ox.ac.uk/~vgg/software/via/): the
/// attributes of each file, otherwise those of its regions.</summary>
internal sealed class ViaJson : IAnnotationFormat
{
    public string Name => "VIA";

    public IEnumerable<ManifestRow>? Read(Annotation file)
    {
        if (file.Json is not { IsList: false, IsLines: false } shape
            || !(shape.Has("_via_img_metadata") || (shape.FirstNames.Contains("filename") && shape.FirstNames.Contains("regions"))))
        {
            return null;
        }

        var images = shape.Has("_via_img_metadata") ? file.Parse<Project>(Name).Images ?? [] : file.Parse<Dictionary<string, Image?>>(Name);
        return ViaRows.Of(file, [.. images.Values.OfType<Image>().Where(image => image.FileName is not null)
            .Select(image => new ViaImage(image.FileName!, ViaRows.Attributes(image.FileAttributes), [.. RegionsOf(image.Regions)]))]);
    }

    /// <summary>A list, or in version 1 an object with numbers as names.</summary>
    private static IEnumerable<(JsonElement Shape, Dictionary<string, string[]> Attributes)> RegionsOf(JsonElement regions) =>
        (regions.ValueKind == JsonValueKind.Object ? regions.EnumerateObject().Select(region => region.Value) : regions.Elements())
            .Select(region => (region.Property("shape_attributes"), ViaRows.Attributes(region.Property("region_attributes"))));

    private sealed record Project([property: JsonPropertyName("_via_img_metadata")] Dictionary<string, Image?>? Images);

    private sealed record Image(string? FileName, JsonElement Regions, [property: JsonPropertyName("file_attributes")]
        JsonElement FileAttributes);
}

/// <summary>The same as a table, with a row per region.</summary>
internal sealed class ViaTable : IAnnotationFormat
{
    private static readonly string[] Columns = ["filename", "file_attributes", "region_shape_attributes", "region_attributes"];

    public string Name => "VIA";

    public IEnumerable<ManifestRow>? Read(Annotation file)
    {
        if (file.Json is not null || file.Rows().FirstOrDefault() is not { } header || Array.IndexOf(header, "region_shape_attributes") < 0)
        {
            return null;
        }

        int[] columns = [.. Columns
            .Select(name => Array.FindIndex(header, cell => cell.TrimStart('#') == name))];
        return columns.Contains(-1) ? null : ViaRows.Of(file, [.. file.Rows(known: true).Skip(1)
            .Where(cells => cells.Length > columns.Max()).GroupBy(cells => cells[columns[0]])
            .Where(image => image.Key.Length > 0).Select(image => new ViaImage(image.Key,
                ViaRows.Attributes(Json(file, image.First()[columns[1]])),
                [.. image.Select(cells => (Shape: Json(file, cells[columns[2]]),
                        Attributes: ViaRows.Attributes(Json(file, cells[columns[3]]))))
                    .Where(region => region.Shape.Property("name").ValueKind == JsonValueKind.String)]))]);
    }

    private JsonElement Json(Annotation file, string cell)
    {
        try
        {
            using var json = JsonDocument.Parse(cell.Length == 0 ? "{}" : cell);
            return json.RootElement.Clone();
        }
        catch (JsonException)
        {
            throw file.Broken(Name, "a cell with attributes is not valid JSON");
        }
    }
}

/// <param name="Attributes">Values by attribute; several if check boxes were ticked.</param>
internal sealed record ViaImage(string Name, Dictionary<string, string[]> Attributes,
    IReadOnlyList<(JsonElement Shape, Dictionary<string, string[]> Attributes)> Regions);

/// <summary>Finds the attribute that is the label; users name the attributes.</summary>
internal static class ViaRows
{
    public static IEnumerable<ManifestRow> Of(Annotation file, List<ViaImage> images)
    {
        var ofFiles = LabelWords.OnlyLabel(file, images.SelectMany(image => image.Attributes).Where(HasValue).Select(a => a.Key));
        var ofRegions = LabelWords.OnlyLabel(file, images.SelectMany(image => image.Regions).SelectMany(region => region.Attributes)
            .Where(HasValue).Select(a => a.Key));
        return images.Select(image => Labelled.Row("VIA", image.Name, ofFiles is not null ? Values(image.Attributes, ofFiles)
            : image.Regions.SelectMany(region => Values(region.Attributes, ofRegions))) with
        {
            Drawn = image.Regions.Count == 0 && (ofFiles is not null || ofRegions is null) ? null : new(DrawingUnit.Pixels,
                [.. image.Regions.Select(region => Drawn(Values(region.Attributes, ofRegions), region.Shape))]),
        });
    }

    /// <summary>The values of attributes: a text, or an object with the chosen options.</summary>
    public static Dictionary<string, string[]> Attributes(JsonElement attributes) => attributes.ValueKind != JsonValueKind.Object ? []
        : attributes.EnumerateObject().GroupBy(attribute => attribute.Name).ToDictionary(same => same.Key, same => same.First().Value switch
        {
            { ValueKind: JsonValueKind.String } text => text.GetString() is { Length: > 0 } value ? (string[])[value] : [],
            { ValueKind: JsonValueKind.Number } number => [number.GetRawText()],
            { ValueKind: JsonValueKind.Object } options => [.. options.EnumerateObject().Where(option => option.Value.IsSet())
                .Select(option => option.Name)],
            _ => [],
        });

    private static bool HasValue(KeyValuePair<string, string[]> attribute) => attribute.Value.Length > 0;

    private static string[] Values(Dictionary<string, string[]> attributes, string? name) =>
        name is null ? [] : attributes.GetValueOrDefault(name) ?? [];

    private static DrawnBox Drawn(string[] labels, JsonElement shape)
    {
        var label = labels.Length == 1 ? labels[0] : null;
        return labels.Length > 1 ? DrawnBox.Not(labels[0], "has several labels; leave one of them.")
            : shape.Property("name").ValueKind != JsonValueKind.String ? DrawnBox.Not(label, "has no shape; draw a rectangle.")
            : shape.GetProperty("name").GetString() switch
            {
                "rect" => DrawnBox.Sized(label, shape.Number("x"), shape.Number("y"), shape.Number("width"), shape.Number("height")),
                "circle" => DrawnBox.Centred(label, shape.Number("cx"), shape.Number("cy"), 2 * shape.Number("r"), 2 * shape.Number("r")),
                "ellipse" when shape.Number("theta") is null or 0 => DrawnBox.Centred(label, shape.Number("cx"), shape.Number("cy"),
                    2 * shape.Number("rx"), 2 * shape.Number("ry")),
                "polygon" => DrawnBox.Around(label, [.. shape.Property("all_points_x").Elements().Select(x => x.Number())
                    .Zip(shape.Property("all_points_y").Elements().Select(y => y.Number()))]),
                _ => DrawnBox.Not(label, "is neither an upright rectangle nor a polygon; draw one of these."),
            };
    }
}
