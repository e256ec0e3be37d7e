using System.Text.Json;
using System.Text.Json.Serialization;
using Headstart.Uploads.Boxes;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Formats;

/// <summary>Apple Create ML and its Roboflow export: <c>[{"image":"a.jpg","annotations":[{"label":"cat","coordinates":…}]}]</c>.</summary>
internal sealed class CreateMlJson : IAnnotationFormat
{
    public string Name => "Create ML JSON";

    public IEnumerable<ManifestRow>? Read(Annotation file) =>
        file.Json is { IsList: true } shape && shape.Has("annotations") && (shape.Has("image") || shape.Has("imagefilename"))
            ? file.Parse<List<Image>>(Name).Where(image => (image.Name ?? image.ImageFileName) is not null).Select(image =>
                Labelled.Row(Name, (image.Name ?? image.ImageFileName)!, (image.Annotations ?? []).Select(box => box.Label ?? "")) with
                {
                    Drawn = new(DrawingUnit.Pixels, [.. (image.Annotations ?? []).Select(Drawn)]),
                }) : null;

    /// <summary>Its x and y are the centre.</summary>
    private static DrawnBox Drawn(Box box) => DrawnBox.Centred(box.Label, box.Coordinates.Number("x"), box.Coordinates.Number("y"),
        box.Coordinates.Number("width"), box.Coordinates.Number("height"));

    private sealed record Image([property: JsonPropertyName("image")] string? Name, string? ImageFileName, List<Box>? Annotations);

    private sealed record Box([property: JsonConverter(typeof(AnyText))] string? Label, JsonElement Coordinates);
}

/// <summary>LabelMe: a JSON file with shapes per image (https://github.com/wkentaro/labelme).</summary>
internal sealed class LabelMeJson : IAnnotationFormat
{
    public string Name => "LabelMe";

    public IEnumerable<ManifestRow>? Read(Annotation file)
    {
        if (file.Json is not { IsList: false } shape || !shape.Has("shapes", "imagePath"))
        {
            return null;
        }

        var image = file.Parse<Image>(Name);
        var flags = (image.Flags ?? []).Where(flag => flag.Value.ValueKind == JsonValueKind.True).Select(flag => flag.Key).ToList();
        return [Labelled.Row(Name, image.ImagePath ?? "", flags.Count > 0 ? flags
            : (image.Shapes ?? []).Select(shape => shape.Label ?? "")) with
            {
                Drawn = image.Shapes is not { Count: > 0 } && flags.Count > 0 ? null
                    : new(DrawingUnit.Pixels, [.. (image.Shapes ?? []).Select(Drawn)],
                        PixelSize.Of(image.ImageWidth.Number(), image.ImageHeight.Number())),
            }];
    }

    /// <summary>A rectangle has two opposite corners, in any order.</summary>
    private static DrawnBox Drawn(Shape shape) => shape.ShapeType is not (null or "rectangle" or "polygon")
        ? DrawnBox.Not(shape.Label, $"is a {RequestBodies.Readable(shape.ShapeType)}; draw a rectangle or a polygon.")
        : DrawnBox.Around(shape.Label, [.. shape.Points.Elements().Select(point => point.Elements().Select(n => n.Number()).ToList())
            .Select(point => (point.ElementAtOrDefault(0), point.ElementAtOrDefault(1)))]);

    private sealed record Image(string? ImagePath, List<Shape>? Shapes, Dictionary<string, JsonElement>? Flags, JsonElement ImageWidth,
        JsonElement ImageHeight);

    private sealed record Shape([property: JsonConverter(typeof(AnyText))] string? Label, JsonElement Points,
        [property: JsonPropertyName("shape_type")] string? ShapeType);
}

/// <summary>NanoNets: the <c>data</c> field that its clients send with files, with categories or boxes.</summary>
internal sealed class NanoNetsJson : IAnnotationFormat
{
    public string Name => "NanoNets";

    public IEnumerable<ManifestRow>? Read(Annotation file) =>
        file.Json is { IsList: true } shape && shape.Has("filename") && (shape.Has("categories") || shape.Has("object"))
            ? file.Parse<List<Image>>(Name).Where(image => image.FileName is not null).Select(image => Labelled.Row(Name, image.FileName!,
                [.. image.Categories ?? [], .. (image.Object ?? []).Select(box => box.Name ?? "")]) with
            { Drawn = image.Object is { } objects ? DrawingOf(objects) : null }) : null;

    /// <summary>Boxes in pixels.</summary>
    public static Drawing DrawingOf(IEnumerable<Box> objects) => new(DrawingUnit.Pixels, [.. objects.OfType<Box>().Select(box =>
        DrawnBox.Cornered(box.Name, box.Bndbox.Number("xmin"), box.Bndbox.Number("ymin"), box.Bndbox.Number("xmax"),
            box.Bndbox.Number("ymax"), box.Difficult.IsSet()))]);

    private sealed record Image(string? FileName, List<string>? Categories, List<Box>? Object);

    internal sealed record Box(string? Name, JsonElement Bndbox, JsonElement Difficult);
}

/// <summary>
/// The boxes of an image in a file named after it, <c>[{"name":"cat","bndbox":…}]</c>, as in NanoNets' samples. Ignored except for
/// detection models.
/// </summary>
internal sealed class NanoNetsObjects : IAnnotationFormat
{
    public string Name => "NanoNets";

    public IEnumerable<ManifestRow>? Read(Annotation file) =>
        file.Path.Length > 0 && file.Json is { IsList: true } shape && shape.Has("name", "bndbox")
            ? [Labelled.None(Path.GetFileNameWithoutExtension(file.Name)) with
            {
                Drawn = NanoNetsJson.DrawingOf(file.Parse<List<NanoNetsJson.Box>>(Name)),
            }] : null;
}
