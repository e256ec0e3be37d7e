using System.Text.Json;
using System.Text.Json.Serialization;
using Headstart.Data;
using Headstart.Uploads.Boxes;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Formats;

/// <summary>COCO: images, categories, and boxes or shapes that link them (https://cocodataset.org/#format-data).</summary>
internal sealed class CocoJson : IAnnotationFormat
{
    public string Name => "COCO JSON";

    public IEnumerable<ManifestRow>? Read(Annotation file)
    {
        if (file.Json is not { IsList: false } shape || !shape.Has("images", "annotations", "categories"))
        {
            return null;
        }

        var coco = file.Parse<Coco>(Name);
        var names = coco.Categories.Where(category => category.Id is not null)
            .GroupBy(category => category.Id!).ToDictionary(same => same.Key, same => same.First().Name ?? "");
        var boxes = coco.Annotations.Where(box => box.ImageId is not null)
            .ToLookup(box => box.ImageId!, box => (Label: names.GetValueOrDefault(box.CategoryId ?? "")
                ?? throw file.Broken(Name, $"category {box.CategoryId} has no name"), Box: box));
        return coco.Images.Where(image => image.FileName is not null)
            .Select(image => Row(image, [.. boxes[image.Id ?? ""]])).Concat((coco.Unlabelled ?? [])
                .Where(image => image.FileName is not null).Select(image => Row(image, []) with { Drawn = null }));
    }

    private ManifestRow Row(Image image, (string Label, Box Box)[] boxes)
    {
        var row = Labelled.Row(Name, image.FileName!, boxes.Select(box => box.Label), image.Own?.Split, image.CocoUrl ?? image.FlickrUrl);
        return row with
        {
            Image = image.Own is { } own ? row.Image with { FileName = own.FileName, Confirmed = own.Confirmed, Origin = own.Origin }
                : row.Image,
            Drawn = new(DrawingUnit.Pixels, [.. boxes.Select(box => Drawn(box.Label, box.Box))],
                PixelSize.Of(image.Width.Number(), image.Height.Number()))
            {
                IsUpright = image.Own is not null,
            },
        };
    }

    /// <summary>The box, or the one around its polygons.</summary>
    private static DrawnBox Drawn(string label, Box box)
    {
        var difficult = box.IsCrowd.IsSet() || box.Ignore.IsSet() || box.Difficult.IsSet();
        var polygons = box.Segmentation.Elements().SelectMany(polygon => polygon.Elements()).Select(number => number.Number()).ToList();
        return box.Bbox.Elements().Select(number => number.Number()).ToList() switch
        {
            [var x, var y, var width, var height] => DrawnBox.Sized(label, x, y, width, height, difficult),
            [] when polygons.Count >= 6 => DrawnBox.Around(label, [.. polygons.Chunk(2).Select(pair => (pair[0], pair[^1]))])
                with
            { Difficult = difficult },
            _ => DrawnBox.Not(label, "has no bbox of four numbers; export the annotations as object detection."),
        };
    }

    /// <summary>Fields that COCO lacks, in data sets written by <c>DatasetExport</c>; their boxes refer to the upright
    /// image.</summary>
    internal sealed record OwnWords(string? FileName, string? Split, bool? Confirmed, ImageOrigin? Origin);

    /// <param name="Unlabelled">In our own data sets: images that nobody has labelled yet.</param>
    private sealed record Coco(IReadOnlyList<Image> Images, IReadOnlyList<Box> Annotations, IReadOnlyList<Category> Categories,
        IReadOnlyList<Image>? Unlabelled);

    private sealed record Image(
        [property: JsonConverter(typeof(AnyText))] string? Id,
        [property: JsonPropertyName("file_name")] string? FileName,
        [property: JsonPropertyName("coco_url")] string? CocoUrl,
        [property: JsonPropertyName("flickr_url")] string? FlickrUrl,
        JsonElement Width, JsonElement Height, [property: JsonPropertyName("headstart")] OwnWords? Own);

    private sealed record Box(
        [property: JsonPropertyName("image_id"), JsonConverter(typeof(AnyText))] string? ImageId,
        [property: JsonPropertyName("category_id"), JsonConverter(typeof(AnyText))] string? CategoryId,
        JsonElement Bbox, JsonElement Segmentation, JsonElement IsCrowd, JsonElement Ignore, JsonElement Difficult);

    private sealed record Category([property: JsonConverter(typeof(AnyText))] string? Id, string? Name);
}
