using System.Runtime.CompilerServices;
using System.Text;
using Headstart.Operations;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Headstart.Images;

/// <summary>A file of an upload, or why it could not be taken.</summary>
/// <param name="Categories">The values of the last <c>category</c> fields before the file, those without a file between them; null where there were none.</param>
/// <param name="Bytes">Null when <paramref name="Reason"/> or <paramref name="Url"/> is set.</param>
/// <param name="Origin">Of a file that came from the web.</param>
/// <param name="Split">The side that its sender gave it; null where the content decides.</param>
/// <param name="Url">Where its bytes have still to be fetched from; they are null then.</param>
public sealed record UploadedFile(
    string FileName, IReadOnlyList<string>? Categories, byte[]? Bytes, string? Reason = null, string? Detail = null, ImageOrigin? Origin = null, Split? Split = null,
    string? Url = null);

/// <summary>Reads files out of <c>multipart/form-data</c> one at a time: memory holds one file, however large the request.</summary>
public static class UploadReader
{
    private const int MaxFieldBytes = 4_096;
    private const int MaxNameLength = 255;

    /// <summary>Of one that comes with files; it is held in memory.</summary>
    internal const int MaxManifestBytes = 64 << 20;

    /// <summary>The boundary of a multipart request, or null when it is not one.</summary>
    public static string? Boundary(HttpRequest request) => Boundary(request.ContentType);

    public static string? Boundary(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
        && HeaderUtilities.RemoveQuotes(type.Boundary) is { Length: > 0 and <= 200 } boundary
            ? boundary.ToString()
            : null;

    /// <param name="request">Its body is read to its end.</param>
    /// <param name="boundary">See <see cref="Boundary(HttpRequest)"/>.</param>
    /// <param name="maxFileBytes">Of one file; it is held in memory.</param>
    /// <param name="cancel">Ends the reading.</param>
    /// <exception cref="BadHttpRequestException">The body is not well-formed multipart; the files before that point were yielded.</exception>
    public static IAsyncEnumerable<UploadedFile> ReadAsync(HttpRequest request, string boundary, int maxFileBytes, CancellationToken cancel) =>
        ReadAsync(request.Body, boundary, maxFileBytes, maxRows: null, cancel);

    /// <summary>With <paramref name="maxRows"/>, a part named manifest of so many rows may stand before the files and say what they show, see <see cref="Manifest"/>.</summary>
    /// <exception cref="BadHttpRequestException">The body is not well-formed multipart; the files before that point were yielded.</exception>
    public static async IAsyncEnumerable<UploadedFile> ReadAsync(
        Stream body, string boundary, int maxFileBytes, int? maxRows, [EnumeratorCancellation] CancellationToken cancel)
    {
        var reader = new MultipartReader(boundary, body);
        List<string>? categories = null;
        Manifest? manifest = null;
        var complete = true; // a file has come since, so that the next category starts anew
        while (await NextAsync(reader, cancel) is { } section)
        {
            var disposition = ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var parsed) ? parsed : null;
            var name = HeaderUtilities.RemoveQuotes(disposition?.Name ?? default).ToString();
            var fileName = FileNameOf(disposition);
            if (maxRows is { } rows && name == "manifest")
            {
                manifest = await ManifestAsync(section, rows, cancel);
            }
            // Some clients send text fields as parts with filename="": those are fields.
            else if (name.Length > 0 && fileName.Length == 0 && name != "file")
            {
                var field = await BodyAsync(section, MaxFieldBytes, cancel);
                if (name == "category")
                {
                    var value = field is null ? new string('?', Names.MaxLength + 1) : Encoding.UTF8.GetString(field);
                    (categories, complete) = ([.. complete ? [] : categories ?? [], value], false);
                }
            }
            else if (name != "file")
            {
                await BodyAsync(section, 0, cancel);
                yield return new(fileName, categories, null, name.Length == 0 ? "part-without-name" : "unknown-part", name.Length == 0
                    ? "A part of the form has no name; files go into parts named file."
                    : $"The part is named \"{Shorten(name)}\"; files go into parts named file.");
            }
            else
            {
                complete = true;
                yield return Told(await FileAsync(section, fileName, categories, maxFileBytes, cancel), manifest);
            }
        }

        foreach (var missing in manifest?.Rest() ?? [])
        {
            yield return missing;
        }
    }

    private static async Task<UploadedFile> FileAsync(
        MultipartSection section, string fileName, List<string>? categories, int maxBytes, CancellationToken cancel) =>
        await BodyAsync(section, maxBytes, cancel) is { } bytes
            ? new(fileName, categories, bytes)
            : new(fileName, categories, null, "too-large", $"The file is larger than {maxBytes:N0} bytes; send a smaller version of it.");

    /// <summary>What the manifest says comes before the category field.</summary>
    private static UploadedFile Told(UploadedFile file, Manifest? manifest) => manifest is null ? file
        : manifest.Find(file.FileName) is { } said ? file with { Categories = said.Categories, Split = said.Split }
        : file.Categories is not null || file.Reason is not null ? file
        : file with
        {
            Bytes = null,
            Reason = "not-in-manifest",
            Detail = "The manifest says nothing of this file; add a row for it, or a field named category before it.",
        };

    private static async Task<Manifest> ManifestAsync(MultipartSection section, int maxRows, CancellationToken cancel) =>
        await BodyAsync(section, MaxManifestBytes, cancel) is { } bytes
            ? await Manifest.ReadAsync(new MemoryStream(bytes), maxRows, cancel)
            : throw UploadRefusedException.TooLarge("too-large", $"The manifest has more than {MaxManifestBytes:N0} bytes; send the files in several requests.");

    /// <summary>The first bytes of the stream up to its end; null when there are more than <paramref name="limit"/>.</summary>
    public static async Task<byte[]?> ReadToEndAsync(Stream body, int limit, CancellationToken cancel)
    {
        using var buffer = new MemoryStream();
        var chunk = new byte[16 << 10];
        int read;
        while ((read = await body.ReadAsync(chunk, cancel)) > 0)
        {
            if (buffer.Length + read > limit)
            {
                return null;
            }

            buffer.Write(chunk, 0, read);
        }

        return buffer.ToArray();
    }

    private static async Task<byte[]?> BodyAsync(MultipartSection section, int limit, CancellationToken cancel)
    {
        try
        {
            return await ReadToEndAsync(section.Body, limit, cancel);
        }
        catch (Exception e) when (e is InvalidDataException or (IOException and not BadHttpRequestException))
        {
            throw Broken(e);
        }
    }

    private static async Task<MultipartSection?> NextAsync(MultipartReader reader, CancellationToken cancel)
    {
        try
        {
            return await reader.ReadNextSectionAsync(cancel);
        }
        catch (Exception e) when (e is InvalidDataException or (IOException and not BadHttpRequestException))
        {
            throw Broken(e);
        }
    }

    private static BadHttpRequestException Broken(Exception e) =>
        new("The multipart body is broken, or ends too early; send it again. Of an upload what came before that point was kept, and sending it again adds nothing twice.", e);

    /// <summary>The name that the sender gave the file, without control characters; empty where there is none.</summary>
    public static string FileNameOf(ContentDispositionHeaderValue? disposition)
    {
        var name = HeaderUtilities.RemoveQuotes(disposition?.FileNameStar ?? default) is { Length: > 0 } star
            ? star
            : HeaderUtilities.RemoveQuotes(disposition?.FileName ?? default);
        return Readable(name.ToString());
    }

    /// <summary>A name without control characters, cut where it is too long to be read.</summary>
    public static string Readable(string name) => Shorten(string.Concat(name.EnumerateRunes().Where(c => !Rune.IsControl(c))));

    private static string Shorten(string text) =>
        text.Length <= MaxNameLength ? text : text[..(MaxNameLength - (char.IsHighSurrogate(text[MaxNameLength - 1]) ? 1 : 0))];
}
