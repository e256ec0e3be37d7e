using System.Text.Json.Serialization;
using Headstart.Access;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Headstart.Predictions;

/// <param name="ZeroShot">true for a version that has learned from no image and predicts from the words of its categories alone: its
/// probabilities are not calibrated, and it marks nothing as unknown. Otherwise absent.</param>
public sealed record PredictionResponse(Guid ModelId, int Version, IReadOnlyList<FilePrediction> Predictions,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool ZeroShot = false)
{
    /// <param name="unreadable">Type of the problem if there is only one file or text, and it could not be read.</param>
    /// <exception cref="RefusedException">That is so.</exception>
    internal static PredictionResponse Of(Guid model, ServedVersion version, IReadOnlyList<FilePrediction> predictions,
        string unreadable) => predictions is [{ Error: { } error }]
        ? throw new RefusedException(Problems.Of(StatusCodes.Status422UnprocessableEntity, unreadable, error,
            ("modelId", model), ("version", version.Number), ("predictions", predictions)))
        : new(model, version.Number, predictions, version.ZeroShot);
}

/// <param name="Urls">URLs of images; predictions come in this order, each with its URL as the file name.</param>
/// <param name="Texts">Texts, for a text model; predictions come in this order.</param>
public sealed record UrlPredictionRequest(IReadOnlyList<string>? Urls = null, IReadOnlyList<string?>? Texts = null);

/// <param name="Version">Number of the version; the published one by default.</param>
/// <param name="Top">Return only this many of the most probable labels, or objects.</param>
/// <param name="Explain">Also return which areas or words support the most probable label. Not for detection models.</param>
/// <param name="Threshold">In a detection model, the minimum probability of an object, 0 to 1; by default each category has its own, at
/// which its F1 is highest.</param>
/// <param name="Drawn">In a detection model, answer with a JPEG of the image with its objects drawn into it, as <c>/drawn</c>
/// does.</param>
public sealed record PredictionQuery(
    [property: FromQuery(Name = "version")] int? Version, [property: FromQuery(Name = "top")] int? Top,
    [property: FromQuery(Name = "explain")] bool? Explain, [property: FromQuery(Name = "threshold")] float? Threshold,
    [property: FromQuery(Name = "drawn")] bool? Drawn)
{
    /// <summary>Why the options do not suit the model; null if they do.</summary>
    internal ProblemHttpResult? Refuse(ServedVersion version) => version switch
    {
        ServedDetector when Explain is true => Problems.Of(StatusCodes.Status409Conflict, "no-explanation", "A detection model has no "
            + "explanations: its boxes show where the objects are. Omit explain."),
        ServedClassifier when Threshold is not null || Drawn is true => Problems.Of(StatusCodes.Status409Conflict, "no-objects",
            "threshold and drawn are for models of the kind objectDetection; omit them."),
        _ => Threshold is not null and not (>= 0 and <= 1) ? Problems.Of(StatusCodes.Status400BadRequest, "invalid-threshold",
            "threshold must be from 0 to 1.") : null,
    };
}

public static class PredictionsApi
{
    private const string Queries = "Uses the published version unless ?version= names another. ?top= returns only the most probable "
        + "labels. ?explain=true adds a heat map (PNG) of the areas that support the most probable label, which takes two to three times "
        + "as long, or for a text the weight of each word. A detection model answers with objects instead of labels: ?threshold= sets "
        + "their minimum probability.";

    public static void MapPredictions(this RouteGroupBuilder api)
    {
        var predictions = api.MapGroup("/models/{id:guid}/predictions").WithTags("Predictions");
        Map("/", "predict", "Predict", "Step 4 of the main job. Send a form with parts named file. A file that cannot be read gets an "
                + "error; the others are predicted. The bodies of the paths below are accepted here, too.")
            .WithMetadata(new FileForm(new Dictionary<string, string>()));
        Map("/image", "predictImage", "Predict one image", "The body is the file.")
            .WithMetadata(new RawBody("", "application/octet-stream"));
        Map("/list", "predictList", "Predict URLs or texts", "The URLs of images, or for a text model texts.")
            .WithMetadata(new JsonBody(typeof(UrlPredictionRequest)), new BodyExample("""{"urls":["https://example.com/cat.jpg"]}"""));
        Map("/text", "predictText", "Predict one text", "The body is the text.").WithMetadata(new RawBody("I loved it", "text/plain"));

        predictions.MapPost("/drawn", Draw).Predicts().Named("predictDrawn", "Find objects and draw them", "The body is the file, or a "
                + "form with one part named file. Returns the image as a JPEG with the objects that a detection model finds: each has a "
                + "box in the colour of its category, with name and probability if the system has a font.")
            .WithMetadata(new RawBody("", "application/octet-stream"))
            .Produces<byte[]>(200, "image/jpeg").Refuses(400, 401, 404, 409, 413, 415, 422, 503);

        RouteHandlerBuilder Map(string path, string name, string summary, string description) => predictions.MapPost(path, Predict)
            .Predicts().Named(name, summary, $"{description} {Queries}")
            .Produces<PredictionResponse>().Refuses(400, 401, 404, 409, 413, 415, 422, 503);
    }

    private static async Task<Results<Ok<PredictionResponse>, FileContentHttpResult, ProblemHttpResult>> Predict(
        Guid id, [AsParameters] PredictionQuery query, HttpContext http, ServableVersions versions, [FromServices] ImageAnswers images,
        [FromServices] TextAnswers texts, CancellationToken cancel)
    {
        if (query.Top is < 1)
        {
            return Problems.Of(StatusCodes.Status400BadRequest, "invalid-top", "top must be at least 1.");
        }

        if (images.IsStopping)
        {
            return VersionProblems.Stopping(http);
        }

        var found = await versions.FindAsync(http.User, id, query.Version, cancel);
        if (found.Version is not { } version)
        {
            return found.Refusal!;
        }

        if (query.Refuse(version) is { } refusal)
        {
            return refusal;
        }

        if (query.Drawn is true)
        {
            return await images.DrawAsync(version, http, query, cancel) is { } picture ? TypedResults.Bytes(picture, "image/jpeg")
                : VersionProblems.Overloaded(http);
        }

        var answer = version.ReadsTexts ? await texts.AnswerAsync(id, version, http, query, cancel)
            : await images.AnswerAsync(id, version, http, query, cancel);
        return answer is null ? VersionProblems.Overloaded(http) : TypedResults.Ok(answer);
    }

    private static async Task<IResult> Draw(
        Guid id, [AsParameters] PredictionQuery query, HttpContext http, ServableVersions versions, [FromServices] ImageAnswers images,
        [FromServices] TextAnswers texts, CancellationToken cancel) =>
        await Predict(id, query with { Drawn = true }, http, versions, images, texts, cancel);
}
