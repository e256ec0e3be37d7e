using Headstart.Data;
using Headstart.Fetching;
using Headstart.Predictions;
using Headstart.Versions;

namespace Headstart.NanoNets;

/// <summary>Predictions for files and URLs, through the same <see cref="Predictor"/> as in the other APIs.</summary>
internal sealed class NanoPredictor(ServableVersions versions, Predictor predictor, WebFetcher web, Settings settings)
{
    private const string Success = "Success";

    /// <param name="request">Contains files, URLs or both.</param>
    /// <param name="cancel">Leaves the queue.</param>
    public async Task<IResult> AnswerAsync(HttpContext http, Guid model, NanoRequest request, CancellationToken cancel)
    {
        var found = await versions.FindAsync(http.User, model, number: null, cancel);
        return found switch
        {
            { Kind: ModelKind.TextClassification } => NanoAnswer.OfTexts(model),
            { Version: ServedDetector version } => await AnswerAsync(http, model, request, async (image, hurry) =>
                Seen.Of(version, await predictor.DetectAsync(http.User, version, image, threshold: null, hurry)), cancel),
            { Version: ServedClassifier version } => await AnswerAsync(http, model, request, async (image, hurry) =>
                Seen.Of(version, await predictor.AskAsync(http.User, version, image, explain: false, hurry)), cancel),
            { Refusal.StatusCode: StatusCodes.Status404NotFound } => NanoAnswer.NoSuchModel(),
            { Refusal.ProblemDetails: { Type: "version-unavailable", Detail: var why } } => NanoAnswer.NotReady(why),
            _ => NanoAnswer.NotReady(),
        };
    }

    private async Task<IResult> AnswerAsync(HttpContext http, Guid model, NanoRequest request,
        Func<byte[], CancellationToken, Task<Seen?>> ask, CancellationToken cancel)
    {
        var images = request.Images;
        if (images.Count == 0)
        {
            return NanoAnswer.Bad("File missing", "The request contains no image: send files in parts named file or files, URLs in "
                + "fields named urls.");
        }

        if (images.Count > settings.Predictions.MaxFiles)
        {
            return NanoAnswer.Error(StatusCodes.Status413PayloadTooLarge, "Too many files", "One request may contain "
                + $"{settings.Predictions.MaxFiles} images; send the rest in another request.");
        }

        if (predictor.IsStopping)
        {
            return NanoAnswer.Busy(http, "5", "The host is shutting down; retry on another host, or when this one is back.");
        }

        var results = new List<NanoPrediction>();
        await foreach (var (file, answer) in Predictor.AskAllAsync(request.ReadImagesAsync(web, settings.Uploads.MaxFileBytes, cancel), ask,
            cancel))
        {
            var name = images[results.Count];
            if (file.Bytes is not null && answer is null)
            {
                return NanoAnswer.Busy(http, "1", "Too many images are waiting; try again in a second.");
            }

            results.Add(answer is null ? new(file.Unusable!.Detail, [], name, name)
                : new(answer.Refusal ?? Success, answer.Labels, name, name));
        }

        var failed = results.FindAll(result => result.Message != Success);
        return failed.Count == results.Count
            ? NanoAnswer.Error(StatusCodes.Status400BadRequest,
                failed.ConvertAll(result => new NanoReason("File is not valid", $"{result.File}: {result.Message}")))
            : NanoAnswer.Of(new NanoPredictions(failed.Count == 0 ? Success : $"Partially successful: {failed.Count} of "
                + $"{results.Count} could not be read", model.ToString(), results),
                failed.Count == 0 ? StatusCodes.Status200OK : StatusCodes.Status202Accepted);
    }

    /// <param name="Refusal">Why the file cannot be read; null if it can.</param>
    private sealed record Seen(string? Refusal, List<NanoLabel> Labels)
    {
        /// <returns>null if the host is busy.</returns>
        public static Seen? Of(ServedClassifier version, Answer? answer) => answer is null ? null
            : answer.Refusal is { } refusal ? new(refusal.Detail, [])
            : new(null, [.. version.Head.Labels.Zip(answer.Probabilities, (label, p) => new NanoLabel(label, Math.Round(p, 6)))
                .OrderByDescending(label => label.Probability)]);

        /// <returns>null if the host is busy.</returns>
        public static Seen? Of(ServedDetector version, DetectionAnswer? answer) => answer is null ? null
            : answer.Detections is not { } found ? new(answer.Refusal!.Detail, [])
            : new(null, [.. found.Objects.Select(o => PredictedObject.Of(version.Labels, found, o)).Select(o => new NanoLabel(o.Label, null,
                o.Pixels.X, o.Pixels.Y, o.Pixels.X + o.Pixels.Width, o.Pixels.Y + o.Pixels.Height, o.Probability))]);
    }
}
