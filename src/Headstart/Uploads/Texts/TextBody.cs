using System.Runtime.CompilerServices;
using System.Text.Json;
using Headstart.Uploads.Bodies;
using Headstart.Uploads.Files;
using Headstart.Uploads.Tables;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Headstart.Uploads.Texts;

/// <summary>The formats of bodies and files that contain texts.</summary>
internal enum TextFormat
{
    /// <summary>An object with a list of texts.</summary>
    Json,

    /// <summary>One JSON value per line.</summary>
    JsonLines,

    /// <summary>Columns separated by commas or semicolons, see <see cref="TextTable"/>.</summary>
    Table,

    /// <summary>Columns separated by tabs.</summary>
    Tabs,

    /// <summary>One text per line.</summary>
    Lines,

    /// <summary>A form with files of the other formats.</summary>
    Form,
}

/// <summary>Reads texts from a body, in order.</summary>
internal static class TextBody
{
    private const int WordsBytes = 1 << 16; // bytes of a row without its text

    // If a row has two categories, nobody knows which is meant.
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>The format of a request with this content type; null if it is not supported.</summary>
    public static TextFormat? FormatOf(string? contentType) => !MediaTypeHeaderValue.TryParse(contentType, out var type) ? null
        : type.MediaType.ToString().ToLowerInvariant() switch
        {
            "application/json" => TextFormat.Json,
            "application/jsonl" or "application/x-ndjson" or "application/jsonlines" => TextFormat.JsonLines,
            "text/csv" => TextFormat.Table,
            "text/tab-separated-values" => TextFormat.Tabs,
            "text/plain" => TextFormat.Lines,
            "multipart/form-data" => RequestBodies.Boundary(contentType) is null ? null : TextFormat.Form,
            _ => null,
        };

    /// <summary>The texts of a request. A body other than a form is first written to a file in <paramref name="spool"/>.</summary>
    /// <param name="request">Its body must not have been read yet.</param>
    /// <param name="spool">A folder.</param>
    /// <param name="limits">Limits for the body.</param>
    /// <exception cref="RefusedException">The body does not match its content type; texts yielded so far may be kept.</exception>
    /// <exception cref="BadHttpRequestException">The body is not JSON.</exception>
    public static async IAsyncEnumerable<SentText> ReadAsync(HttpRequest request, string spool, UploadSettings limits,
        [EnumeratorCancellation] CancellationToken cancel)
    {
        if (FormatOf(request.ContentType) is not { } format)
        {
            throw new RefusedException(StatusCodes.Status415UnsupportedMediaType, "unsupported-media-type",
                "Send application/json, application/jsonl, text/csv, text/tab-separated-values, text/plain with one text per line, or "
                + "multipart/form-data with such files in parts named file (curl -F file=@reviews.csv).");
        }

        request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = null; // it has its own limit
        await using var body = format == TextFormat.Form ? null : await Spool.TakeAsync(request.Body, spool, limits.MaxTextsBytes, cancel)
            ?? throw RefusedException.TooLarge("too-large",
                $"The body is larger than {limits.MaxTextsBytes:N0} bytes (Headstart:Uploads:MaxTextsBytes); send it in parts.");
        await foreach (var text in body is null ? ReadFormAsync(request, limits, cancel) : ReadAsync(format, body, limits, cancel))
        {
            yield return text;
        }
    }

    private static IAsyncEnumerable<SentText> ReadAsync(TextFormat format, Stream body, UploadSettings limits, CancellationToken cancel)
    {
        var largest = 6 * limits.MaxTextBytes + WordsBytes; // JSON may write a byte as \u0061
        return format switch
        {
            TextFormat.Json => ReadJsonAsync(body, cancel),
            TextFormat.JsonLines => ReadJsonLinesAsync(body, largest, cancel),
            TextFormat.Table or TextFormat.Tabs => TextTable.ReadAsync(body, format == TextFormat.Tabs, largest, cancel),
            _ => ReadLinesAsync(body, largest, cancel),
        };
    }

    /// <summary>Reads the files of a form one at a time, by file extension; a field named category labels texts without one.</summary>
    private static async IAsyncEnumerable<SentText> ReadFormAsync(HttpRequest request, UploadSettings limits,
        [EnumeratorCancellation] CancellationToken cancel)
    {
        var leftOut = new SystemFiles();
        await foreach (var file in FilesAsync(request, limits, leftOut, cancel))
        {
            if (file.Bytes is null || FormatOfFile(file.FileName) is not { } format)
            {
                var detail = file.Unusable?.Reason == "too-large"
                    ? $"The file is larger than {limits.MaxTextsBytes:N0} bytes (Headstart:Uploads:MaxTextsBytes); send it in parts."
                    : file.Unusable?.Detail ?? "Unknown file format; send a file whose name ends in .csv, .tsv, .jsonl, .json or .txt.";
                yield return new(null, null, file.FileName, Reason: file.Unusable?.Reason ?? "unknown-format", Detail: detail);
                continue;
            }

            var category = file.Categories is [.., var last] ? last : null;
            using var body = new MemoryStream(file.Bytes);
            await foreach (var text in ReadFileAsync(format, body, limits, cancel))
            {
                yield return text with
                {
                    FileName = text.FileName ?? file.FileName,
                    Category = string.IsNullOrWhiteSpace(text.Category) ? category
                    : text.Category
                };
            }
        }

        foreach (var notice in leftOut.Notices)
        {
            yield return SentText.Not("system-files", notice);
        }
    }

    /// <summary>
    /// Files before any category wait for the end: they are texts without a category only if no category follows.
    /// </summary>
    private static async IAsyncEnumerable<UploadedFile> FilesAsync(HttpRequest request, UploadSettings limits, SystemFiles leftOut,
        [EnumeratorCancellation] CancellationToken cancel)
    {
        var (waiting, bytes) = (new List<UploadedFile>(), 0L);
        await foreach (var file in UploadReader.LabelledAsync(request.Body, RequestBodies.Boundary(request)!, (int)limits.MaxTextsBytes,
            manifests: null, leftOut, cancel))
        {
            if (file.Categories is not null)
            {
                yield return file;
                continue;
            }

            waiting.Add(file);
            if ((bytes += file.Bytes?.Length ?? 0) > 2 * limits.MaxTextsBytes)
            {
                throw RefusedException.TooLarge("too-large",
                    $"The files of the form are larger than {2 * limits.MaxTextsBytes:N0} bytes; send them in several requests.");
            }
        }

        foreach (var file in waiting)
        {
            yield return file;
        }
    }

    /// <summary>A file that does not match its extension becomes one refused text; the other files are read.</summary>
    private static async IAsyncEnumerable<SentText> ReadFileAsync(TextFormat format, Stream body, UploadSettings limits,
        [EnumeratorCancellation] CancellationToken cancel)
    {
        await using var texts = ReadAsync(format, body, limits, cancel).GetAsyncEnumerator(cancel);
        for (SentText? problem = null; problem is null;)
        {
            try
            {
                if (!await texts.MoveNextAsync())
                {
                    yield break;
                }
            }
            catch (RefusedException e)
            {
                problem = SentText.Not(e.Problem.ProblemDetails.Type!, e.Message);
            }
            catch (BadHttpRequestException)
            {
                problem = SentText.Not("invalid-json", "The file is not valid JSON; correct it and send it again.");
            }

            yield return problem ?? texts.Current;
        }
    }

    private static TextFormat? FormatOfFile(string name) => Path.GetExtension(name).ToLowerInvariant() switch
    {
        ".csv" => TextFormat.Table,
        ".tsv" or ".tab" => TextFormat.Tabs,
        ".jsonl" or ".ndjson" => TextFormat.JsonLines,
        ".json" => TextFormat.Json,
        ".txt" => TextFormat.Lines,
        _ => null,
    };

    private static async IAsyncEnumerable<SentText> ReadJsonAsync(Stream body, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var json = await ParseAsync(body, cancel);
        if (TextsOf(json.RootElement) is not { ValueKind: JsonValueKind.Array } texts)
        {
            throw RefusedException.Invalid("no-texts",
                """The JSON must be an object with a list of texts, such as {"texts":[{"text":"I loved it","category":"positive"},{"text":"no category"}]}.""");
        }

        foreach (var text in texts.EnumerateArray())
        {
            yield return SentText.Of(text);
        }
    }

    private static JsonElement? TextsOf(JsonElement body)
    {
        try
        {
            return body.ValueKind == JsonValueKind.Object && body.TryGetProperty("texts", out var texts) ? texts : null;
        }
        catch (InvalidOperationException) // a property name with half of a surrogate pair
        {
            return null;
        }
    }

    private static async Task<JsonDocument> ParseAsync(Stream body, CancellationToken cancel)
    {
        try
        {
            return await JsonDocument.ParseAsync(body, Strict, cancel);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // a property name with half of a surrogate pair
        {
            throw new BadHttpRequestException("The body is not the JSON that this endpoint expects.", e);
        }
    }

    private static async IAsyncEnumerable<SentText> ReadJsonLinesAsync(Stream body, int maxBytes,
        [EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var line in Utf8Lines.ReadAsync(body, maxBytes, cancel))
        {
            yield return line.Problem is { } problem ? SentText.Not(problem.Reason, problem.Detail) : OfJson(line);
        }
    }

    private static SentText OfJson(Utf8Line line)
    {
        try
        {
            using var json = JsonDocument.Parse(line.Text, Strict);
            return SentText.Of(json.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return SentText.Not("invalid-row",
                $$"""Line {{line.Number}} is not valid JSON; send an object such as {"text":"…","category":"…"}.""");
        }
    }

    private static async IAsyncEnumerable<SentText> ReadLinesAsync(Stream body, int maxBytes,
        [EnumeratorCancellation] CancellationToken cancel)
    {
        var start = body.Position;
        await using var utf8 = (await TextForm.OfAsync(body, "file", cancel)).Open(body, start);
        await foreach (var line in Utf8Lines.ReadAsync(utf8, maxBytes, cancel))
        {
            if (line.Problem is not null || !string.IsNullOrWhiteSpace(line.Text))
            {
                yield return line.Problem is { } problem ? SentText.Not(problem.Reason, problem.Detail) : SentText.OfLine(line.Text);
            }
        }
    }
}
