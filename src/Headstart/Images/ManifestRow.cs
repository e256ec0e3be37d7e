namespace Headstart.Images;

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
        var name = UploadReader.Readable(Image.FileName ?? Image.File ?? Image.Url ?? $"row {number}");
        var file = new UploadedFile(name, Categories, null);
        if (Reason is not null)
        {
            return file with { Reason = Reason, Detail = Detail };
        }

        if (!Sides.TryRead(Image.Split, out var split))
        {
            return file with { Reason = "invalid-split", Detail = "The split of an image is train, val or test." };
        }

        file = file with { Split = split };
        return Image switch
        {
            { Url: not null, Base64: not null } => file with
            {
                Reason = "url-and-base64",
                Detail = "The row has an address and a file in base64; send one of them.",
            },
            { Url: { } url } => file with { FileName = UploadReader.Readable(Image.FileName ?? ""), Url = url },
            { Base64: { } text } => Decode(file, text, maxBytes),
            { File: not null } => file with
            {
                Reason = "file-not-sent",
                Detail = "The row names a file, but none is sent along: put the manifest into an archive as labels.csv, "
                    + "or into a form as the part manifest before the files.",
            },
            _ => file with { Reason = "nothing-named", Detail = "The row names no image; it needs a url, or in JSON a url or base64." },
        };
    }

    private static UploadedFile Decode(UploadedFile file, string text, int maxBytes)
    {
        var data = text.AsSpan().Trim();
        if (data.StartsWith("data:", StringComparison.OrdinalIgnoreCase))
        {
            var comma = data.IndexOf(',');
            if (comma < 0 || !data[..comma].EndsWith(";base64", StringComparison.OrdinalIgnoreCase))
            {
                return file with
                {
                    Reason = "invalid-base64",
                    Detail = "A data URL of an image begins like data:image/png;base64, and nothing else can be read.",
                };
            }

            data = data[(comma + 1)..];
        }

        if (data.Length / 4 * 3L > maxBytes + 2L)
        {
            return file with { Reason = "too-large", Detail = $"The file is larger than {maxBytes:N0} bytes; send a smaller version of it." };
        }

        var bytes = new byte[data.Length / 4 * 3 + 3];
        return Convert.TryFromBase64Chars(data, bytes, out var count)
            ? file with { Bytes = bytes[..count] }
            : file with { Reason = "invalid-base64", Detail = "The text is not base64 (RFC 4648, with + and / and with = at the end), or it broke off." };
    }
}
