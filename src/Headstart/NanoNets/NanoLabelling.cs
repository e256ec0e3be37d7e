using Headstart.Data;
using Headstart.Fetching;
using Headstart.Operations;
using Headstart.Predictions;
using Headstart.Versions;

namespace Headstart.NanoNets;

/// <summary>Predictions for files and URLs, by the same <see cref="Predictor"/> as in the other APIs.</summary>
internal sealed class NanoLabelling(ServableVersions versions, Predictor predictor, WebFetcher web, Settings settings)
{
    /// <param name="http">The request.</param>
    /// <param name="model">The model's id.</param>
    /// <param name="request">Contains files, URLs or both.</param>
    /// <param name="cancel">Gives up the place in the queue.</param>
    public async Task<IResult> AnswerAsync(HttpContext http, Guid model, NanoRequest request, CancellationToken cancel)
    {
        var found = await versions.FindAsync(http.User, model, number: null, cancel);
        return found switch
        {
            { Kind: ModelKind.TextClassification } => NanoAnswer.OfTexts(model),
            { Version: { } version } => await AnswerAsync(http, model, version, request, cancel),
            { Refusal.StatusCode: StatusCodes.Status404NotFound } => NanoAnswer.NoSuchModel(),
            { Refusal.ProblemDetails: { Type: "version-unavailable", Detail: var why } } => NanoAnswer.NotReady(why),
            _ => NanoAnswer.NotReady(),
        };
    }

    private async Task<IResult> AnswerAsync(HttpContext http, Guid model, ServedVersion version, NanoRequest request,
        CancellationToken cancel)
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
        await foreach (var (file, answer) in predictor.AskAsync(
            http.User, version, request.ReadImagesAsync(web, settings.Uploads.MaxFileBytes, cancel), explain: false, cancel))
        {
            var name = images[results.Count];
            if (file.Bytes is not null && answer is null)
            {
                return NanoAnswer.Busy(http, "1", "Too many images are waiting; try again in a second.");
            }

            results.Add(answer is null ? new(file.Unusable!.Detail, [], name, name)
                : new(answer.Refusal?.Detail ?? "Success", Labels(version, answer), name, name));
        }

        var failed = results.FindAll(result => result.Prediction.Count == 0);
        return failed.Count == results.Count
            ? NanoAnswer.Error(StatusCodes.Status400BadRequest,
                failed.ConvertAll(result => new NanoReason("File is not valid", $"{result.File}: {result.Message}")))
            : NanoAnswer.Of(new NanoPredictions(failed.Count == 0 ? "Success" : $"Partially successful: {failed.Count} of "
                + $"{results.Count} could not be read", model.ToString(), results),
                failed.Count == 0 ? StatusCodes.Status200OK : StatusCodes.Status202Accepted);
    }

    private static List<NanoLabel> Labels(ServedVersion version, Answer answer) => answer.Refusal is not null ? []
        : [.. version.Head.Labels.Zip(answer.Probabilities, (label, p) => new NanoLabel(label, Math.Round(p, 6)))
            .OrderByDescending(label => label.Probability)];
}
