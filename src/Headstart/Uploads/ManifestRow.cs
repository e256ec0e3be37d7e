using Headstart.Operations;

namespace Headstart.Uploads;

/// <summary>An image and its categories: by its address, in base64, or by the name of a file that is sent along.</summary>
/// <param name="Url">Where it is fetched from.</param>
/// <param name="Base64">The file in base64, also as a <c>data:</c> URL.</param>
/// <param name="File">The name of a file in the same archive or form.</param>
/// <param name="FileName">What it is called; otherwise the last part of its address.</param>
/// <param name="Category">Its category.</param>
/// <param name="Categories">In a multi-label model all that it shows, in place of <paramref name="Category"/>; none is a valid answer.</param>
/// <param name="Split">The side on which a new image is kept: <c>test</c>, or <c>train</c> (<c>val</c> is the same); otherwise the content decides.</param>
public sealed record NewImage(
    string? Url = null, string? Base64 = null, string? File = null, string? FileName = null, string? Category = null,
    IReadOnlyList<string?>? Categories = null, string? Split = null);

/// <summary>A row of a manifest as it was read; a refusal where it could not be.</summary>
internal sealed record ManifestRow(NewImage Image, string? Reason = null, string? Detail = null)
{
    public static ManifestRow Not(string reason, string detail) => new(new NewImage(), reason, detail);

    /// <summary>Null where it has none.</summary>
    public IReadOnlyList<string>? Categories =>
        Image.Categories is { } several ? [.. several.Select(category => category ?? "")] : Image.Category is { } one ? [one] : null;

    /// <summary>The file that the row is about.</summary>
    /// <param name="number">Of the row, from 1: its name where it has no other.</param>
    /// <param name="maxBytes">That it may have.</param>
    public UploadedFile Read(int number, int maxBytes)
    {
        var named = Image.Url is null || Image.Base64 is not null || Reason is not null ? Image.FileName ?? Image.File ?? Image.Url ?? $"row {number}" : Image.FileName ?? "";
        var known = Sides.TryRead(Image.Split, out var split);
        return new(RequestBodies.Readable(named), known || Reason is not null ? Content(maxBytes)
            : new FileContent.Unusable("invalid-split", "The split of an image is train, val or test."), Categories, known ? split : null);
    }

    private FileContent Content(int maxBytes) => Reason is not null ? new FileContent.Unusable(Reason, Detail!) : Image switch
    {
        { Url: not null, Base64: not null } => new FileContent.Unusable("url-and-base64", "The row has an address and a file in base64; send one of them."),
        { Url: { } url } => new FileContent.Remote(url),
        { Base64: { } text } => Decode(text, maxBytes),
        { File: not null } => new FileContent.Unusable("file-not-sent", "The row names a file, but none is sent along: put the manifest into an archive as labels.csv, "
            + "or into a form as the part manifest before the files."),
        _ => new FileContent.Unusable("nothing-named", "The row names no image; it needs a url, or in JSON a url or base64."),
    };

    private static FileContent Decode(string text, int maxBytes)
    {
        var data = text.AsSpan().Trim();
        if (data.StartsWith("data:", StringComparison.OrdinalIgnoreCase))
        {
            var comma = data.IndexOf(',');
            if (comma < 0 || !data[..comma].EndsWith(";base64", StringComparison.OrdinalIgnoreCase))
            {
                return new FileContent.Unusable("invalid-base64", "A data URL of an image begins like data:image/png;base64, and nothing else can be read.");
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
            : new FileContent.Unusable("invalid-base64", "The text is not base64 (RFC 4648, with + and / and with = at the end), or it broke off.");
    }
}
