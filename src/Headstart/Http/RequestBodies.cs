using System.Buffers;
using System.Text;
using Microsoft.Net.Http.Headers;

namespace Headstart.Http;

/// <summary>Shared by readers of bodies.</summary>
public static class RequestBodies
{
    private const int MaxNameLength = 255;
    private const int FirstBytes = 64 << 10; // most files of a form are smaller

    /// <summary>The boundary of a multipart request; null if it is not one.</summary>
    public static string? Boundary(HttpRequest request) => Boundary(request.ContentType);

    public static string? Boundary(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
        && HeaderUtilities.RemoveQuotes(type.Boundary) is { Length: > 0 and <= 200 } boundary
            ? boundary.ToString()
            : null;

    /// <summary>Reads the stream to its end; null if it has more than <paramref name="limit"/> bytes.</summary>
    public static async Task<byte[]?> ReadToEndAsync(Stream body, int limit, CancellationToken cancel)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(FirstBytes);
        try
        {
            for (var length = 0; ;)
            {
                var read = await body.ReadAsync(buffer.AsMemory(length), cancel);
                length += read;
                if (length > limit)
                {
                    return null;
                }

                if (read == 0)
                {
                    return buffer.AsSpan(0, length).ToArray();
                }

                buffer = length == buffer.Length ? Grown(buffer) : buffer;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static byte[] Grown(byte[] full)
    {
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Array.MaxLength, 2L * full.Length));
        full.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(full);
        return larger;
    }

    /// <summary>The sender's file name without control characters; empty if there is none.</summary>
    public static string FileNameOf(ContentDispositionHeaderValue? disposition)
    {
        var name = HeaderUtilities.RemoveQuotes(disposition?.FileNameStar ?? default) is { Length: > 0 } star
            ? star
            : HeaderUtilities.RemoveQuotes(disposition?.FileName ?? default);
        return Readable(name.ToString());
    }

    /// <summary>A name without control characters, shortened to a readable length.</summary>
    public static string Readable(string name) => Shorten(string.Concat(name.EnumerateRunes().Where(c => !Rune.IsControl(c))));

    /// <summary>Shortens a text to a readable length.</summary>
    public static string Shorten(string text) =>
        text.Length <= MaxNameLength ? text : text[..(MaxNameLength - (char.IsHighSurrogate(text[MaxNameLength - 1]) ? 1 : 0))];
}
