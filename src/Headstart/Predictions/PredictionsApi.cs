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
    private const string Queries = "Uses the published version unless ?version= names another. ?top= returns only the most probable "
        + "labels. ?explain=true adds a heat map (PNG) of the areas that support the most probable label, which takes two to three times "
        + "as long, or for a text the weight of each word.";

    public static void MapPredictions(this RouteGroupBuilder api)
    {
        var predictions = api.MapGroup("/models/{id:guid}/predictions").WithTags("Predictions");
        Map("/", "predict", "Predict", "Step 4 of the main job. Send a form with parts named file. A file that cannot be read gets an "
                + "error; the others are predicted. The bodies of the paths below are understood here, too.")
            .WithMetadata(new FileForm(new Dictionary<string, string>()));
        Map("/image", "predictImage", "Predict one image", "The body is the file.")
            .WithMetadata(new RawBody("", "application/octet-stream"));
        Map("/list", "predictList", "Predict URLs or texts", "The URLs of images, or for a text model texts.")
            .WithMetadata(new JsonBody(typeof(UrlPredictionRequest)), new BodyExample("""{"urls":["https://example.com/cat.jpg"]}"""));
        Map("/text", "predictText", "Predict one text", "The body is the text.").WithMetadata(new RawBody("I loved it", "text/plain"));

        RouteHandlerBuilder Map(string path, string name, string summary, string description) => predictions.MapPost(path, Predict)
            .Predicts().Named(name, summary, $"{description} {Queries}")
            .Produces<PredictionResponse>().Refuses(400, 401, 404, 409, 413, 415, 422, 503);
    }

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
