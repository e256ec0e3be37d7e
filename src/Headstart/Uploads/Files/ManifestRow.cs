using System.Text.Json.Serialization;
using Headstart.Data;
using Headstart.Uploads.Boxes;

namespace Headstart.Uploads.Files;

/// <summary>An image and its categories: by URL, in base64, or by the name of a file in the same upload.</summary>
/// <param name="Url">The URL to download it from.</param>
/// <param name="Base64">The file in base64, or as a <c>data:</c> URL.</param>
/// <param name="File">The name of a file in the same archive or form.</param>
/// <param name="FileName">Its file name; by default the last part of its URL.</param>
/// <param name="Category">Its category.</param>
/// <param name="Categories">In a multi-label model, all its categories, instead of <paramref name="Category"/>. May be empty.</param>
/// <param name="Boxes">In a detection model, its objects; an empty list means that nothing is there.</param>
/// <param name="Split">The split of a new image: <c>test</c> or <c>train</c> (<c>val</c> counts as train). By default its content
/// decides.</param>
/// <param name="Confirmed">Whether a user has confirmed the category of a new image.</param>
/// <param name="Origin">For an image from the web: its source, author and licence.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record NewImage(
    string? Url = null, string? Base64 = null, string? File = null, string? FileName = null, string? Category = null,
    IReadOnlyList<string?>? Categories = null, IReadOnlyList<LabelBox>? Boxes = null, string? Split = null, bool? Confirmed = null,
    ImageOrigin? Origin = null);

/// <summary>A row of a manifest, or why it could not be read.</summary>
/// <param name="Advice">What to do if the file was not sent.</param>
/// <param name="OtherName">Another name that the file may have.</param>
internal sealed record ManifestRow(NewImage Image, string? Reason = null, string? Detail = null, string? Advice = null,
    string? OtherName = null)
{
    /// <summary>Its objects; null if the row does not say.</summary>
    public Drawing? Drawn { get; init; }

    public static ManifestRow Not(string reason, string detail) => new(new NewImage(), reason, detail);

    /// <summary>A row that says more than can be read: in a detection model it leaves out its image, which would lack boxes.</summary>
    public static ManifestRow Unreadable(NewImage image, string reason, string detail) =>
        new(image, reason, detail) { Drawn = Drawing.Not(detail) };

    public static RefusedException TooMany(int max) => RefusedException.TooLarge("too-many-rows",
        $"The manifest has more than {max:N0} rows (Headstart:Uploads:MaxRows); send it in parts.");

    /// <summary>
    /// Converts the row for a model of this kind. A detection model uses the boxes, not the labels that follow from them: no boxes mean
    /// that nothing is there, and with neither boxes nor labels the image waits to be labelled. Other models ignore the boxes of an
    /// annotation.
    /// </summary>
    public ManifestRow For(ModelKind kind)
    {
        var drawn = Image.Boxes is { } boxes ? Drawing.Of([.. boxes]) : kind.HasBoxes() ? Drawn : null;
        return !kind.HasBoxes() ? this with { Drawn = drawn }
            : drawn is not null ? this with { Drawn = drawn, Reason = null, Image = Image with { Category = null, Categories = null } }
            : Reason == NoLabel ? this with { Reason = null, Image = Image with { Categories = null } }
            : this;
    }

    /// <summary>Reason for refusing an image without a label.</summary>
    public const string NoLabel = "no-label";

    /// <summary>Null if the row has none.</summary>
    public IReadOnlyList<string>? Categories =>
        Image.Categories is { } several ? [.. several.Select(category => category ?? "")] : Image.Category is { } one ? [one] : null;

    /// <summary>The file that the row is about.</summary>
    /// <param name="number">Number of the row, from 1; used as its name if it has no other.</param>
    /// <param name="maxBytes">Limit for the file, in bytes.</param>
    public UploadedFile Read(int number, int maxBytes)
    {
        var named = Image.Url is null || Image.Base64 is not null || Reason is not null ? Image.FileName ?? Image.File ?? Image.Url
            ?? $"row {number}" : Image.FileName ?? "";
        var known = SplitNames.TryRead(Image.Split, out var split);
        return new(RequestBodies.Readable(named), known || Reason is not null ? Content(maxBytes)
            : new FileContent.Unusable("invalid-split", "split must be train, val or test."), Categories, known ? split : null)
        { Confirmed = Image.Confirmed is true, Origin = Image.Origin, Drawn = Drawn };
    }

    private FileContent Content(int maxBytes) => Reason is not null ? new FileContent.Unusable(Reason, Detail!) : Image switch
    {
        { Url: not null, Base64: not null } => new FileContent.Unusable("url-and-base64", "The row has both a url and a base64 image; "
            + "send one of them."),
        { Url: { } url } => new FileContent.Remote(url),
        { Base64: { } text } => Decode(text, maxBytes),
        { File: not null } => new FileContent.Unusable("file-not-sent", Advice ?? "The row names a file that was not sent; put the "
            + "manifest into an archive as labels.csv, or into a form as a part named manifest before the files."),
        _ => new FileContent.Unusable("nothing-named", "The row names no image; give it a url, or in JSON a url or base64."),
    };

    private static FileContent Decode(string text, int maxBytes)
    {
        var data = text.AsSpan().Trim();
        if (data.StartsWith("data:", StringComparison.OrdinalIgnoreCase))
        {
            var comma = data.IndexOf(',');
            if (comma < 0 || !data[..comma].EndsWith(";base64", StringComparison.OrdinalIgnoreCase))
            {
                return new FileContent.Unusable("invalid-base64", "A data URL must begin like data:image/png;base64, followed by the "
                    + "image in base64.");
            }

            data = data[(comma + 1)..];
        }

        if (data.Length / 4 * 3L > maxBytes + 2L)
        {
            return FileContent.Of(null, maxBytes);
        }

        var bytes = new byte[data.Length / 4 * 3 + 3];
        return Convert.TryFromBase64Chars(data, bytes, out var count)
            ? new FileContent.Here(bytes[..count])
            : new FileContent.Unusable("invalid-base64", "The image is not valid base64 (RFC 4648, with +, / and = padding), or it is "
                + "incomplete; encode it again.");
    }
}
