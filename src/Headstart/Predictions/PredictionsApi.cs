using Headstart.Access;
using Headstart.Data;
using Headstart.Operations;
using Headstart.Uploads;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Headstart.Predictions;

public sealed record PredictionResponse(Guid ModelId, int Version, IReadOnlyList<FilePrediction> Predictions);

/// <param name="Urls">Addresses of images; answered in this order, each under its address as the file name.</param>
/// <param name="Texts">In a text model, in place of addresses; answered in this order.</param>
public sealed record UrlPredictionRequest(IReadOnlyList<string>? Urls = null, IReadOnlyList<string?>? Texts = null);

/// <param name="Version">Its number; the published one where it is left out.</param>
/// <param name="Top">Keep so many of the most probable labels.</param>
/// <param name="Explain">Also say where, or in which words, the most probable label is seen.</param>
public sealed record PredictionQuery(
    [property: FromQuery(Name = "version")] int? Version, [property: FromQuery(Name = "top")] int? Top, [property: FromQuery(Name = "explain")] bool? Explain);

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
        Guid id, [AsParameters] PredictionQuery query, HttpContext http, ServableVersions versions, [FromServices] ImageAnswers images, [FromServices] TextAnswers texts,
        CancellationToken cancel)
    {
        if (query.Top is < 1)
        {
            return Problems.Of(StatusCodes.Status400BadRequest, "invalid-top", "top must be at least 1.");
        }

        if (images.IsStopping)
        {
            return Busy(http, "stopping", "The host is stopping; send the request to another one, or again when this one is back.", "5");
        }

        var found = await versions.FindAsync(http.User, id, query.Version, cancel);
        if (found.Version is not { } version)
        {
            return found.Refusal!;
        }

        try
        {
            return found.Kind!.Value.IsText() ? await texts.AnswerAsync(id, version, http, query, cancel) : await images.AnswerAsync(id, version, http, query, cancel);
        }
        catch (UploadRefusedException e)
        {
            return e.Problem();
        }
    }

    internal static ProblemHttpResult Overloaded(HttpContext http) => Busy(http, "overloaded", "Too many predictions are waiting already; try again in a second.", "1");

    private static ProblemHttpResult Busy(HttpContext http, string type, string detail, string seconds)
    {
        http.Response.Headers.RetryAfter = seconds;
        return Problems.Of(StatusCodes.Status503ServiceUnavailable, type, detail);
    }
}
