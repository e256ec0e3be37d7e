using System.Text;
using System.Text.Unicode;
using Headstart.Uploads.Texts;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.Features;

namespace Headstart.Predictions;

/// <summary>Predictions of text models.</summary>
internal sealed class TextAnswers(Predictor predictor, Settings settings)
{
    private const string HowToAsk = """as JSON such as {"texts":["I loved it"]}, or one text as text/plain""";

    /// <param name="id">Id of the model.</param>
    /// <param name="http">Contains the texts.</param>
    /// <param name="query">Options for the predictions.</param>
    /// <param name="cancel">Leaves the queue.</param>
    /// <returns>null if the host is busy; retry later.</returns>
    /// <exception cref="RefusedException">The request contains no texts, too many, or only one, which cannot be read.</exception>
    public async Task<PredictionResponse?> AnswerAsync(
        Guid id, ServedVersion version, HttpContext http, PredictionQuery query, CancellationToken cancel)
    {
        var answers = new List<FilePrediction>();
        foreach (var chunk in (await ReadAsync(http, cancel)).Chunk(Environment.ProcessorCount))
        {
            foreach (var answer in await Task.WhenAll(chunk.Select(text => AskAsync(version, http, text, query, cancel))))
            {
                if (answer is null)
                {
                    return null;
                }

                answers.Add(answer);
            }
        }

        return PredictionResponse.Of(id, version, answers, "unreadable-text");
    }

    /// <returns>null if the host is busy.</returns>
    private async Task<FilePrediction?> AskAsync(ServedVersion version, HttpContext http, string? given, PredictionQuery query,
        CancellationToken cancel)
    {
        if (PlainText.Read(given, settings.Uploads.MaxTextBytes, out var text) is var (_, detail))
        {
            return FilePrediction.Failed(null, detail);
        }

        return await predictor.AskAsync(http.User, version, text, query, cancel) is { } answer
            ? FilePrediction.Of(answer, null, query.Top ?? int.MaxValue) with { Text = text } : null;
    }

    private async Task<IReadOnlyList<string?>> ReadAsync(HttpContext http, CancellationToken cancel)
    {
        http.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = settings.Uploads.MaxTextsBytes; // Kestrel answers 413
        var format = TextBody.FormatOf(http.Request.ContentType);
        if (format is not (TextFormat.Json or TextFormat.Lines))
        {
            throw http.Request.ContentType?.StartsWith("image/", StringComparison.OrdinalIgnoreCase) is true || format == TextFormat.Form
                ? NotImages() : new RefusedException(StatusCodes.Status415UnsupportedMediaType, "unsupported-media-type",
                    $"Send texts {HowToAsk}.");
        }

        if (format == TextFormat.Lines)
        {
            return [await ReadOneAsync(http.Request, cancel)];
        }

        var request = await Json.ReadAsync<UrlPredictionRequest>(http.Request, cancel);
        return request?.Texts switch
        {
            _ when request is { Urls.Count: > 0 } => throw NotImages(),
            { Count: > 0 } texts => texts.Count <= settings.Predictions.MaxTexts ? texts : throw RefusedException.TooLarge("too-many-texts",
                $"One request may contain {settings.Predictions.MaxTexts:N0} texts (Headstart:Predictions:MaxTexts); send the rest in "
                    + "another request."),
            _ when request?.Urls is not null => throw NotImages(),
            _ => throw RefusedException.Invalid("no-texts", "The JSON contains no texts to predict; send {\"texts\":[\"…\"]}."),
        };
    }

    private async Task<string> ReadOneAsync(HttpRequest request, CancellationToken cancel)
    {
        var bytes = await RequestBodies.ReadToEndAsync(request.Body, settings.Uploads.MaxTextBytes, cancel)
            ?? throw RefusedException.TooLarge(
            "too-large", $"The text has more than {settings.Uploads.MaxTextBytes:N0} bytes (Headstart:Uploads:MaxTextBytes); send its "
                + "most relevant part.");
        return Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes)
            : throw RefusedException.Invalid("invalid-utf8", "The text is not valid UTF-8; send it as UTF-8.");
    }

    private static RefusedException NotImages() => new(
        StatusCodes.Status409Conflict, "wrong-kind", $"This model classifies texts, not images: send texts {HowToAsk}.");
}
