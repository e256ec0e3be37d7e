using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Headstart.NanoNets;

/// <summary>
/// Reads requests. Fields of a form may follow the files that they describe, so files are kept in a temporary file until everything is
/// read; fields are held in memory.
/// </summary>
internal sealed class NanoRequests(Settings settings, DataPaths paths)
{
    private const int MaxParts = 10_000;
    private const int MaxFieldsBytes = 16 << 20; // all of them together

    /// <exception cref="BadHttpRequestException">The body cannot be read.</exception>
    /// <exception cref="RefusedException">The form has too many parts, or too much in its fields.</exception>
    public async Task<NanoRequest> ReadAsync(HttpRequest http, CancellationToken cancel)
    {
        var boundary = RequestBodies.Boundary(http);
        var kept = boundary is null ? null : Spool.Create(paths.Spool);
        if (kept is not null)
        {
            http.HttpContext.Response.RegisterForDisposeAsync(kept);
        }

        var request = new NanoRequest(kept);
        foreach (var (name, values) in http.Query)
        {
            request.Add(name, values);
        }

        if (boundary is null)
        {
            request.AddText(await new StreamReader(http.Body, Encoding.UTF8).ReadToEndAsync(cancel)); // limited by Kestrel
            return request;
        }

        http.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = settings.NanoNets.MaxRequestBytes;
        try
        {
            await ReadFormAsync(new(boundary, http.Body), request, kept!, cancel);
        }
        catch (Exception e) when (e is InvalidDataException or (IOException and not BadHttpRequestException))
        {
            throw new BadHttpRequestException($"The multipart body is malformed ({e.Message.TrimEnd('.')}). Nothing was kept; send it "
                + "again.", e);
        }

        return request;
    }

    private async Task ReadFormAsync(MultipartReader reader, NanoRequest request, FileStream kept, CancellationToken cancel)
    {
        var left = MaxFieldsBytes;
        for (var parts = 1; await reader.ReadNextSectionAsync(cancel) is { } section; parts++)
        {
            if (parts > MaxParts)
            {
                throw RefusedException.TooLarge("too-many-fields", $"The form has more than {MaxParts:N0} fields and files; send the rest "
                    + "in another request.");
            }

            if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition))
            {
                throw new InvalidDataException("A part has no valid Content-Disposition.");
            }

            var name = HeaderUtilities.RemoveQuotes(disposition.Name).ToString();
            if (!disposition.IsFileDisposition())
            {
                left -= name.Length + await AddFieldAsync(request, name, section, left, cancel);
            }
            else if (name.ToUpperInvariant() is "FILE" or "FILES")
            {
                request.Files.Add(await KeepAsync(kept, RequestBodies.FileNameOf(disposition), section.Body, cancel));
            }
        }
    }

    /// <returns>The bytes of its value.</returns>
    private static async Task<int> AddFieldAsync(NanoRequest request, string name, MultipartSection section, int left,
        CancellationToken cancel)
    {
        var bytes = left < name.Length ? null : await RequestBodies.ReadToEndAsync(section.Body, left - name.Length, cancel);
        if (bytes is null)
        {
            throw RefusedException.TooLarge("fields-too-large", $"The fields of the form are together larger than {MaxFieldsBytes:N0} "
                + "bytes; send fewer images at a time.");
        }

        section.Body = new MemoryStream(bytes);
        request.Add(name, [await section.ReadAsStringAsync(cancel)]); // in the encoding that the part names
        return bytes.Length;
    }

    private async Task<KeptFile> KeepAsync(FileStream kept, string name, Stream body, CancellationToken cancel)
    {
        var at = kept.Length;
        kept.Position = at;
        var chunk = new byte[1 << 16];
        for (int read; (read = await body.ReadAsync(chunk, cancel)) > 0;)
        {
            if (kept.Position + read - at > settings.Uploads.MaxFileBytes)
            {
                kept.SetLength(at);
                return new(name, at, null); // the reader skips the rest
            }

            await kept.WriteAsync(chunk.AsMemory(0, read), cancel);
        }

        await kept.FlushAsync(cancel);
        return new(name, at, (int)(kept.Position - at));
    }
}
