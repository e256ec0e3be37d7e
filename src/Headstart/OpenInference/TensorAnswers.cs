using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Headstart.Access;
using Headstart.Learning.Heads;
using Headstart.Learning.Imaging;
using Headstart.Predictions;
using Headstart.Uploads.Texts;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Headstart.OpenInference;

/// <summary>Predicts the elements of a request and returns the answers as tensors, over HTTP and over gRPC.</summary>
internal sealed class TensorAnswers(Predictor predictor, Cores cores, Settings settings)
{
    /// <summary>The outputs of a version.</summary>
    public static IReadOnlyList<TensorMetadata> Describe(ServedVersion version)
    {
        if (version is not ServedClassifier { Head: { Labels.Count: var k, Thresholds: var thresholds } })
        {
            return [new("boxes", "FP32", [-1, 4]), new("scores", "FP32", [-1]), new("labels", "BYTES", [-1]), new("image", "INT32", [-1])];
        }

        List<TensorMetadata> outputs = [new("label", "BYTES", [-1]), new("probability", "FP32", [-1]),
            new("probabilities", "FP32", [-1, k]), new("unknown", "BOOL", [-1])];
        return thresholds is null ? outputs : [.. outputs, new("applies", "BOOL", [-1, k])];
    }

    /// <param name="http">Has the caller, and gets Retry-After if the host is busy.</param>
    /// <param name="request">Has its id and the requested outputs.</param>
    /// <param name="elements">Images or texts.</param>
    /// <param name="cancel">Leaves the queue.</param>
    public async Task<Results<Ok<InferResponse>, JsonHttpResult<InferError>>> AnswerAsync(
        HttpContext http, NamedVersion model, InferRequest request, IReadOnlyList<InferElement> elements, CancellationToken cancel)
    {
        // Refuse whatever can be refused before counting predictions.
        var served = model.Served!;
        var read = new List<string>();
        foreach (var (i, element) in elements.Index().Where(_ => served.ReadsTexts))
        {
            if (ReadText(element.File!, settings.Uploads.MaxTextBytes, out var text) is { } problem)
            {
                return OpenInferenceApi.Refuse(StatusCodes.Status400BadRequest, $"Text {i}: {problem}");
            }

            read.Add(text);
        }

        List<string> names = [.. Describe(served).Select(output => output.Name)];
        if (request.Outputs?.FirstOrDefault(wanted => !names.Contains(wanted.Name!)) is { } unknown)
        {
            return OpenInferenceApi.Refuse(StatusCodes.Status400BadRequest,
                $"Unknown output \"{unknown.Name}\". Available: {string.Join(", ", names)}.");
        }

        List<ResponseTensor> all;
        if (served is ServedDetector detector)
        {
            var (answers, refusal) = await AskAllAsync(http, elements, async (element, _) =>
                await FileAsync(http, element, cancel) is not { } image ? null
                : await predictor.DetectAsync(http.User, detector, image, threshold: null, cancel), answer => answer.Refusal);
            if (refusal is not null)
            {
                return refusal;
            }

            all = Outputs(detector, answers);
        }
        else
        {
            var classifier = (ServedClassifier)served;
            var (answers, refusal) = await AskAllAsync(http, elements, async (element, i) =>
                served.ReadsTexts ? await predictor.AskAsync(http.User, classifier, read[i], explain: false, cancel)
                : await FileAsync(http, element, cancel) is not { } image ? null
                : await predictor.AskAsync(http.User, classifier, image, explain: false, cancel), answer => answer.Refusal);
            if (refusal is not null)
            {
                return refusal;
            }

            all = Outputs(classifier.Head, answers);
        }

        var outputs = request.Outputs is not { Count: > 0 } wanted ? all
            : all.FindAll(output => wanted.Any(name => name.Name == output.Name));
        return TypedResults.Ok(new InferResponse(model.Name, served.Number.ToString(CultureInfo.InvariantCulture), request.Id, outputs));
    }

    /// <summary>The file of an image; one is made of pixels on a core, when it is the account's turn.</summary>
    /// <returns>null if too much is waiting.</returns>
    private async Task<byte[]?> FileAsync(HttpContext http, InferElement image, CancellationToken cancel) => image.File
        // Pixels may be larger than the largest file, but must never be too large for an empty queue.
        ?? await cores.RunAsync(http.User.AccountId(), Math.Min(image.Pixels.Length, settings.Uploads.MaxFileBytes),
            () => ImageReader.Png(image.Pixels, image.Width, image.Height), cancel);

    private async Task<(List<T> Answers, JsonHttpResult<InferError>? Refusal)> AskAllAsync<T>(HttpContext http,
        IReadOnlyList<InferElement> elements, Func<InferElement, int, Task<T?>> ask, Func<T, ImageRefusal?> refused)
        where T : class
    {
        var answers = new List<T>();
        foreach (var (i, element) in elements.Index())
        {
            if (predictor.IsStopping || await ask(element, i) is not { } answer)
            {
                http.Response.Headers.RetryAfter = "1";
                return ([], OpenInferenceApi.Refuse(StatusCodes.Status503ServiceUnavailable,
                    "Too many predictions are waiting, or the host is shutting down; try again in a second."));
            }

            if (refused(answer) is { } refusal)
            {
                return ([], OpenInferenceApi.Refuse(StatusCodes.Status400BadRequest, $"Image {i}: {refusal.Detail}"));
            }

            answers.Add(answer);
        }

        return (answers, null);
    }

    /// <returns>Why the text is refused.</returns>
    private static string? ReadText(byte[] element, int maxBytes, out string text)
    {
        text = "";
        return Utf8.IsValid(element) ? PlainText.Read(Encoding.UTF8.GetString(element), maxBytes, out text)?.Detail
            : "The text is not valid UTF-8.";
    }

    private static List<ResponseTensor> Outputs(ServedDetector version, List<DetectionAnswer> answers)
    {
        var found = answers.SelectMany((sighting, i) => sighting.Detections!.Objects.Select(o => (Image: i, Object: o))).ToList();
        return
        [
            new("boxes", "FP32", [found.Count, 4], found.SelectMany(f => (float[])[f.Object.Box.X, f.Object.Box.Y, f.Object.Box.Width,
                f.Object.Box.Height]).ToArray()),
            new("scores", "FP32", [found.Count], found.Select(f => f.Object.Probability).ToArray()),
            new("labels", "BYTES", [found.Count], found.Select(f => version.Labels[f.Object.Category]).ToArray()),
            new("image", "INT32", [found.Count], found.Select(f => f.Image).ToArray()),
        ];
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
