using System.Text.Json;
using System.Text.Json.Serialization;

namespace Headstart.Uploads.Formats;

/// <summary>Apple Create ML and its Roboflow export: <c>[{"image":"a.jpg","annotations":[{"label":"cat","coordinates":…}]}]</c>.</summary>
internal sealed class CreateMlJson : IAnnotationFormat
{
    public string Name => "Create ML JSON";

    public IEnumerable<ManifestRow>? Read(Annotation file) =>
        file.Json is { IsList: true } shape && shape.Has("annotations") && (shape.Has("image") || shape.Has("imagefilename"))
            ? file.Parse<List<Image>>(Name).Where(image => (image.Name ?? image.ImageFileName) is not null).Select(image =>
                Labelled.Row(Name, (image.Name ?? image.ImageFileName)!, (image.Annotations ?? []).Select(box => box.Label ?? ""))) : null;

    private sealed record Image([property: JsonPropertyName("image")] string? Name, string? ImageFileName, List<Box>? Annotations);

    private sealed record Box([property: JsonConverter(typeof(AnyText))] string? Label);
}

/// <summary>LabelMe: one JSON for each image, with shapes (https://github.com/wkentaro/labelme).</summary>
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
            : (image.Shapes ?? []).Select(shape => shape.Label ?? ""))];
    }

    private sealed record Image(string? ImagePath, List<Shape>? Shapes, Dictionary<string, JsonElement>? Flags);

    private sealed record Shape([property: JsonConverter(typeof(AnyText))] string? Label);
}

/// <summary>NanoNets: the <c>data</c> that its clients send with their files, with categories or boxes.</summary>
internal sealed class NanoNetsJson : IAnnotationFormat
{
    public string Name => "NanoNets";

    public IEnumerable<ManifestRow>? Read(Annotation file) =>
        file.Json is { IsList: true } shape && shape.Has("filename") && (shape.Has("categories") || shape.Has("object"))
            ? file.Parse<List<Image>>(Name).Where(image => image.FileName is not null).Select(image => Labelled.Row(Name, image.FileName!,
                [.. image.Categories ?? [], .. (image.Object ?? []).Select(box => box.Name ?? "")])) : null;

    private sealed record Image(string? FileName, List<string>? Categories, List<Box>? Object);

    private sealed record Box(string? Name);
}
