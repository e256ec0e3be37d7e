using System.Text.Json.Serialization;
using Headstart.Access;
using Headstart.Data;
using Headstart.Learning.Imaging;
using Headstart.Uploads.Boxes;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Storing;

/// <param name="Category">Its category; null in a multi-label model.</param>
/// <param name="Categories">The names of its categories: one, or any number in a multi-label model.</param>
/// <param name="Boxes">In a detection model, its objects; null while nobody has labelled it, and then it is not learned from. An empty list
/// means that nothing is there.</param>
/// <param name="Sha256">Hexadecimal SHA-256 of the file.</param>
/// <param name="Flaws">What makes it a bad example, if anything: blurred, dark, bright, empty (nearly one colour), oddShape (more than
/// three times as long as wide), graphic (a screenshot, chart or drawing) or tiny (a side below 32 pixels).</param>
/// <param name="Split">Whether heads are trained on the image (<c>train</c>) or tested on it (<c>test</c>). If nobody chose, the image's
/// content decides and a fifth of the images is for testing; one that a run had to learn from is a training image from then on.</param>
/// <param name="SplitGiven">Whether a user chose the split, in an archive, in a manifest or by changing it. Such a test image is never
/// learned from; others are learned from after they have been used for testing.</param>
/// <param name="Confirmed">Whether a user has confirmed the category.</param>
/// <param name="AlreadyThere">In the answer to an upload: the model already had the image, so nothing was stored.</param>
/// <param name="Origin">For an image from the web: its source, author and licence.</param>
public sealed record ImageResponse(
    Guid Id, string? Category, IReadOnlyList<string> Categories, IReadOnlyList<LabelBox>? Boxes, string FileName, string Sha256,
    int Width, int Height, int Bytes,
    IReadOnlyList<ImageFlaws> Flaws, Split Split, bool SplitGiven, bool Confirmed,
    DateTime CreatedAt, ImageOrigin? Origin, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? AlreadyThere =
    null)
{
    /// <param name="image">With its labels and boxes.</param>
    /// <param name="kind">Kind of its model.</param>
    /// <param name="names">Names of the model's categories.</param>
    public static ImageResponse Of(Example image, ModelKind kind, IReadOnlyDictionary<Guid, string> names)
    {
        List<string> categories = [.. image.Labels.Select(label => names[label.CategoryId]).Order(StringComparer.Ordinal)];
        List<LabelBox>? boxes = !image.BoxesKnown ? null
            : [.. image.Boxes.OrderBy(box => box.Position).Select(box => LabelBox.Of(box, names[box.CategoryId]))];
        return Of(image, kind.TakesSeveral() ? null : categories[0], categories, boxes);
    }

    private static ImageResponse Of(Example image, string? category, List<string> categories, List<LabelBox>? boxes) => new(
        image.Id, category, categories, boxes, image.FileName, Convert.ToHexStringLower(image.Sha256), image.Width, image.Height,
        image.Bytes,
        [.. Enum.GetValues<ImageFlaws>().Where(flaw => flaw != ImageFlaws.None && image.Flaws.HasFlag(flaw))],
        image.Split, image.SplitGiven, image.Confirmed,
        image.CreatedAt, image.Origin);
}

/// <summary>Images by URL or in base64.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record NewImagesRequest(IReadOnlyList<NewImage> Images);

/// <param name="Notices">What you should know, such as what was left out, or new categories whose names differ only in case, as
/// sentences.</param>
public sealed record UploadResponse(
    IReadOnlyList<ImageResponse> Accepted, IReadOnlyList<RejectedFile> Rejected, IReadOnlyList<string> Notices)
{
    /// <summary>The exceeded quota.</summary>
    [JsonIgnore]
    public QuotaUse? Exceeded => Rejected.FirstOrDefault(file => file.Exceeded is not null)?.Exceeded;
}

/// <param name="Category">The correct category; setting it confirms it.</param>
/// <param name="Categories">In a multi-label model, all correct categories; they replace the current ones and are confirmed. May be
/// empty.</param>
/// <param name="Confirmed">Whether a user has confirmed the category; reports no longer suspect it.</param>
/// <param name="Split">The split to move the image to: <c>train</c>, or <c>test</c>, from which no later run learns.</param>
public sealed record ImageChange(string? Category = null, bool? Confirmed = null, IReadOnlyList<string?>? Categories = null,
    Split? Split = null);
