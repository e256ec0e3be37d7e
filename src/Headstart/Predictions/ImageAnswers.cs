using Headstart.Fetching;
using Headstart.Uploads.Bodies;
using Headstart.Uploads.Files;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.Features;

namespace Headstart.Predictions;

/// <summary>Predictions of image models.</summary>
internal sealed class ImageAnswers(Predictor predictor, WebFetcher web, Settings settings)
{
    public bool IsStopping => predictor.IsStopping;

    /// <param name="id">Id of the model.</param>
    /// <param name="http">Contains the images, or their URLs.</param>
    /// <param name="query">Options for the predictions.</param>
    /// <param name="cancel">Leaves the queue.</param>
    /// <returns>null if the host is busy; retry later.</returns>
    /// <exception cref="RefusedException">The request contains no images, too many, or only one, which cannot be read.</exception>
    public async Task<PredictionResponse?> AnswerAsync(
        Guid id, ServedVersion version, HttpContext http, PredictionQuery query, CancellationToken cancel)
    {
        var files = await OpenFilesAsync(http, cancel);
        var answers = new List<FilePrediction>();
        await foreach (var (file, answer) in predictor.AskAllAsync(http.User, version, files, query, cancel))
        {
            if (answers.Count == settings.Predictions.MaxFiles)
            {
                throw RefusedException.TooLarge("too-many-files", $"One request may contain {settings.Predictions.MaxFiles} files; send "
                    + "the rest in another request.");
            }

            if (answer is null && file.Bytes is not null)
            {
                return null;
            }

            answers.Add(answer is null ? FilePrediction.Failed(file.FileName, file.Unusable!.Detail)
                : FilePrediction.Of(answer, file.FileName, query.Top ?? int.MaxValue));
        }

        return answers.Count == 0 ? throw NoFiles() : PredictionResponse.Of(id, version, answers, "unreadable-image");
    }

    /// <summary>Draws the objects that a detection model finds in an image into it.</summary>
    /// <returns>A JPEG; null if the host is busy.</returns>
    /// <exception cref="RefusedException">The request does not contain exactly one image, or it cannot be read.</exception>
    public async Task<byte[]?> DrawAsync(ServedVersion version, HttpContext http, PredictionQuery query, CancellationToken cancel)
    {
        UploadedFile? image = null;
        await foreach (var file in (await OpenFilesAsync(http, cancel)).WithCancellation(cancel))
        {
            image = image is null ? file : throw RefusedException.Invalid("too-many-files", "With drawn=true a request may contain one "
                + "image; send the others in requests of their own.");
        }

        var bytes = (image ?? throw NoFiles()).Bytes ?? throw Unreadable(image.Unusable!.Detail);
        var answer = await predictor.AskAsync(http.User, version, bytes, query, cancel);
        return answer?.Refusal is { } refusal ? throw Unreadable(refusal.Detail) : answer?.Drawing;
    }

    private async Task<IAsyncEnumerable<UploadedFile>> OpenFilesAsync(HttpContext http, CancellationToken cancel)
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

        var limit = settings.Uploads.MaxFileBytes;
        total!.MaxRequestBodySize = limit;
        if (http.Request.ContentType?.StartsWith("image/", StringComparison.OrdinalIgnoreCase) is not true
            && http.Request.ContentType?.StartsWith("application/octet-stream", StringComparison.OrdinalIgnoreCase) is not true)
        {
            throw Unsupported();
        }

        // Memory grows with what arrives: Kestrel compares Content-Length with the limit only when the body is read, and it may never come.
        var content = FileContent.Of(await RequestBodies.ReadToEndAsync(http.Request.Body, limit, cancel), limit);
        return new[] { new UploadedFile(null!, content) }.ToAsyncEnumerable();
    }

    private static RefusedException Unsupported() => new(StatusCodes.Status415UnsupportedMediaType, "unsupported-media-type",
        "Send an image as the body with its media type (curl --data-binary @cat.jpg -H 'Content-Type: image/jpeg'), multipart/form-data "
            + "with parts named file, or application/json such as {\"urls\":[\"https://…\"]}.");

    private static RefusedException NoFiles() =>
        RefusedException.Invalid("no-files", "There is nothing to predict: send a form with parts named file, or JSON with urls.");

    private static RefusedException Unreadable(string why) => RefusedException.Invalid("unreadable-image", why);

    private static RefusedException NoTexts() => new(StatusCodes.Status409Conflict, "wrong-kind",
        "This model predicts images, not texts: send an image as the body, files in a form, or {\"urls\":[\"https://…\"]}.");
}
