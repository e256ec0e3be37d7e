using System.Runtime.CompilerServices;
using System.Security.Claims;
using Headstart.Access;
using Headstart.Learning.Detection;
using Headstart.Learning.Imaging;
using Headstart.Uploads.Files;
using Headstart.Versions;

namespace Headstart.Predictions;

/// <summary>A version's prediction for one example: probabilities, or the objects that a detection model found.</summary>
/// <param name="Version">The version that predicted.</param>
/// <param name="Refusal">Why the file cannot be read; the rest is then empty.</param>
public sealed record Answer(ServedVersion Version, ImageRefusal? Refusal = null)
{
    /// <summary>In the order of the version's labels.</summary>
    public float[] Probabilities { get; init; } = [];

    /// <summary>Whether the example resembles none of the categories.</summary>
    public bool? Unknown { get; init; }

    /// <summary>What supports the most probable label, if requested.</summary>
    public ExplanationResponse? Explanation { get; init; }

    /// <summary>The objects, most probable first; null in a model that classifies.</summary>
    public Detections? Found { get; init; }

    /// <summary>The image as a JPEG with the objects drawn into it, if requested.</summary>
    public byte[]? Drawing { get; init; }
}

/// <summary>
/// From bytes to a prediction, for every model and every API on this host: decode, forward pass, head. The backbones' sessions and the
/// cores are shared, see <see cref="Cores"/>.
/// </summary>
public sealed class Predictor(Settings settings, Cores cores, FeatureMemory memory, Usage usage, Telemetry telemetry,
    IHostApplicationLifetime lifetime)
{
    private readonly ImageLimits _limits = settings.Uploads.ImageLimits;

    /// <summary>Whether new requests are refused; requests already accepted are still answered.</summary>
    public bool IsStopping => lifetime.ApplicationStopping.IsCancellationRequested;

    /// <summary>Predicts one image.</summary>
    /// <param name="caller">The caller, for a fair share of the queue.</param>
    /// <param name="query">What to explain or draw, and the threshold of objects; null for the plain prediction.</param>
    /// <param name="cancel">Leaves the queue.</param>
    /// <returns>null if the host is busy; retry later.</returns>
    public async Task<Answer?> AskAsync(ClaimsPrincipal caller, ServedVersion version, byte[] image, PredictionQuery? query,
        CancellationToken cancel)
    {
        var known = Known(version, image, keep: true);
        return Counted(caller, known is { IsWhole: true } && query?.Explain is not true
            ? Look(version, image, known, query) // no queueing: heads are small
            : await cores.RunAsync(caller.AccountId(), image.Length, () => Look(version, image, known, query), cancel));
    }

    /// <summary>Predicts one text.</summary>
    /// <param name="caller">The caller, for a fair share of the queue.</param>
    /// <param name="version">A version of a text model.</param>
    /// <param name="query">Whether to explain the most probable label; null for the plain prediction.</param>
    /// <param name="cancel">Leaves the queue.</param>
    /// <returns>null if the host is busy; retry later.</returns>
    public async Task<Answer?> AskAsync(ClaimsPrincipal caller, ServedVersion version, string text, PredictionQuery? query,
        CancellationToken cancel) =>
        Counted(caller, await cores.RunAsync(caller.AccountId(), sizeof(char) * text.Length, () =>
            Read(version, text, query, cancel), cancel));

    /// <summary>
    /// Predicts files as they arrive, in order. As many as there are cores are predicted at once while the next one is being read;
    /// abandoned predictions leave the queue.
    /// </summary>
    /// <param name="caller">The caller, for a fair share of the queue.</param>
    /// <param name="files">Files without bytes are passed through.</param>
    /// <param name="query">What to explain, and the threshold of objects; null for the plain predictions.</param>
    /// <param name="cancel">Leaves the queue.</param>
    /// <returns>Each file with its prediction; null for a file without bytes, or if the host is busy.</returns>
    public async IAsyncEnumerable<(UploadedFile File, Answer? Answer)> AskAllAsync(ClaimsPrincipal caller, ServedVersion version,
        IAsyncEnumerable<UploadedFile> files, PredictionQuery? query, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var left = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var asked = new Queue<(UploadedFile File, Task<Answer?> Answer)>();
        try
        {
            await foreach (var file in files.WithCancellation(cancel))
            {
                asked.Enqueue((file, file.Bytes is null ? Task.FromResult<Answer?>(null)
                    : AskAsync(caller, version, file.Bytes, query, left.Token)));
                if (asked.Count > Environment.ProcessorCount)
                {
                    yield return (asked.Peek().File, await asked.Dequeue().Answer);
                }
            }

            while (asked.TryPeek(out var next))
            {
                yield return (next.File, await asked.Dequeue().Answer);
            }
        }
        finally
        {
            await left.CancelAsync();
            await ((Task)Task.WhenAll(asked.Select(a => a.Answer))).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>
    /// Predicts one image immediately, on the calling thread: for background work, which calls <see cref="Cores.GiveWay"/> itself. The
    /// features are not cached, since thousands of images would evict those that repeat.
    /// </summary>
    public Answer AnswerNow(ServedVersion version, byte[] image) =>
        Look(version, image, Known(version, image, keep: false), query: null);

    /// <summary>Predicts one text immediately, on the calling thread: for background work.</summary>
    /// <param name="version">A version of a text model.</param>
    public Answer AnswerNow(ServedVersion version, string text) => Read(version, text, query: null, CancellationToken.None);

    /// <summary>Predicts an image or a text from its features.</summary>
    /// <param name="features">The features, as the version's head reads them.</param>
    public Answer AnswerNow(ServedClassifier version, float[] features)
    {
        using var timing = telemetry.Head();
        return new(version) { Probabilities = version.Head.Probabilities(features), Unknown = version.Known.IsUnknown(features) };
    }

    /// <summary>What is known of the features of an image; null for a detector, which reads the image itself.</summary>
    private KnownFeatures? Known(ServedVersion version, byte[] image, bool keep) =>
        version is ServedClassifier { Recipe: var recipe } ? memory.Find(recipe, image, keep) : null;

    private Answer Look(ServedVersion version, byte[] image, KnownFeatures? known, PredictionQuery? query)
    {
        // What is known was checked when it was computed. Damage that the header does not reveal is found by the decode that follows.
        if (known is not { IsWhole: true } && ImageReader.CheckHeader(image, _limits) is { } refusal)
        {
            return new(version, refusal);
        }

        try
        {
            return version is ServedDetector detector ? Detect(detector, image, query)
                : Classify((ServedClassifier)version, image, known!, query);
        }
        catch (ImageRefusedException e)
        {
            return new(version, e.Refusal);
        }
    }

    private Answer Detect(ServedDetector version, byte[] image, PredictionQuery? query)
    {
        Detections found;
        using (telemetry.Forward(version.Backbone.Manifest.Id))
        {
            found = Detector.Detect(version.Backbone, version.Head, image, query?.Threshold);
        }

        return new(version)
        {
            Found = found,
            Drawing = query?.Drawn is not true ? null
                : ObjectDrawing.Draw(image, [.. found.Objects.Take(query?.Top ?? int.MaxValue)], version.Labels),
        };
    }

    private Answer Classify(ServedClassifier version, byte[] image, KnownFeatures known, PredictionQuery? query)
    {
        var features = memory.Complete(known, image);
        var answer = AnswerNow(version, features);
        return query?.Explain is not true ? answer
            : answer with { Explanation = ExplanationResponse.Of(version, image, features, version.Head.Best(features)) };
    }

    private Answer Read(ServedVersion version, string text, PredictionQuery? query, CancellationToken cancel)
    {
        var classifier = (ServedClassifier)version;
        var texts = ((WordFeatures)classifier.Features).Texts;
        float[] features;
        using (telemetry.Forward(texts.Id))
        {
            features = texts.Of(text);
        }

        var answer = AnswerNow(classifier, features);
        return query?.Explain is not true ? answer
            : answer with { Explanation = ExplanationResponse.Of(classifier, text, classifier.Head.Best(features), cancel) };
    }

    private Answer? Counted(ClaimsPrincipal caller, Answer? answer)
    {
        if (answer is { Refusal: null })
        {
            usage.CountPrediction(caller);
        }

        return answer;
    }
}
