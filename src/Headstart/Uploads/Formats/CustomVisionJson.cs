using System.Text.Json;
using Headstart.Uploads.Boxes;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Formats;

/// <summary>Azure Custom Vision: images from its API, with tags or regions and the URLs of the originals.</summary>
internal sealed class CustomVisionJson : IAnnotationFormat
{
    public string Name => "Custom Vision";

    public IEnumerable<ManifestRow>? Read(Annotation file) =>
        file.Json is { IsList: true } shape && (shape.Has("originalImageUri") || shape.Has("resizedImageUri") || shape.Has("imageUri"))
            ? file.Parse<List<Image>>(Name).Select(image => Row(file, image)) : null;

    private ManifestRow Row(Annotation file, Image image)
    {
        var url = image.OriginalImageUri ?? image.ResizedImageUri ?? image.ImageUri ?? throw file.Broken(Name, "an image has no URL");
        var labels = (image.Tags ?? []).Concat(image.Regions ?? []).Select(tag => tag.TagName ?? "");
        // In an archive the files are named by id; all URLs end alike: …/images/<id>/original.
        return Labelled.Row(Name, image.FileName ?? image.Id ?? url, labels, url: url) with { Drawn = DrawingOf(image) };
    }

    /// <summary>An image without regions has not been labelled yet, unless it has the tag for no objects.</summary>
    private static Drawing? DrawingOf(Image image) => image.Regions is { Count: > 0 } regions
        ? new(DrawingUnit.Parts, [.. regions.Select(region => DrawnBox.Sized(region.TagName, region.Left.Number(), region.Top.Number(),
            region.Width.Number(), region.Height.Number()))], PixelSize.Of(image.Width.Number(), image.Height.Number()))
        : image.Tags is [{ TagName: "[Negative]" or "Negative" }] ? Drawing.Nothing : null;

    private sealed record Image(
        string? Id, string? OriginalImageUri, string? ResizedImageUri, string? ImageUri, string? FileName, List<Tag>? Tags,
        List<Tag>? Regions, JsonElement Width, JsonElement Height);

    private sealed record Tag(string? TagName, JsonElement Left, JsonElement Top, JsonElement Width, JsonElement Height);
}
