using System.Text;
using Microsoft.Net.Http.Headers;

namespace Headstart.Operations;

/// <summary>What readers of bodies have in common.</summary>
public static class RequestBodies
{
    private const int MaxNameLength = 255;

    /// <summary>The boundary of a multipart request, or null when it is not one.</summary>
    public static string? Boundary(HttpRequest request) => Boundary(request.ContentType);

    public static string? Boundary(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
        && HeaderUtilities.RemoveQuotes(type.Boundary) is { Length: > 0 and <= 200 } boundary
            ? boundary.ToString()
            : null;

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

    /// <summary>Cut where it is too long to be read.</summary>
    public static string Shorten(string text) =>
        text.Length <= MaxNameLength ? text : text[..(MaxNameLength - (char.IsHighSurrogate(text[MaxNameLength - 1]) ? 1 : 0))];
}
