using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Headstart.Access;
using Headstart.Learning.Detection;
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
    public static IReadOnlyList<TensorMetadata> Describe(ServedVersion version) => [.. OutputsOf(version).Select(output => output.Of)];

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

        var outputs = OutputsOf(served);
        if (request.Outputs?.FirstOrDefault(wanted => !outputs.Any(output => output.Of.Name == wanted.Name)) is { } unknown)
        {
            return OpenInferenceApi.Refuse(StatusCodes.Status400BadRequest,
                $"Unknown output \"{unknown.Name}\". Available: {string.Join(", ", outputs.Select(output => output.Of.Name))}.");
        }

        var answers = new List<Answer>();
        for (var i = 0; i < elements.Count; i++)
        {
            if (predictor.IsStopping || await (served.ReadsTexts
                ? predictor.AskAsync(http.User, served, read[i], query: null, cancel)
                : AskAsync(http, served, elements[i], cancel)) is not { } answer)
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

        var all = request.Outputs is not { Count: > 0 } some ? outputs
            : outputs.Where(output => some.Any(wanted => wanted.Name == output.Of.Name));
        return TypedResults.Ok(new InferResponse(model.Name, served.Number.ToString(CultureInfo.InvariantCulture), request.Id,
            [.. all.Select(output => output.Filled(answers))]));
    }

    /// <returns>null if too much is waiting.</returns>
    private async Task<Answer?> AskAsync(HttpContext http, ServedVersion version, InferElement image, CancellationToken cancel) =>
        (image.File ?? await FileAsync(http, image, cancel)) is { } file
            ? await predictor.AskAsync(http.User, version, file, query: null, cancel) : null;

    /// <summary>Makes a file of pixels on a core, when it is the account's turn.</summary>
    /// <returns>null if too much is waiting.</returns>
    private Task<byte[]?> FileAsync(HttpContext http, InferElement image, CancellationToken cancel) =>
        // Pixels may be larger than the largest file, but must never be too large for an empty queue.
        cores.RunAsync(http.User.AccountId(), Math.Min(image.Pixels.Length, settings.Uploads.MaxFileBytes),
            () => ImageReader.Png(image.Pixels, image.Width, image.Height), cancel);

    /// <returns>Why the text is refused.</returns>
    private static string? ReadText(byte[] element, int maxBytes, out string text)
    {
        text = "";
        return Utf8.IsValid(element) ? PlainText.Read(Encoding.UTF8.GetString(element), maxBytes, out text)?.Detail
            : "The text is not valid UTF-8.";
    }

    private static List<Output> OutputsOf(ServedVersion version)
    {
        var (labels, k) = (version.Labels, version.Labels.Count);
        if (version is ServedDetector)
        {
            return
            [
                new(new("boxes", "FP32", [-1, 4]), answers => ObjectsIn(answers)
                    .SelectMany(o => (float[])[o.Found.Box.X, o.Found.Box.Y, o.Found.Box.Width, o.Found.Box.Height]).ToArray()),
                new(new("scores", "FP32", [-1]), answers => ObjectsIn(answers).Select(o => o.Found.Probability).ToArray()),
                new(new("labels", "BYTES", [-1]), answers => ObjectsIn(answers).Select(o => labels[o.Found.Category]).ToArray()),
                new(new("image", "INT32", [-1]), answers => ObjectsIn(answers).Select(o => o.Image).ToArray()),
            ];
        }

        List<Output> outputs =
        [
            new(new("label", "BYTES", [-1]), answers => answers.Select(answer => labels[Best(answer)]).ToArray()),
            new(new("probability", "FP32", [-1]), answers => answers.Select(answer => answer.Probabilities[Best(answer)]).ToArray()),
            new(new("probabilities", "FP32", [-1, k]), answers => answers.SelectMany(answer => answer.Probabilities).ToArray()),
            new(new("unknown", "BOOL", [-1]), answers => answers.Select(answer => answer.Unknown is true).ToArray()),
        ];
        return version.Thresholds is not { } thresholds ? outputs : [.. outputs, new(new("applies", "BOOL", [-1, k]),
            answers => answers.SelectMany(answer => answer.Probabilities.Zip(thresholds, (p, from) => p >= from)).ToArray())];
    }

    private static int Best(Answer answer) => Array.IndexOf(answer.Probabilities, answer.Probabilities.Max());

    private static IEnumerable<(int Image, DetectedObject Found)> ObjectsIn(IEnumerable<Answer> answers) =>
        answers.SelectMany((answer, i) => answer.Found!.Objects.Select(found => (i, found)));

    /// <param name="Of">Its shape is -1 for any number of elements, perhaps followed by their length.</param>
    /// <param name="Values">Its elements, flat.</param>
    private sealed record Output(TensorMetadata Of, Func<IReadOnlyList<Answer>, Array> Values)
    {
        public ResponseTensor Filled(IReadOnlyList<Answer> answers)
        {
            var values = Values(answers);
            return new(Of.Name, Of.Datatype, Of.Shape is [_, var length] ? [values.Length / length, length] : [values.Length], values);
        }
    }
}
