using Headstart.Access;
using Headstart.Data;
using Headstart.Fetching;
using Headstart.Learning.Heads;
using Headstart.Operations;
using Headstart.Uploads;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Headstart.Predictions;

public sealed record PredictionResponse(Guid ModelId, int Version, IReadOnlyList<FilePrediction> Predictions);

/// <param name="Urls">Addresses of images; answered in this order, each under its address as the file name.</param>
/// <param name="Texts">In a text model, in place of addresses; answered in this order.</param>
public sealed record UrlPredictionRequest(IReadOnlyList<string>? Urls = null, IReadOnlyList<string?>? Texts = null);

public static class PredictionsApi
{
    public static void MapPredictions(this RouteGroupBuilder api) =>
        api.MapGroup("/models/{id:guid}/predictions").WithTags("Predictions")
            .MapPost("/", Predict).Predicts().Named("predict", "Predict",
                "Step 4 of the main job: a form with parts named file, one image as the body, or JSON that names addresses of images; for a text model JSON with texts, or one text as text/plain. Uses the published version unless ?version= names another; "
                + "?top= keeps the most probable labels only; ?explain=true adds a picture (PNG) of where the most probable one is seen, which takes two "
                + "to three times as long, or for a text what each word says for it. A file that cannot be read is an entry with an error; the others are answered.")
            .WithMetadata(new FileForm(new Dictionary<string, string>(), RawImage: true, Json: typeof(UrlPredictionRequest), RawText: true))
            .Produces<PredictionResponse>().Refuses(400, 401, 404, 409, 413, 415, 422, 503);

    private static async Task<Results<Ok<PredictionResponse>, ProblemHttpResult>> Predict(
        Guid id, HttpContext http, PublishedVersions published, HeadstartDb db, HeadCache heads, Predictor predictor, [FromServices] TextAnswers texts, WebFetcher web, Settings settings, int? version, int? top, bool? explain, CancellationToken cancel)
    {
        if (top is < 1)
        {
            return Problems.Of(StatusCodes.Status400BadRequest, "invalid-top", "top must be at least 1.");
        }

        if (predictor.IsStopping)
        {
            return Busy(http, "stopping", "The host is stopping; send the request to another one, or again when this one is back.", "5");
        }

        if (await published.FindAsync(http.User, id, cancel) is not { } model)
        {
            return Problems.NoSuchModel();
        }

        if ((version ?? model.Version) is not { } number)
        {
            return Problems.NoPublishedVersion();
        }

        try
        {
            return await heads.GetAsync(db, id, number, cancel) is not { } served ? Problems.NoSuch("version", $"/api/v1/models/{id}/versions")
                : model.Kind.IsText() ? await texts.AnswerAsync(id, served, http, top ?? int.MaxValue, explain is true, cancel)
                : await AnswerAsync(id, served, http, predictor, web, settings, top ?? int.MaxValue, explain is true, cancel);
        }
        catch (Exception e) when (e is VersionUnavailableException or HeadArtifactException)
        {
            return Problems.Of(StatusCodes.Status409Conflict, "version-unavailable", e.Message);
        }
        catch (UploadRefusedException e)
        {
            return e.Problem();
        }
    }

    private static async Task<Results<Ok<PredictionResponse>, ProblemHttpResult>> AnswerAsync(
        Guid id, ServedVersion version, HttpContext http, Predictor predictor, WebFetcher web, Settings settings, int top, bool explain, CancellationToken cancel)
    {
        if (await OpenFilesAsync(http, web, settings, cancel) is not { } files)
        {
            return Problems.Of(StatusCodes.Status415UnsupportedMediaType, "unsupported-media-type",
                "Send an image as the body with its media type (curl --data-binary @cat.jpg -H 'Content-Type: image/jpeg'), multipart/form-data with parts named file, "
                + "or application/json as in {\"urls\":[\"https://…\"]}.");
        }

        var answers = new List<FilePrediction>();
        await foreach (var (file, answer) in predictor.AskAsync(http.User, version, files, explain, cancel))
        {
            if (answers.Count == settings.Predictions.MaxFiles)
            {
                return Problems.Of(StatusCodes.Status413PayloadTooLarge, "too-many-files", $"One request may have {settings.Predictions.MaxFiles} files; send the others in another one.");
            }

            if (answer is null && file.Bytes is not null)
            {
                return Overloaded(http);
            }

            answers.Add(answer is null ? FilePrediction.Failed(file.FileName, file.Unusable!.Detail) : FilePrediction.Of(version, file.FileName, answer, top));
        }

        return answers switch
        {
            [] => Problems.Invalid("no-files", "The form has no part named file, or the JSON no urls, so there was nothing to predict."),
            [{ Error: { } error }] => Problems.Of(StatusCodes.Status422UnprocessableEntity, "unreadable-image", error,
                ("modelId", id), ("version", version.Number), ("predictions", answers)),
            _ => TypedResults.Ok(new PredictionResponse(id, version.Number, answers)),
        };
    }

    internal static ProblemHttpResult Overloaded(HttpContext http) => Busy(http, "overloaded", "Too many predictions are waiting already; try again in a second.", "1");

    private static ProblemHttpResult Busy(HttpContext http, string type, string detail, string seconds)
    {
        http.Response.Headers.RetryAfter = seconds;
        return Problems.Of(StatusCodes.Status503ServiceUnavailable, type, detail);
    }

    private static async Task<IAsyncEnumerable<UploadedFile>?> OpenFilesAsync(HttpContext http, WebFetcher web, Settings settings, CancellationToken cancel)
    {
        var total = http.Features.Get<IHttpMaxRequestBodySizeFeature>();
        if (RequestBodies.Boundary(http.Request) is { } boundary)
        {
            total!.MaxRequestBodySize = null; // read one file at a time, each with its own limit
            return UploadReader.ReadAsync(http.Request, boundary, settings.Uploads.MaxFileBytes, cancel);
        }

        if (http.Request.HasJsonContentType())
        {
            var request = await Json.ReadAsync<UrlPredictionRequest>(http.Request, cancel);
            var urls = request?.Urls ?? (request?.Texts is null ? [] : throw NoTexts());
            return web.FetchAllAsync([.. urls.Take(settings.Predictions.MaxFiles + 1)], settings.Uploads.MaxFileBytes, cancel).Select(UploadedFile.Of);
        }

        total!.MaxRequestBodySize = settings.Uploads.MaxFileBytes;
        return http.Request.ContentType?.StartsWith("image/", StringComparison.OrdinalIgnoreCase) is true
            || http.Request.ContentType?.StartsWith("application/octet-stream", StringComparison.OrdinalIgnoreCase) is true
            ? One(http.Request, settings.Uploads.MaxFileBytes, cancel)
            : null;
    }

    private static UploadRefusedException NoTexts() => new(StatusCodes.Status409Conflict, "wrong-kind",
        "This model classifies images and has no answer for texts: send an image as the body, files in a form, or {\"urls\":[\"https://…\"]}.");

    private static async IAsyncEnumerable<UploadedFile> One(
        HttpRequest request, int limit, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        // Kestrel has answered 413 before more than the limit was read.
        if (request.ContentLength is not { } length)
        {
            yield return new(null!, FileContent.Of(await RequestBodies.ReadToEndAsync(request.Body, limit, cancel), limit));
            yield break;
        }

        var file = new byte[length]; // at most the limit, or Kestrel had refused it
        await request.Body.ReadExactlyAsync(file, cancel);
        yield return new(null!, new FileContent.Here(file));
    }
}
