using Headstart.Fetching;
using Headstart.Uploads.Bodies;
using Headstart.Uploads.Files;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Headstart.Predictions;

/// <summary>Predictions of image models.</summary>
internal sealed class ImageAnswers(Predictor predictor, WebFetcher web, Settings settings)
{
    public bool IsStopping => predictor.IsStopping;

    /// <param name="id">Id of the model.</param>
    /// <param name="http">Contains the images, or their URLs.</param>
    /// <param name="query">Options for the predictions.</param>
    /// <param name="cancel">Leaves the queue.</param>
    /// <exception cref="RefusedException">The request contains texts.</exception>
    public async Task<Results<Ok<PredictionResponse>, ProblemHttpResult>> AnswerAsync(
        Guid id, ServedVersion version, HttpContext http, PredictionQuery query, CancellationToken cancel)
    {
        if (await OpenFilesAsync(http, cancel) is not { } files)
        {
            return Unsupported();
        }

        var top = query.Top ?? int.MaxValue;
        var answers = new List<FilePrediction>();
        await foreach (var (file, answer) in Predictor.AskAllAsync(files, AskAsync, cancel))
        {
            if (answers.Count == settings.Predictions.MaxFiles)
            {
                return Problems.Of(StatusCodes.Status413PayloadTooLarge, "too-many-files", "One request may contain "
                    + $"{settings.Predictions.MaxFiles} files; send the rest in another request.");
            }

            if (answer is null && file.Bytes is not null)
            {
                return VersionProblems.Overloaded(http);
            }

            answers.Add(answer is null ? FilePrediction.Failed(file.FileName, file.Unusable!.Detail)
                : answer with { FileName = file.FileName });
        }

        return answers switch
        {
            [] => NoFiles(),
            [{ Error: { } error }] => Problems.Of(StatusCodes.Status422UnprocessableEntity, "unreadable-image", error,
                ("modelId", id), ("version", version.Number), ("predictions", answers)),
            _ => TypedResults.Ok(new PredictionResponse(id, version.Number, answers, version.ZeroShot)),
        };

        async Task<FilePrediction?> AskAsync(byte[] image, CancellationToken hurry)
        {
            if (version is ServedDetector detector)
            {
                return await predictor.DetectAsync(http.User, detector, image, query.Threshold, hurry) is not { } found ? null
                    : FilePrediction.Of(detector, null, found, top);
            }

            var classifier = (ServedClassifier)version;
            return await predictor.AskAsync(http.User, classifier, image, query.Explain is true, hurry) is not { } answer ? null
                : FilePrediction.Of(classifier, null, answer, top);
        }
    }

    /// <summary>Draws the objects that a detection model finds in an image into it, as a JPEG.</summary>
    public async Task<Results<FileContentHttpResult, ProblemHttpResult>> DrawAsync(
        ServedDetector version, HttpContext http, PredictionQuery query, CancellationToken cancel)
    {
        if (await OpenFilesAsync(http, cancel) is not { } files)
        {
            return Unsupported();
        }

        UploadedFile? image = null;
        await foreach (var file in files.WithCancellation(cancel))
        {
            if (image is not null)
            {
                return Problems.Invalid("too-many-files", "With drawn=true a request may contain one image; send the others in requests of "
                    + "their own.");
            }

            image = file;
        }

        if (image is null)
        {
            return NoFiles();
        }

        if (image.Bytes is null)
        {
            return Problems.Of(StatusCodes.Status422UnprocessableEntity, "unreadable-image", image.Unusable!.Detail);
        }

        return await predictor.DrawAsync(http.User, version, image.Bytes, query, cancel) switch
        {
            null => VersionProblems.Overloaded(http),
            { Refusal: { } refusal } => Problems.Of(StatusCodes.Status422UnprocessableEntity, "unreadable-image", refusal.Detail),
            { Jpeg: var jpeg } => TypedResults.Bytes(jpeg!, "image/jpeg"),
        };
    }

    private static ProblemHttpResult Unsupported() => Problems.Of(StatusCodes.Status415UnsupportedMediaType, "unsupported-media-type",
        "Send an image as the body with its media type (curl --data-binary @cat.jpg -H 'Content-Type: image/jpeg'), multipart/form-data "
            + "with parts named file, or application/json such as {\"urls\":[\"https://…\"]}.");

    private static ProblemHttpResult NoFiles() =>
        Problems.Invalid("no-files", "There is nothing to predict: send a form with parts named file, or JSON with urls.");

    private async Task<IAsyncEnumerable<UploadedFile>?> OpenFilesAsync(HttpContext http, CancellationToken cancel)
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
            var urls = request is { Texts.Count: > 0 } or { Texts: not null, Urls: null } ? throw NoTexts() : request?.Urls ?? [];
            return web.FetchAllAsync([.. urls.Take(settings.Predictions.MaxFiles + 1)], settings.Uploads.MaxFileBytes, cancel)
                .Select(UploadedFile.Of);
        }

        total!.MaxRequestBodySize = settings.Uploads.MaxFileBytes;
        return http.Request.ContentType?.StartsWith("image/", StringComparison.OrdinalIgnoreCase) is true
            || http.Request.ContentType?.StartsWith("application/octet-stream", StringComparison.OrdinalIgnoreCase) is true
            ? One(http.Request, settings.Uploads.MaxFileBytes, cancel)
            : null;
    }

    private static RefusedException NoTexts() => new(StatusCodes.Status409Conflict, "wrong-kind",
        "This model predicts images, not texts: send an image as the body, files in a form, or {\"urls\":[\"https://…\"]}.");

    private static async IAsyncEnumerable<UploadedFile> One(
        HttpRequest request, int limit, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        // Never as much as Content-Length says: Kestrel compares it with the limit only when the body is read, and the body may never come.
        yield return new(null!, FileContent.Of(await RequestBodies.ReadToEndAsync(request.Body, limit, cancel), limit));
    }
}
