using System.Runtime.CompilerServices;
using System.Text;
using Headstart.Operations;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Headstart.Images;

/// <summary>A file of an upload, or why it could not be taken.</summary>
/// <param name="Categories">The values of the last <c>category</c> fields before the file, those without a file between them; null where there were none.</param>
/// <param name="Bytes">Null when <paramref name="Reason"/> is set.</param>
/// <param name="Origin">Of a file that came from the web.</param>
public sealed record UploadedFile(
    string FileName, IReadOnlyList<string>? Categories, byte[]? Bytes, string? Reason = null, string? Detail = null, ImageOrigin? Origin = null);

/// <summary>Reads files out of <c>multipart/form-data</c> one at a time: memory holds one file, however large the request.</summary>
public static class UploadReader
{
    private const int MaxFieldBytes = 4_096;
    private const int MaxNameLength = 255;

    /// <summary>The boundary of a multipart request, or null when it is not one.</summary>
    public static string? Boundary(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
        && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
        && HeaderUtilities.RemoveQuotes(type.Boundary) is { Length: > 0 and <= 200 } boundary
            ? boundary.ToString()
            : null;

    /// <exception cref="BadHttpRequestException">The body is not well-formed multipart; the files before that point were yielded.</exception>
    public static async IAsyncEnumerable<UploadedFile> ReadAsync(
        HttpRequest request, string boundary, UploadSettings limits, [EnumeratorCancellation] CancellationToken cancel)
    {
        var reader = new MultipartReader(boundary, request.Body);
        List<string>? categories = null;
        var complete = true; // a file has come since, so that the next category starts anew
        while (await NextAsync(reader, cancel) is { } section)
        {
            var disposition = ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var parsed) ? parsed : null;
            var name = HeaderUtilities.RemoveQuotes(disposition?.Name ?? default).ToString();
            var fileName = FileNameOf(disposition);
            // Some clients send text fields as parts with filename="": those are fields.
            if (name.Length > 0 && fileName.Length == 0 && name != "file")
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
                var bytes = await BodyAsync(section, limits.MaxFileBytes, cancel);
                yield return bytes is null
                    ? new(fileName, categories, null, "too-large", $"The file is larger than {limits.MaxFileBytes:N0} bytes; send a smaller version of it.")
                    : new(fileName, categories, bytes);
            }
        }
    }

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
        new($"The multipart body is broken ({e.Message.TrimEnd('.')}). The images before that point were kept; send the others again.", e);

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
