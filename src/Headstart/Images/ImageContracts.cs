namespace Headstart.Images;

/// <param name="Sha256">Hexadecimal SHA-256 of the file.</param>
/// <param name="Split">Whether heads learn from the image (<c>train</c>) or are tested on it (<c>test</c>); the content decides, so it never changes.</param>
/// <param name="Confirmed">Whether a person has found the category right.</param>
public sealed record ImageResponse(
    Guid Id, string Category, string FileName, string Sha256, int Width, int Height, int Bytes, Split Split, bool Confirmed, DateTime CreatedAt)
{
    public static ImageResponse Of(Image image, string category) => new(
        image.Id, category, image.FileName, Convert.ToHexStringLower(image.Sha256), image.Width, image.Height, image.Bytes, image.Split, image.Confirmed, image.CreatedAt);
}

/// <param name="Reason">A stable slug, such as <c>damaged</c> or <c>unknown-category</c>.</param>
/// <param name="Detail">What is wrong and what to do.</param>
public sealed record RejectedFile(string? FileName, string Reason, string Detail);

public sealed record UploadResponse(IReadOnlyList<ImageResponse> Accepted, IReadOnlyList<RejectedFile> Rejected);

/// <param name="Category">The right category; it counts as confirmed then.</param>
/// <param name="Confirmed">Whether a person has found the category right, so that reports do not suspect it any more.</param>
public sealed record ImageChange(string? Category = null, bool? Confirmed = null);
