using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Headstart.Backbones;

/// <summary>A form with one backbone.</summary>
/// <param name="FileName">The owner's name of the file.</param>
/// <param name="Fields">Its text fields.</param>
public sealed record BackboneForm(string FileName, IReadOnlyDictionary<string, string> Fields);

/// <summary>Reads a form with one backbone and its description; the file goes straight to disk.</summary>
public static class BackboneUpload
{
    private const int MaxFieldBytes = 4_096;

    /// <param name="request">The request to read.</param>
    /// <param name="names">Names of the allowed fields.</param>
    /// <param name="path">Where to write the file; the caller deletes it.</param>
    /// <param name="maxBytes">The largest file that is accepted.</param>
    /// <param name="cancel">Cancels reading.</param>
    /// <returns>The form.</returns>
    /// <exception cref="RefusedException">The form was refused; the problem says why.</exception>
    /// <exception cref="BadHttpRequestException">The body is not well-formed multipart.</exception>
    public static async Task<BackboneForm> ReadAsync(
        HttpRequest request, IReadOnlyCollection<string> names, string path, long maxBytes, CancellationToken cancel)
    {
        request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = null; // the file has its own limit
        if (RequestBodies.Boundary(request) is not { } boundary)
        {
            throw new RefusedException(Problems.Of(StatusCodes.Status415UnsupportedMediaType, "unsupported-media-type",
                "Send multipart/form-data with a boundary and the backbone in a part named file, for example with curl -F "
                    + "file=@resnet.onnx."));
        }

        var reader = new MultipartReader(boundary, request.Body);
        var fields = new Dictionary<string, string>();
        string? fileName = null;
        while (await Read(reader.ReadNextSectionAsync(cancel)) is { } section)
        {
            var disposition = ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var parsed) ? parsed : null;
            var name = HeaderUtilities.RemoveQuotes(disposition?.Name ?? default).ToString();
            if (name == "file" && fileName is null)
            {
                fileName = RequestBodies.FileNameOf(disposition);
                if (!await SaveAsync(section.Body, path, maxBytes, cancel))
                {
                    throw new RefusedException(Problems.Of(StatusCodes.Status413PayloadTooLarge, "too-large",
                        $"The file is larger than {maxBytes:N0} bytes, the limit set by Headstart:Backbones:MaxUploadBytes."));
                }
            }
            else if (names.Contains(name) && await Read(RequestBodies.ReadToEndAsync(section.Body, MaxFieldBytes, cancel)) is { } text)
            {
                fields[name] = Encoding.UTF8.GetString(text);
            }
            else
            {
                throw new RefusedException(Problems.Invalid("invalid-field", name == "file"
                    ? "A request takes one file; send each file in its own "
                    + "request."
                    : $"The form takes one part named file and text fields named {string.Join(", ", names)} of at most {MaxFieldBytes:N0} "
                        + "bytes each; remove other parts and shorten long texts."));
            }
        }

        return fileName is null ? throw new RefusedException(
            Problems.Invalid("no-file", "The form has no part named file; send the backbone in it, for "
            + "example with curl -F file=@resnet.onnx."))
            : new(fileName.Length > 0 ? fileName : "the file", fields);
    }

    /// <returns>False if the file is larger than allowed.</returns>
    private static async Task<bool> SaveAsync(Stream body, string path, long maxBytes, CancellationToken cancel)
    {
        await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
        var buffer = new byte[1 << 16];
        int read;
        while ((read = await Read(body.ReadAsync(buffer, cancel).AsTask())) > 0)
        {
            if (file.Length + read > maxBytes)
            {
                return false;
            }

            await file.WriteAsync(buffer.AsMemory(0, read), cancel);
        }

        file.Flush(flushToDisk: true);
        return true;
    }

    /// <summary>Distinguishes the sender's mistakes from errors of our disk.</summary>
    private static async Task<T> Read<T>(Task<T> read)
    {
        try
        {
            return await read;
        }
        catch (Exception e) when (e is InvalidDataException or (IOException and not BadHttpRequestException))
        {
            throw new BadHttpRequestException($"The multipart body is malformed ({e.Message.TrimEnd('.')}); nothing was saved, send it "
                + "again.", e);
        }
    }
}
