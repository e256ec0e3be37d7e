using Headstart.Data;
using Headstart.Fetching;
using Headstart.Learning.Heads;
using Headstart.Operations;
using Headstart.Predictions;
using Headstart.Versions;

namespace Headstart.NanoNets;

/// <summary>Predictions for files and URLs, by the same <see cref="Predictor"/> as everybody's.</summary>
internal sealed class NanoLabelling(HeadstartDb db, PublishedVersions published, HeadCache heads, Predictor predictor, WebFetcher web, Settings settings)
{
    /// <param name="http">Who asks.</param>
    /// <param name="model">The model's id.</param>
    /// <param name="request">Has files, URLs or both.</param>
    /// <param name="cancel">Gives the place in the queue up.</param>
    public async Task<IResult> AnswerAsync(HttpContext http, Guid model, NanoRequest request, CancellationToken cancel)
    {
        if (await published.FindAsync(http.User, model, cancel) is not { } found)
        {
            return NanoAnswer.NoSuchModel();
        }

        if (found.Kind.IsText())
        {
            return NanoAnswer.OfTexts(model);
        }

        if (found.Version is not { } number)
        {
            return NanoAnswer.NotReady();
        }

        try
        {
            return await heads.GetAsync(db, model, number, cancel) is { } version
                ? await AnswerAsync(http, model, version, request, cancel)
                : NanoAnswer.NoSuchModel(); // deleted a moment ago
        }
        catch (Exception e) when (e is VersionUnavailableException or HeadArtifactException)
        {
            return NanoAnswer.NotReady(e.Message);
        }
    }

    private async Task<IResult> AnswerAsync(HttpContext http, Guid model, ServedVersion version, NanoRequest request, CancellationToken cancel)
    {
        var images = request.Images;
        if (images.Count == 0)
        {
            return NanoAnswer.Bad("File missing", "There is no image in the request: files go into parts named file or files, addresses into fields named urls.");
        }

        if (images.Count > settings.Predictions.MaxFiles)
        {
            return NanoAnswer.Error(StatusCodes.Status413PayloadTooLarge, "Too many files", $"One request may have {settings.Predictions.MaxFiles} images; send the others in another one.");
        }

        if (predictor.IsStopping)
        {
            return NanoAnswer.Busy(http, "5", "The host is stopping; send the request to another one, or again when this one is back.");
        }

        var results = new List<NanoPrediction>();
        await foreach (var (file, answer) in predictor.AskAsync(
            http.User, version, request.ReadImagesAsync(web, settings.Uploads.MaxFileBytes, cancel), explain: false, cancel))
        {
            var name = images[results.Count];
            if (file.Bytes is not null && answer is null)
            {
                return NanoAnswer.Busy(http, "1", "Too many images are waiting already; try again in a second.");
            }

            results.Add(answer is null ? new(file.Unusable!.Detail, [], name, name) : new(answer.Refusal?.Detail ?? "Success", Labels(version, answer), name, name));
        }

        var failed = results.FindAll(result => result.Prediction.Count == 0);
        return failed.Count == results.Count
            ? NanoAnswer.Error(StatusCodes.Status400BadRequest, failed.ConvertAll(result => new NanoReason("File is not valid", $"{result.File}: {result.Message}")))
            : NanoAnswer.Of(new NanoPredictions(failed.Count == 0 ? "Success" : $"Partially successful: {failed.Count} of {results.Count} could not be read", model.ToString(), results),
                failed.Count == 0 ? StatusCodes.Status200OK : StatusCodes.Status202Accepted);
    }

    private static List<NanoLabel> Labels(ServedVersion version, Answer answer) => answer.Refusal is not null ? []
        : [.. version.Head.Labels.Zip(answer.Probabilities, (label, p) => new NanoLabel(label, Math.Round(p, 6))).OrderByDescending(label => label.Probability)];
}
