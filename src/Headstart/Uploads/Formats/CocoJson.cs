using System.Text.Json.Serialization;

namespace Headstart.Uploads.Formats;

/// <summary>COCO: images, categories, and boxes or shapes that join them (https://cocodataset.org/#format-data).</summary>
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
        var labels = coco.Annotations.Where(box => box.ImageId is not null)
            .ToLookup(box => box.ImageId!, box => names.GetValueOrDefault(box.CategoryId ?? "")
                ?? throw file.Broken(Name, $"category {box.CategoryId} has no name"));
        return coco.Images.Where(image => image.FileName is not null)
            .Select(image => Labelled.Row(Name, image.FileName!, labels[image.Id ?? ""], url: image.CocoUrl ?? image.FlickrUrl));
    }

    private sealed record Coco(IReadOnlyList<Image> Images, IReadOnlyList<Box> Annotations, IReadOnlyList<Category> Categories);

    private sealed record Image(
        [property: JsonConverter(typeof(AnyText))] string? Id,
        [property: JsonPropertyName("file_name")] string? FileName,
        [property: JsonPropertyName("coco_url")] string? CocoUrl,
        [property: JsonPropertyName("flickr_url")] string? FlickrUrl);

    private sealed record Box(
        [property: JsonPropertyName("image_id"), JsonConverter(typeof(AnyText))] string? ImageId,
        [property: JsonPropertyName("category_id"), JsonConverter(typeof(AnyText))] string? CategoryId);

    private sealed record Category([property: JsonConverter(typeof(AnyText))] string? Id, string? Name);
}
