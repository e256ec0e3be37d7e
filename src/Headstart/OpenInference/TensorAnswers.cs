using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Headstart.Learning.Heads;
using Headstart.Operations;
using Headstart.Predictions;
using Headstart.Uploads;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Headstart.OpenInference;

/// <summary>Predicts the elements of a request and puts the answers into tensors, over HTTP and over gRPC.</summary>
internal sealed class TensorAnswers(Predictor predictor, Settings settings)
{
    /// <param name="http">For the caller, and for how long to wait if the host is busy.</param>
    /// <param name="model">The version to use.</param>
    /// <param name="request">For its id and the outputs that it wants.</param>
    /// <param name="elements">Files, or texts in UTF-8.</param>
    /// <param name="cancel">Gives up the places in the queue.</param>
    public async Task<Results<Ok<InferResponse>, JsonHttpResult<InferError>>> AnswerAsync(
        HttpContext http, NamedVersion model, InferRequest request, IReadOnlyList<byte[]> elements, CancellationToken cancel)
    {
        // Refuse whatever can be refused before counting predictions.
        var served = model.Served!;
        var texts = served.Features is WordFeatures;
        var read = new List<string>();
        foreach (var (i, element) in elements.Index().Where(_ => texts))
        {
            if (ReadText(element, settings.Uploads.MaxTextBytes, out var text) is { } problem)
            {
                return OpenInferenceApi.Refuse(StatusCodes.Status400BadRequest, $"Text {i}: {problem}");
            }

            read.Add(text);
        }

        List<string> names = [.. Outputs(served.Head, []).Select(output => output.Name)];
        if (request.Outputs?.FirstOrDefault(wanted => !names.Contains(wanted.Name!)) is { } unknown)
        {
            return OpenInferenceApi.Refuse(StatusCodes.Status400BadRequest,
                $"Unknown output \"{unknown.Name}\". Available: {string.Join(", ", names)}.");
        }

        var answers = new List<Answer>();
        foreach (var (i, element) in elements.Index())
        {
            if (predictor.IsStopping || await (texts ? predictor.AskAsync(http.User, served, read[i], explain: false, cancel)
                : predictor.AskAsync(http.User, served, element, explain: false, cancel)) is not { } answer)
            {
                http.Response.Headers.RetryAfter = "1";
                return OpenInferenceApi.Refuse(StatusCodes.Status503ServiceUnavailable,
                    "Too many predictions are waiting, or the host is shutting down; try again in a second.");
            }

            if (answer.Refusal is { } refusal)
            {
                return OpenInferenceApi.Refuse(StatusCodes.Status400BadRequest, $"Image {i}: {refusal.Detail}");
            }

            answers.Add(answer);
        }

        var all = Outputs(served.Head, answers);
        var outputs = request.Outputs is not { Count: > 0 } wanted ? all
            : all.FindAll(output => wanted.Any(name => name.Name == output.Name));
        return TypedResults.Ok(new InferResponse(model.Name, served.Number.ToString(CultureInfo.InvariantCulture), request.Id, outputs));
    }

    /// <returns>Why the text is refused.</returns>
    private static string? ReadText(byte[] element, int maxBytes, out string text)
    {
        text = "";
        return Utf8.IsValid(element) ? PlainText.Read(Encoding.UTF8.GetString(element), maxBytes, out text)?.Detail
            : "The text is not valid UTF-8.";
    }

    private static List<ResponseTensor> Outputs(Head head, List<Answer> answers)
    {
        var (n, k) = (answers.Count, head.Labels.Count);
        int[] best = [.. answers.Select(answer => Array.IndexOf(answer.Probabilities, answer.Probabilities.Max()))];
        List<ResponseTensor> outputs =
        [
            new("label", "BYTES", [n], best.Select(label => head.Labels[label]).ToArray()),
            new("probability", "FP32", [n], answers.Select((answer, i) => answer.Probabilities[best[i]]).ToArray()),
            new("probabilities", "FP32", [n, k], answers.SelectMany(answer => answer.Probabilities).ToArray()),
            new("unknown", "BOOL", [n], answers.Select(answer => answer.Unknown).ToArray()),
        ];
        if (head.Thresholds is { } thresholds)
        {
            outputs.Add(new("applies", "BOOL", [n, k],
                answers.SelectMany(answer => answer.Probabilities.Zip(thresholds, (p, from) => p >= from)).ToArray()));
        }

        return outputs;
    }
}
