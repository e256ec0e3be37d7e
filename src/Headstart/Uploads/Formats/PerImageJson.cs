using System.Text.Json;
using System.Text.Json.Serialization;
using Headstart.Uploads.Boxes;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Formats;

/// <summary>Supervisely: a file per image, named after it with <c>.json</c> appended (https://docs.supervisely.com): its tags, otherwise
/// the classes of its objects.</summary>
internal sealed class SuperviselyJson : IAnnotationFormat
{
    public string Name => "Supervisely";

    public IEnumerable<ManifestRow>? Read(Annotation file)
    {
        if (file.Json is not { IsList: false } shape || !shape.Has("size", "tags", "objects") || file.Name.Length < 6)
        {
            return null;
        }

        var image = file.Parse<Image>(Name);
        var tags = image.Tags.Elements().Select(tag => tag.ValueKind == JsonValueKind.String ? tag : tag.Property("name"))
            .Where(name => name.ValueKind == JsonValueKind.String).Select(name => name.GetString()!).ToList();
        var objects = image.Objects ?? [];
        // Annotations are in the folder ann, images in img.
        var folder = file.Folder.EndsWith("ann/", StringComparison.Ordinal) ? file.Folder[..^4] + "img/" : file.Folder;
        return [Labelled.Row(Name, folder + file.Name[..^".json".Length], tags.Count > 0 ? tags
            : objects.Select(one => one.ClassTitle ?? "")) with
            {
                Drawn = objects.Count == 0 && tags.Count > 0 ? null
                    : new(DrawingUnit.Pixels, objects.ConvertAll(Drawn),
                        PixelSize.Of(image.Size.Number("width"), image.Size.Number("height"))),
            }];
    }

    private static DrawnBox Drawn(Shape one) => one.GeometryType is not ("rectangle" or "polygon")
        ? DrawnBox.Not(one.ClassTitle, "is neither a rectangle nor a polygon; draw one of these.")
        : DrawnBox.Around(one.ClassTitle, [.. one.Points.Property("exterior").Elements()
            .Select(point => point.Elements().Select(n => n.Number()).ToList())
            .Select(point => (point.ElementAtOrDefault(0), point.ElementAtOrDefault(1)))]);

    private sealed record Image(JsonElement Size, JsonElement Tags, List<Shape>? Objects);

    private sealed record Shape(string? ClassTitle, string? GeometryType, JsonElement Points);
}

/// <summary>V7 Darwin, versions 1 and 2: a file per image (https://docs.v7labs.com/reference/darwin-json): its tags, otherwise the names of
/// its shapes.</summary>
internal sealed class DarwinJson : IAnnotationFormat
{
    public string Name => "V7 Darwin";

    public IEnumerable<ManifestRow>? Read(Annotation file)
    {
        if (file.Json is not { IsList: false } shape || !shape.Has("annotations") || !(shape.Has("item") || shape.Has("image", "dataset")))
        {
            return null;
        }

        var image = file.Parse<Image>(Name);
        var slot = image.Item.Property("slots").Elements().FirstOrDefault();
        var name = (image.Item.ValueKind == JsonValueKind.Object ? image.Item.Property("name") : image.Own.Property("filename"));
        var size = slot.ValueKind == JsonValueKind.Object ? slot : image.Own;
        var all = image.Annotations ?? [];
        var tags = all.Where(one => one.Tag.ValueKind == JsonValueKind.Object).Select(one => one.Name ?? "").ToList();
        var shapes = all.Where(one => one.Tag.ValueKind != JsonValueKind.Object).ToList();
        return name.ValueKind != JsonValueKind.String ? throw file.Broken(Name, "it names no image")
            : [Labelled.Row(Name, name.GetString()!, tags.Count > 0 ? tags : shapes.Select(one => one.Name ?? "")) with
            {
                Drawn = shapes.Count == 0 && tags.Count > 0 ? null : new(DrawingUnit.Pixels, shapes.ConvertAll(Drawn),
                    PixelSize.Of(size.Number("width"), size.Number("height"))),
            }];
    }

    /// <summary>The box, or the one around a polygon.</summary>
    private static DrawnBox Drawn(Shape one) => one.Box.ValueKind != JsonValueKind.Object
        ? DrawnBox.Not(one.Name, "has no bounding_box; draw a box or a polygon.")
        : DrawnBox.Sized(one.Name, one.Box.Number("x"), one.Box.Number("y"), one.Box.Number("w"), one.Box.Number("h"));

    private sealed record Image(JsonElement Item, [property: JsonPropertyName("image")] JsonElement Own, List<Shape>? Annotations);

    private sealed record Shape(string? Name, JsonElement Tag, [property: JsonPropertyName("bounding_box")] JsonElement Box);
}

/// <summary>Datumaro, which CVAT exports too: items with labels and shapes, whose names are in <c>categories</c>
/// (https://open-edge-platform.github.io/datumaro/).</summary>
internal sealed class DatumaroJson : IAnnotationFormat
{
    public string Name => "Datumaro";

    public IEnumerable<ManifestRow>? Read(Annotation file)
    {
        if (file.Json is not { IsList: false, IsLines: false } shape || !shape.Has("categories", "items"))
        {
            return null;
        }

        var set = file.Parse<DataSet>(Name);
        var names = set.Categories.Property("label").Property("labels").Elements().Select(label => label.Property("name").ToString())
            .ToList();
        return (set.Items ?? []).Where(item => item.Id is not null).Select(item => Row(file, item, names));
    }

    private ManifestRow Row(Annotation file, Item item, List<string> names)
    {
        var all = (item.Annotations ?? []).Where(one => one.LabelId is not null).ToList();
        var labels = all.Where(one => one.Type == "label").ToList();
        var shapes = all.Where(one => one.Type != "label").ToList();
        var path = item.Image.Property("path") is { ValueKind: JsonValueKind.String } given && given.GetString() is { Length: > 0 } there
            ? there : item.Id!;
        var size = item.Image.Property("size").Elements().Select(number => number.Number()).ToList();
        return Labelled.Row(Name, path, (labels.Count > 0 ? labels : shapes).Select(NameOf)) with
        {
            Drawn = shapes.Count == 0 && labels.Count > 0 ? null
                : new(DrawingUnit.Pixels, [.. shapes.Select(one => Drawn(NameOf(one), one))],
                size is [var height, var width] ? PixelSize.Of(width, height) : null),
        };

        string NameOf(Shape one) => one.LabelId is >= 0 and var id && id < names.Count ? names[id]
            : throw file.Broken(Name, $"label {one.LabelId} has no name");
    }

    private static DrawnBox Drawn(string label, Shape one)
    {
        var points = one.Points.Elements().Select(number => number.Number()).ToList();
        return one.Box.Elements().Select(number => number.Number()).ToList() is [var x, var y, var width, var height]
                ? DrawnBox.Sized(label, x, y, width, height)
            : one.Type == "polygon" && points.Count >= 6 ? DrawnBox.Around(label, [.. points.Chunk(2).Select(pair => (pair[0], pair[^1]))])
            : DrawnBox.Not(label, "is neither a bbox nor a polygon; export the annotations as boxes.");
    }

    private sealed record DataSet(JsonElement Categories, List<Item>? Items);

    private sealed record Item(string? Id, List<Shape>? Annotations, JsonElement Image);

    private sealed record Shape(
        string? Type, [property: JsonPropertyName("label_id")] int? LabelId, [property: JsonPropertyName("bbox")] JsonElement Box,
        JsonElement Points);
}
