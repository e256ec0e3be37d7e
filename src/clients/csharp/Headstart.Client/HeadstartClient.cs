using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Headstart.Client;

/// <summary>The host refused the request or did not answer. The message says what to do.</summary>
/// <param name="message">The problem's detail.</param>
/// <param name="type">The problem's type; null if the host did not answer with a problem.</param>
/// <param name="status">null if the host did not answer.</param>
public sealed class HeadstartException(string message, string? type, HttpStatusCode? status, Exception? inner = null)
    : Exception(message, inner)
{
    public string? Type => type;

    public HttpStatusCode? Status => status;
}

/// <summary>
/// Headstart's API: create a model, upload labelled images, train, watch, predict. Repeats a request if the host is busy (503) or, once the
/// host has answered, if the connection is lost; every other error is a <see cref="HeadstartException"/>.
/// </summary>
/// <param name="http">Its base address is the host's, such as <c>http://localhost:8080</c> or <c>https://example.com/headstart</c>.</param>
/// <param name="key">An API key.</param>
/// <param name="clock">The clock for waiting.</param>
public sealed class HeadstartClient(HttpClient http, string key, TimeProvider? clock = null)
{
    private const int Tries = 6;
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    private readonly TimeProvider _clock = clock ?? TimeProvider.System;
    private bool _reached;

    public Task<Model> CreateModelAsync(NewModelRequest request, CancellationToken cancel = default) =>
        SendAsync<Model>(HttpMethod.Post, "models", () => JsonContent.Create(request, options: Json), cancel, once: true);

    /// <summary>All models, newest first.</summary>
    public async IAsyncEnumerable<Model> ListModelsAsync([EnumeratorCancellation] CancellationToken cancel = default)
    {
        string? after = null;
        do
        {
            var page = await SendAsync<PageOfModel>(HttpMethod.Get, $"models?limit=100{(after is null ? "" : $"&after={after}")}", null,
                cancel);
            foreach (var model in page.Items)
            {
                yield return model;
            }

            after = page.Next;
        }
        while (after is not null);
    }

    /// <summary>The model with this id or this name, or null. The host compares names, so that é is é however it was typed.</summary>
    public async Task<Model?> FindModelAsync(string named, CancellationToken cancel = default) =>
        (await SendAsync<PageOfModel>(HttpMethod.Get, $"models?named={Uri.EscapeDataString(named)}", null, cancel)).Items is [var model, ..]
            ? model : null;

    /// <summary>Uploads files of one category, by path. Sending them again adds nothing; unusable files are in the rejected list.</summary>
    public Task<Upload> UploadAsync(Guid model, string category, IReadOnlyList<string> files, CancellationToken cancel = default) =>
        SendAsync<Upload>(HttpMethod.Post, $"models/{model}/images", () => Form(category, files), cancel, answer =>
            answer.Rejected is not null);

    /// <summary>Imports a zip archive: photographs with the annotations of any tool that the host knows, or in category folders.</summary>
    /// <param name="archive">Its path.</param>
    public Task<ImportProgress> ImportAsync(Guid model, string archive, CancellationToken cancel = default) =>
        SendAsync<ImportProgress>(HttpMethod.Post, $"models/{model}/imports/archive", () => new StreamContent(File.OpenRead(archive))
        {
            Headers = { ContentType = new("application/zip") },
        }, cancel, idempotencyKey: Guid.CreateVersion7().ToString());

    /// <summary>The import's state now and every second until it has ended; the last one is the end state.</summary>
    public async IAsyncEnumerable<ImportProgress> WatchAsync(ImportProgress import,
        [EnumeratorCancellation] CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(import);
        yield return import;
        while (import.IsUnderWay())
        {
            await Task.Delay(Look, _clock, cancel);
            yield return import = await SendAsync<ImportProgress>(HttpMethod.Get, $"models/{import.ModelId}/imports/{import.Id}", null,
                cancel);
        }
    }

    /// <summary>The first files that an import did not take, each with the reason.</summary>
    public Task<PageOfRejection> ListRejectionsAsync(ImportProgress import, CancellationToken cancel = default) =>
        SendAsync<PageOfRejection>(HttpMethod.Get, $"models/{import?.ModelId}/imports/{import?.Id}/rejections?limit=100", null, cancel);

    /// <param name="idempotencyKey">The same key returns the run it started, so that a call can be repeated.</param>
    public Task<Run> StartRunAsync(Guid model, NewRunRequest request, string idempotencyKey, CancellationToken cancel = default) =>
        SendAsync<Run>(
        HttpMethod.Post, $"models/{model}/training-runs", () => JsonContent.Create(request, options: Json), cancel,
        idempotencyKey: idempotencyKey);

    /// <summary>The latest run, or null.</summary>
    public async Task<Run?> NewestRunAsync(Guid model, CancellationToken cancel = default) =>
        (await SendAsync<PageOfRun>(HttpMethod.Get, $"models/{model}/training-runs?limit=1", null, cancel)).Items is [var run, ..] ? run
            : null;

    public Task<Run> GetRunAsync(Guid model, Guid run, CancellationToken cancel = default) =>
        SendAsync<Run>(HttpMethod.Get, $"models/{model}/training-runs/{run}", null, cancel);

    /// <summary>The run's state now and every second until it has ended; the last one is the end state.</summary>
    public async IAsyncEnumerable<Run> WatchAsync(Run run, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(run);
        yield return run;
        while (run.IsUnderWay())
        {
            await Task.Delay(Look, _clock, cancel);
            yield return run = await GetRunAsync(run.ModelId, run.Id, cancel);
        }
    }

    public Task<Version> GetVersionAsync(Guid model, int number, CancellationToken cancel = default) =>
        SendAsync<Version>(HttpMethod.Get, $"models/{model}/versions/{number}", null, cancel);

    public Task<Report> GetReportAsync(Guid model, int number, CancellationToken cancel = default) =>
        SendAsync<Report>(HttpMethod.Get, $"models/{model}/versions/{number}/report", null, cancel);

    /// <summary>Predicts files by path; predictions are in the same order, and a file that could not be read has an error.</summary>
    /// <param name="top">Number of labels to return for each file.</param>
    public Task<Prediction> PredictAsync(Guid model, IReadOnlyList<string> files, int? top = null, CancellationToken cancel = default) =>
        SendAsync<Prediction>(
        HttpMethod.Post, $"models/{model}/predictions{(top is null ? "" : $"?top={top}")}", () => Form(null, files), cancel, answer =>
        answer.Predictions is not null);

    // Keeps the path of the base URL, with or without a trailing slash.
    private Uri At(string path) => new($"{http.BaseAddress!.ToString().TrimEnd('/')}/api/v1/{path}");

    private static MultipartFormDataContent Form(string? category, IReadOnlyList<string> files)
    {
        var form = new MultipartFormDataContent();
        if (category is not null)
        {
            form.Add(new StringContent(category), "category"); // before the files it applies to
        }

        foreach (var file in files)
        {
            var content = new StreamContent(File.OpenRead(file));
            content.Headers.ContentDisposition = new ContentDispositionHeaderValue("form-data")
            {
                Name = "file",
                FileNameStar = Path.GetFileName(file)
            };
            form.Add(content);
        }

        return form;
    }

    /// <param name="content">Creates the content for each attempt.</param>
    /// <param name="isAnswer">Whether a 422 is a regular answer: one that rejects every file, with reasons.</param>
    /// <param name="once">Whether to send it only once if the connection is lost.</param>
    private async Task<T> SendAsync<T>(
        HttpMethod method, string path, Func<HttpContent>? content, CancellationToken cancel, Func<T, bool>? isAnswer = null,
        string? idempotencyKey = null, bool once = false)
    {
        for (var attempt = 1; ; attempt++)
        {
            using var request = new HttpRequestMessage(method, At(path)) { Content = content?.Invoke() };
            request.Headers.Authorization = new("Bearer", key);
            if (idempotencyKey is not null)
            {
                request.Headers.Add("Idempotency-Key", idempotencyKey);
            }

            using var response = await SendAsync(request, isLast: !_reached || once || attempt == Tries, cancel);
            _reached |= response is not null;
            if (response is null || (response.StatusCode == HttpStatusCode.ServiceUnavailable && attempt < Tries))
            {
                var wait = response?.Headers.RetryAfter?.Delta ?? Look * (1 << (attempt - 1));
                await Task.Delay(wait < LongestWait ? wait : LongestWait, _clock, cancel);
                continue;
            }

            var text = await response.Content.ReadAsStringAsync(cancel);
            if (response.IsSuccessStatusCode)
            {
                return Read<T>(text) ?? throw new HeadstartException($"{http.BaseAddress} answered with something other than the "
                    + "Headstart API; check the URL.", null, response.StatusCode);
            }

            return response.StatusCode == HttpStatusCode.UnprocessableEntity && isAnswer is not null && Read<T>(text) is { } answer
                && isAnswer(answer)
                ? answer
                : throw Refusal(Read<ProblemDetails>(text), response.StatusCode);
        }
    }

    /// <returns>null if the connection was lost and the request may be repeated.</returns>
    private async Task<HttpResponseMessage?> SendAsync(HttpRequestMessage request, bool isLast, CancellationToken cancel)
    {
        try
        {
            return await http.SendAsync(request, cancel);
        }
        catch (HttpRequestException) when (!isLast)
        {
            return null;
        }
        catch (HttpRequestException e)
        {
            throw new HeadstartException($"Cannot reach {http.BaseAddress}: {e.Message}", null, null, e);
        }
    }

    private HeadstartException Refusal(ProblemDetails? problem, HttpStatusCode status) =>
        new(problem?.Detail ?? $"{http.BaseAddress} answered with status {(int)status}.", problem?.Type, status);

    private static T? Read<T>(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(text, Json);
        }
        catch (JsonException)
        {
            return default;
        }
    }
}
