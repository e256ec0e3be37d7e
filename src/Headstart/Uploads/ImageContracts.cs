using System.Text.Json.Serialization;
using Headstart.Access;
using Headstart.Data;

namespace Headstart.Uploads;

/// <param name="Category">Its category; null in a model whose images may have several.</param>
/// <param name="Categories">All of its categories, by name: one, or in a multi-label model any number.</param>
/// <param name="Sha256">Hexadecimal SHA-256 of the file.</param>
/// <param name="Split">Whether heads learn from the image (<c>train</c>) or are tested on it (<c>test</c>); it never changes. The content decides, unless the archive or the manifest
/// that brought the image did.</param>
/// <param name="Confirmed">Whether a person has found the category right.</param>
/// <param name="AlreadyThere">In the answer to an upload: the model had the image before, so nothing was stored.</param>
/// <param name="Origin">Where an image of the web was found, by whom it is and under what licence.</param>
public sealed record ImageResponse(
    Guid Id, string? Category, IReadOnlyList<string> Categories, string FileName, string Sha256, int Width, int Height, int Bytes, Split Split, bool Confirmed,
    DateTime CreatedAt, ImageOrigin? Origin, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? AlreadyThere = null)
{
    /// <param name="image">With its labels.</param>
    /// <param name="kind">Of its model.</param>
    /// <param name="names">Of the model's categories.</param>
    public static ImageResponse Of(Example image, ModelKind kind, IReadOnlyDictionary<Guid, string> names)
    {
        List<string> categories = [.. image.Labels.Select(label => names[label.CategoryId]).Order(StringComparer.Ordinal)];
        return Of(image, kind.TakesSeveral() ? null : categories[0], categories);
    }

    private static ImageResponse Of(Example image, string? category, List<string> categories) => new(
        image.Id, category, categories, image.FileName, Convert.ToHexStringLower(image.Sha256), image.Width, image.Height, image.Bytes, image.Split, image.Confirmed,
        image.CreatedAt, image.Origin);
}

/// <summary>Images of the web or in base64.</summary>
public sealed record NewImagesRequest(IReadOnlyList<NewImage> Images);

public sealed record UploadResponse(IReadOnlyList<ImageResponse> Accepted, IReadOnlyList<RejectedFile> Rejected)
{
    /// <summary>The quota that something did not fit into.</summary>
    [JsonIgnore]
    public QuotaUse? Exceeded => Rejected.FirstOrDefault(file => file.Exceeded is not null)?.Exceeded;
}

/// <param name="Category">The right category; it counts as confirmed then.</param>
/// <param name="Categories">In a multi-label model all that are right, in place of those it has; none is a valid answer. They count as confirmed then.</param>
/// <param name="Confirmed">Whether a person has found the category right, so that reports do not suspect it any more.</param>
public sealed record ImageChange(string? Category = null, bool? Confirmed = null, IReadOnlyList<string?>? Categories = null);
