using System.Text;
using Headstart.Operations;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Headstart.Backbones;

/// <summary>A form with one backbone.</summary>
/// <param name="FileName">How its owner calls the file.</param>
/// <param name="Fields">What is said of it.</param>
public sealed record BackboneForm(string FileName, IReadOnlyDictionary<string, string> Fields);

/// <summary>Reads a form with one backbone and what is said of it; the file goes to disk as it comes.</summary>
public static class BackboneUpload
{
    private const int MaxFieldBytes = 4_096;

    /// <param name="request">Whose body it is.</param>
    /// <param name="names">Of the fields that there may be.</param>
    /// <param name="path">Where the file goes; whoever calls removes it.</param>
    /// <param name="maxBytes">That it may have.</param>
    /// <param name="cancel">Ends the reading.</param>
    /// <returns>The form, or why it cannot be taken.</returns>
    /// <exception cref="BadHttpRequestException">The body is not well-formed multipart.</exception>
    public static async Task<(BackboneForm? Form, ProblemHttpResult? Refusal)> ReadAsync(
        HttpRequest request, IReadOnlyCollection<string> names, string path, long maxBytes, CancellationToken cancel)
    {
        request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = null; // the file has its own limit
        if (RequestBodies.Boundary(request) is not { } boundary)
        {
            return (null, Problems.Of(StatusCodes.Status415UnsupportedMediaType, "unsupported-media-type",
                "Send multipart/form-data with a boundary and the backbone in a part named file, as curl -F file=@resnet.onnx does."));
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
                    return (null, Problems.Of(StatusCodes.Status413PayloadTooLarge, "too-large",
                        $"The file is larger than {maxBytes:N0} bytes; Headstart:Backbones:MaxUploadBytes sets the limit."));
                }
            }
            else if (names.Contains(name) && await Read(RequestBodies.ReadToEndAsync(section.Body, MaxFieldBytes, cancel)) is { } text)
            {
                fields[name] = Encoding.UTF8.GetString(text);
            }
            else
            {
                return (null, Problems.Invalid("invalid-field", name == "file" ? "A request takes one file; send each in a request of its own."
                    : $"The form takes one part named file and short texts named {string.Join(", ", names)}; it has another part or a long text."));
            }
        }

        return fileName is null ? (null, Problems.Invalid("no-file", "The form has no part named file; send the backbone with it, as curl -F file=@resnet.onnx does."))
            : (new(fileName.Length > 0 ? fileName : "the file", fields), null);
    }

    /// <returns>False where the file is larger than it may be.</returns>
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

    /// <summary>Tells what the sender did wrong from what our disk does.</summary>
    private static async Task<T> Read<T>(Task<T> read)
    {
        try
        {
            return await read;
        }
        catch (Exception e) when (e is InvalidDataException or (IOException and not BadHttpRequestException))
        {
            throw new BadHttpRequestException($"The multipart body is broken ({e.Message.TrimEnd('.')}); nothing was kept, send it again.", e);
        }
    }
}
