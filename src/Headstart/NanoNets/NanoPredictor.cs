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
        var files = request.ReadImagesAsync(web, settings.Uploads.MaxFileBytes, cancel);
        await foreach (var (file, answer) in predictor.AskAllAsync(http.User, version, files, query: null, cancel))
        {
            var name = images[results.Count];
            if (file.Bytes is not null && answer is null)
            {
                return NanoAnswer.Busy(http, "1", "Too many images are waiting; try again in a second.");
            }

            var said = answer is null ? FilePrediction.Failed(name, file.Unusable!.Detail) : FilePrediction.Of(answer, name);
            results.Add(new(said.Error ?? Success, Labels(said), name, name));
        }

        var failed = results.FindAll(result => result.Message != Success);
        return failed.Count == results.Count
            ? NanoAnswer.Error(StatusCodes.Status400BadRequest,
                failed.ConvertAll(result => new NanoReason("File is not valid", $"{result.File}: {result.Message}")))
            : NanoAnswer.Of(new NanoPredictions(failed.Count == 0 ? Success : $"Partially successful: {failed.Count} of "
                + $"{results.Count} could not be read", model.ToString(), results),
                failed.Count == 0 ? StatusCodes.Status200OK : StatusCodes.Status202Accepted);
    }

    private static List<NanoLabel> Labels(FilePrediction said) =>
    [
        .. said.Labels.Select(label => new NanoLabel(label.Label, label.Probability)),
        .. (said.Objects ?? []).Select(o => new NanoLabel(o.Label, null,
            o.Pixels.X, o.Pixels.Y, o.Pixels.X + o.Pixels.Width, o.Pixels.Y + o.Pixels.Height, o.Probability)),
    ];
}
