using System.Runtime.CompilerServices;
using System.Text;
using Headstart.Operations;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Headstart.Uploads;

/// <summary>Reads files out of <c>multipart/form-data</c> one at a time: memory holds one file, however large the request.</summary>
public static class UploadReader
{
    private const int MaxFieldBytes = 4_096;

    /// <summary>Of one that comes with files; it is held in memory.</summary>
    internal const int MaxManifestBytes = 64 << 20;

    /// <param name="request">Its body is read to its end.</param>
    /// <param name="boundary">See <see cref="RequestBodies.Boundary(HttpRequest)"/>.</param>
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
            var fileName = RequestBodies.FileNameOf(disposition);
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
                yield return new(fileName, new FileContent.Unusable(name.Length == 0 ? "part-without-name" : "unknown-part", name.Length == 0
                    ? "A part of the form has no name; files go into parts named file."
                    : $"The part is named \"{RequestBodies.Shorten(name)}\"; files go into parts named file."), categories);
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
        new(fileName, FileContent.Of(await BodyAsync(section, maxBytes, cancel), maxBytes), categories);

    /// <summary>What the manifest says comes before the category field.</summary>
    private static UploadedFile Told(UploadedFile file, Manifest? manifest) => manifest is null ? file
        : manifest.Find(file.FileName) is { } said ? file with { Categories = said.Categories, Split = said.Split }
        : file.Categories is not null || file.Unusable is not null ? file
        : file with
        {
            Content = new FileContent.Unusable("not-in-manifest", "The manifest says nothing of this file; add a row for it, or a field named category before it."),
        };

    private static async Task<Manifest> ManifestAsync(MultipartSection section, int maxRows, CancellationToken cancel) =>
        await BodyAsync(section, MaxManifestBytes, cancel) is { } bytes
            ? await Manifest.ReadAsync(new MemoryStream(bytes), maxRows, cancel)
            : throw UploadRefusedException.TooLarge("too-large", $"The manifest has more than {MaxManifestBytes:N0} bytes; send the files in several requests.");

    private static async Task<byte[]?> BodyAsync(MultipartSection section, int limit, CancellationToken cancel)
    {
        try
        {
            return await RequestBodies.ReadToEndAsync(section.Body, limit, cancel);
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
}
