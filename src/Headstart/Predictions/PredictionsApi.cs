using Headstart.Access;
using Headstart.Data;
using Headstart.Operations;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Headstart.Predictions;

public sealed record PredictionResponse(Guid ModelId, int Version, IReadOnlyList<FilePrediction> Predictions);

/// <param name="Urls">URLs of images; predictions come in this order, each with its URL as the file name.</param>
/// <param name="Texts">Texts, for a text model; predictions come in this order.</param>
public sealed record UrlPredictionRequest(IReadOnlyList<string>? Urls = null, IReadOnlyList<string?>? Texts = null);

/// <param name="Version">Number of the version; the published one by default.</param>
/// <param name="Top">Return only this many of the most probable labels.</param>
/// <param name="Explain">Also return which areas or words support the most probable label.</param>
public sealed record PredictionQuery(
    [property: FromQuery(Name = "version")] int? Version, [property: FromQuery(Name = "top")] int? Top,
    [property: FromQuery(Name = "explain")] bool? Explain);

public static class PredictionsApi
{
    public static void MapPredictions(this RouteGroupBuilder api) =>
        api.MapGroup("/models/{id:guid}/predictions").WithTags("Predictions")
            .MapPost("/", Predict).Predicts().Named("predict", "Predict",
                "Step 4 of the main job. Send a form with parts named file, one image as the body, or JSON with the URLs of images; "
                + "for a text model JSON with texts, or one text as text/plain. Uses the published version unless ?version= names "
                + "another. ?top= returns only the most probable labels. ?explain=true adds a heat map (PNG) of the areas that support "
                + "the most probable label, which takes two to three times as long, or for a text the weight of each word. A file that "
                + "cannot be read gets an error; the others are predicted.")
            .WithMetadata(new FileForm(new Dictionary<string, string>(), RawImage: true, Json: typeof(UrlPredictionRequest), RawText: true))
            .Produces<PredictionResponse>().Refuses(400, 401, 404, 409, 413, 415, 422, 503);

    private static async Task<Results<Ok<PredictionResponse>, ProblemHttpResult>> Predict(
        Guid id, [AsParameters] PredictionQuery query, HttpContext http, ServableVersions versions, [FromServices] ImageAnswers images,
        [FromServices] TextAnswers texts,
        CancellationToken cancel)
    {
        if (query.Top is < 1)
        {
            return Problems.Of(StatusCodes.Status400BadRequest, "invalid-top", "top must be at least 1.");
        }

        if (images.IsStopping)
        {
            return Busy(http, "stopping", "The host is shutting down; retry on another host, or when this one is back.", "5");
        }

        var found = await versions.FindAsync(http.User, id, query.Version, cancel);
        if (found.Version is not { } version)
        {
            return found.Refusal!;
        }

        return found.Kind!.Value.IsText() ? await texts.AnswerAsync(id, version, http, query, cancel)
            : await images.AnswerAsync(id, version, http, query, cancel);
    }

    internal static ProblemHttpResult Overloaded(HttpContext http) => Busy(http, "overloaded", "Too many predictions are waiting; try "
        + "again in a second.", "1");

    private static ProblemHttpResult Busy(HttpContext http, string type, string detail, string seconds)
    {
        http.Response.Headers.RetryAfter = seconds;
        return Problems.Of(StatusCodes.Status503ServiceUnavailable, type, detail);
    }
}
