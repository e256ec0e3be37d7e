using System.Text;
using Headstart.Images;
using Headstart.Learning.Backbones;
using Headstart.Operations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Headstart.Backbones;

/// <summary>Reads a form with one network and what is said of it; the network goes to disk as it comes.</summary>
public static class BackboneUpload
{
    private const int MaxFieldBytes = 4_096;

    /// <param name="path">Where the file goes; whoever calls removes it.</param>
    /// <returns>What the form says of the file, or why it cannot be taken.</returns>
    /// <exception cref="BadHttpRequestException">The body is not well-formed multipart.</exception>
    public static async Task<(BackboneDescription? Given, ProblemHttpResult? Refusal)> ReadAsync(
        HttpRequest request, string boundary, string path, long maxBytes, CancellationToken cancel)
    {
        var reader = new MultipartReader(boundary, request.Body);
        var fields = new Dictionary<string, string>();
        string? fileName = null;
        while (await Read(reader.ReadNextSectionAsync(cancel)) is { } section)
        {
            var disposition = ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var parsed) ? parsed : null;
            var name = HeaderUtilities.RemoveQuotes(disposition?.Name ?? default).ToString();
            if (name == "file" && fileName is null)
            {
                fileName = UploadReader.FileNameOf(disposition);
                if (!await SaveAsync(section.Body, path, maxBytes, cancel))
                {
                    return (null, Problems.Of(StatusCodes.Status413PayloadTooLarge, "too-large",
                        $"The file is larger than {maxBytes:N0} bytes; Headstart:Backbones:MaxUploadBytes sets the limit."));
                }
            }
            else if (BackboneFields.Examples.ContainsKey(name) && await Read(UploadReader.ReadToEndAsync(section.Body, MaxFieldBytes, cancel)) is { } text)
            {
                fields[name] = Encoding.UTF8.GetString(text);
            }
            else
            {
                return (null, Problems.Invalid("invalid-field", name == "file" ? "A request takes one file; send each in a request of its own."
                    : $"The form takes one part named file and short texts named {string.Join(", ", BackboneFields.Examples.Keys)}; it has another part or a long text."));
            }
        }

        return Described(fields, fileName);
    }

    private static (BackboneDescription? Given, ProblemHttpResult? Refusal) Described(Dictionary<string, string> fields, string? fileName)
    {
        try
        {
            return fileName is not null ? (BackboneFields.Read(fields.GetValueOrDefault, fileName.Length > 0 ? fileName : "the file"), null)
                : (null, Problems.Invalid("no-file", "The form has no part named file; send the network with it, as curl -F file=@resnet.onnx does."));
        }
        catch (BackboneException e)
        {
            return (null, Problems.Invalid("invalid-field", e.Message));
        }
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
