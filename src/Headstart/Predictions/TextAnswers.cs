using System.Text;
using System.Text.Unicode;
using Headstart.Operations;
using Headstart.Uploads;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Headstart.Predictions;

/// <summary>Predictions of a model of texts.</summary>
internal sealed class TextAnswers(Predictor predictor, Settings settings)
{
    private const string HowToAsk = """as JSON, as in {"texts":["I loved it"]}, or one text as text/plain""";

    /// <param name="id">Of the model.</param>
    /// <param name="version">Which answers.</param>
    /// <param name="http">Has the texts.</param>
    /// <param name="query">What is wanted of each answer.</param>
    /// <param name="cancel">Gives the places in the queue up.</param>
    /// <exception cref="UploadRefusedException">The request has no texts, or more than it may have.</exception>
    public async Task<Results<Ok<PredictionResponse>, ProblemHttpResult>> AnswerAsync(
        Guid id, ServedVersion version, HttpContext http, PredictionQuery query, CancellationToken cancel)
    {
        var answers = new List<FilePrediction>();
        foreach (var some in (await ReadAsync(http, cancel)).Chunk(Environment.ProcessorCount))
        {
            foreach (var answer in await Task.WhenAll(some.Select(text => AskAsync(version, http, text, query, cancel))))
            {
                if (answer is null)
                {
                    return PredictionsApi.Overloaded(http);
                }

                answers.Add(answer);
            }
        }

        return answers is [{ Error: { } error }] ? Problems.Of(StatusCodes.Status422UnprocessableEntity, "unreadable-text", error,
                ("modelId", id), ("version", version.Number), ("predictions", answers))
            : TypedResults.Ok(new PredictionResponse(id, version.Number, answers));
    }

    /// <returns>null where the host is busy.</returns>
    private async Task<FilePrediction?> AskAsync(ServedVersion version, HttpContext http, string? given, PredictionQuery query, CancellationToken cancel)
    {
        if (PlainText.Read(given, settings.Uploads.MaxTextBytes, out var text) is var (_, detail))
        {
            return FilePrediction.Failed(null, detail);
        }

        return await predictor.AskAsync(http.User, version, text, query.Explain is true, cancel) is { } answer
            ? FilePrediction.Of(version, null, answer, query.Top ?? int.MaxValue) with { Text = text } : null;
    }

    private async Task<IReadOnlyList<string?>> ReadAsync(HttpContext http, CancellationToken cancel)
    {
        http.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = settings.Uploads.MaxTextsBytes; // Kestrel answers 413
        var format = TextBody.FormatOf(http.Request.ContentType);
        if (format is not (TextFormat.Json or TextFormat.Lines))
        {
            throw http.Request.ContentType?.StartsWith("image/", StringComparison.OrdinalIgnoreCase) is true || format == TextFormat.Form
                ? NotImages() : new UploadRefusedException(StatusCodes.Status415UnsupportedMediaType, "unsupported-media-type", $"Send texts {HowToAsk}.");
        }

        if (format == TextFormat.Lines)
        {
            return [await ReadOneAsync(http.Request, cancel)];
        }

        var request = await Json.ReadAsync<UrlPredictionRequest>(http.Request, cancel);
        return request?.Texts switch
        {
            { Count: > 0 } texts => texts.Count <= settings.Predictions.MaxTexts ? texts : throw UploadRefusedException.TooLarge("too-many-texts",
                $"One request may have {settings.Predictions.MaxTexts:N0} texts (Headstart:Predictions:MaxTexts); send the others in another one."),
            _ when request?.Urls is not null => throw NotImages(),
            _ => throw UploadRefusedException.Invalid("no-texts", "The JSON has no texts, so there was nothing to predict."),
        };
    }

    private async Task<string> ReadOneAsync(HttpRequest request, CancellationToken cancel)
    {
        var bytes = await RequestBodies.ReadToEndAsync(request.Body, settings.Uploads.MaxTextBytes, cancel) ?? throw UploadRefusedException.TooLarge(
            "too-large", $"The text has more than {settings.Uploads.MaxTextBytes:N0} bytes (Headstart:Uploads:MaxTextBytes); send the part that says what it is about.");
        return Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : throw UploadRefusedException.Invalid("invalid-utf8", "The text is not valid UTF-8; send it as UTF-8.");
    }

    private static UploadRefusedException NotImages() => new(
        StatusCodes.Status409Conflict, "wrong-kind", $"This model classifies texts and has no answer for images: send texts {HowToAsk}.");
}
