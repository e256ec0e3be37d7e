using System.Runtime.CompilerServices;
using System.Security.Claims;
using System.Security.Cryptography;
using Headstart.Access;
using Headstart.Learning.Backbones;
using Headstart.Learning.Detection;
using Headstart.Learning.Imaging;
using Headstart.Uploads.Files;
using Headstart.Versions;

namespace Headstart.Predictions;

/// <summary>A version's prediction for one example.</summary>
/// <param name="Refusal">Why the file cannot be read; the rest is then empty.</param>
/// <param name="Features">The example's features, as the version's head reads them.</param>
/// <param name="Probabilities">In the order of the head's labels.</param>
/// <param name="Unknown">Whether the example resembles none of the categories.</param>
/// <param name="Explanation">What supports the most probable label, if requested.</param>
public sealed record Answer(ImageRefusal? Refusal, float[] Features, float[] Probabilities, bool Unknown, ExplanationResponse? Explanation);

/// <summary>What a version found in one image.</summary>
/// <param name="Refusal">Why the file cannot be read; the rest is then empty.</param>
/// <param name="Detections">The objects, most probable first.</param>
public sealed record DetectionAnswer(ImageRefusal? Refusal, Detections? Detections);

/// <summary>An image with the objects found in it drawn into it.</summary>
/// <param name="Refusal">Why the file cannot be read; the rest is then empty.</param>
public sealed record DrawnImage(ImageRefusal? Refusal, byte[]? Jpeg);

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
    /// <param name="explain">Also explain the most probable label.</param>
    /// <param name="cancel">Leaves the queue.</param>
    /// <returns>null if the host is busy; retry later.</returns>
    public async Task<Answer?> AskAsync(ClaimsPrincipal caller, ServedClassifier version, byte[] image, bool explain,
        CancellationToken cancel)
    {
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(image));
        var known = version.Recipe.Backbones.Select(backbone => memory.Find(backbone, sha256)).ToArray();
        return WithUsage(caller, !explain && !known.Contains(null)
            ? Classify(version, version.Recipe.Assemble(known!), null) // no queueing: heads are small
            : await cores.RunAsync(caller.AccountId(), image.Length, () => Predict(version, image, sha256, known, explain), cancel));
    }

    /// <summary>Predicts one text.</summary>
    /// <param name="caller">The caller, for a fair share of the queue.</param>
    /// <param name="version">A version of a text model.</param>
    /// <param name="explain">Also return the weight of each word for the most probable label.</param>
    /// <param name="cancel">Leaves the queue.</param>
    /// <returns>null if the host is busy; retry later.</returns>
    public async Task<Answer?> AskAsync(ClaimsPrincipal caller, ServedClassifier version, string text, bool explain,
        CancellationToken cancel) =>
        WithUsage(caller, await cores.RunAsync(caller.AccountId(), sizeof(char) * text.Length, () =>
            Read(version, text, explain, cancel), cancel));

    /// <summary>Finds the objects in one image.</summary>
    /// <param name="caller">The caller, for a fair share of the queue.</param>
    /// <param name="threshold">Minimum probability; null for each category's own.</param>
    /// <param name="cancel">Leaves the queue.</param>
    /// <returns>null if the host is busy; retry later.</returns>
    public async Task<DetectionAnswer?> DetectAsync(ClaimsPrincipal caller, ServedDetector version, byte[] image, float? threshold,
        CancellationToken cancel) =>
        WithUsage(caller, await cores.RunAsync(caller.AccountId(), image.Length, () => DetectNow(version, image, threshold), cancel),
            answer => answer.Refusal);

    /// <summary>Finds the objects in one image and draws them into it.</summary>
    /// <param name="caller">The caller, for a fair share of the queue.</param>
    /// <param name="query">Which objects to draw.</param>
    /// <param name="cancel">Leaves the queue.</param>
    /// <returns>null if the host is busy; retry later.</returns>
    public async Task<DrawnImage?> DrawAsync(ClaimsPrincipal caller, ServedDetector version, byte[] image, PredictionQuery query,
        CancellationToken cancel)
    {
        return WithUsage(caller, await cores.RunAsync(caller.AccountId(), image.Length, () =>
        {
            var (refusal, found) = DetectNow(version, image, query.Threshold);
            return new DrawnImage(refusal, found is null ? null
                : ObjectDrawing.Draw(image, [.. found.Objects.Take(query.Top ?? int.MaxValue)], version.Labels));
        }, cancel), drawn => drawn.Refusal);
    }

    /// <summary>Finds the objects in one image immediately, on the calling thread: for background work.</summary>
    /// <param name="threshold">Minimum probability; null for each category's own.</param>
    public DetectionAnswer DetectNow(ServedDetector version, byte[] image, float? threshold)
    {
        if (ImageReader.CheckHeader(image, _limits) is { } refusal)
        {
            return new(refusal, null);
        }

        try
        {
            using (telemetry.Forward(version.Backbone.Manifest.Id))
            {
                return new(null, Detector.Detect(version.Backbone, version.Head, image, threshold));
            }
        }
        catch (ImageRefusedException e)
        {
            return new(e.Refusal, null);
        }
    }

    /// <summary>
    /// Predicts files as they arrive, in order. As many as there are cores are predicted at once while the next one is being read;
    /// abandoned predictions leave the queue.
    /// </summary>
    /// <param name="files">Files without bytes are passed through.</param>
    /// <param name="ask">Predicts one image.</param>
    /// <param name="cancel">Leaves the queue.</param>
    /// <returns>Each file with its prediction; null for a file without bytes, or if the host is busy.</returns>
    public static async IAsyncEnumerable<(UploadedFile File, T? Answer)> AskAllAsync<T>(IAsyncEnumerable<UploadedFile> files,
        Func<byte[], CancellationToken, Task<T?>> ask, [EnumeratorCancellation] CancellationToken cancel)
        where T : class
    {
        using var left = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var asked = new Queue<(UploadedFile File, Task<T?> Answer)>();
        try
        {
            await foreach (var file in files.WithCancellation(cancel))
            {
                asked.Enqueue((file, file.Bytes is null ? Task.FromResult<T?>(null) : ask(file.Bytes, left.Token)));
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
    public Answer AnswerNow(ServedClassifier version, byte[] image)
    {
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(image));
        return Predict(version, image, null, [.. version.Recipe.Backbones.Select(backbone => memory.Find(backbone, sha256))],
            explain: false);
    }

    /// <summary>Predicts one text immediately, on the calling thread: for background work.</summary>
    /// <param name="version">A version of a text model.</param>
    public Answer AnswerNow(ServedClassifier version, string text) =>
        Read(version, text, explain: false, CancellationToken.None);

    /// <summary>Predicts an image from its features.</summary>
    /// <param name="features">The features, as the version's head reads them.</param>
    public Answer Classify(ServedClassifier version, float[] features) => Classify(version, features, null);

    private Answer Read(ServedClassifier version, string text, bool explain, CancellationToken cancel)
    {
        var texts = ((WordFeatures)version.Features).Texts;
        float[] features;
        using (telemetry.Forward(texts.Id))
        {
            features = texts.Of(text);
        }

        var answer = Classify(version, features);
        return explain ? answer with { Explanation = ExplanationResponse.Of(version, text, version.Head.Best(features), cancel) } : answer;
    }

    private Answer? WithUsage(ClaimsPrincipal caller, Answer? answer) => WithUsage(caller, answer, known => known.Refusal);

    private T? WithUsage<T>(ClaimsPrincipal caller, T? answer, Func<T, ImageRefusal?> refusal)
        where T : class
    {
        if (answer is not null && refusal(answer) is null)
        {
            usage.CountPrediction(caller);
        }

        return answer;
    }

    /// <summary>Runs on a worker thread.</summary>
    /// <param name="sha256">Cache key of the features; null not to cache them.</param>
    private Answer Predict(ServedClassifier version, byte[] image, string? sha256, float[]?[] vectors, bool explain)
    {
        // Damage that the header does not reveal is found by the decode that follows.
        if (ImageReader.CheckHeader(image, _limits) is { } refusal)
        {
            return new(refusal, [], [], false, null);
        }

        try
        {
            Extract(version.Recipe, image, sha256, vectors);
            return Classify(version, version.Recipe.Assemble(vectors!), explain ? image : null);
        }
        catch (ImageRefusedException e)
        {
            return new(e.Refusal, [], [], false, null);
        }
    }

    /// <summary>Computes the missing vectors, decoding once per input size.</summary>
    private void Extract(FeatureRecipe recipe, byte[] image, string? sha256, float[]?[] vectors)
    {
        foreach (var alike in recipe.Backbones.Index().Where(b => vectors[b.Index] is null)
            .GroupBy(b => b.Item.Manifest.Preprocessing.Square))
        {
            using var square = Decode(image, alike.Key);
            foreach (var (i, backbone) in alike)
            {
                using (telemetry.Forward(backbone.Manifest.Id))
                {
                    vectors[i] = backbone.Extract(square);
                }

                if (sha256 is not null)
                {
                    memory.Keep(backbone, sha256, vectors[i]!);
                }
            }
        }
    }

    private CentreSquare Decode(byte[] image, (int Size, int Version) square)
    {
        using var timing = telemetry.Decode();
        return CentreSquare.Of(image, square.Size, square.Version);
    }

    private Answer Classify(ServedClassifier version, float[] features, byte[]? explain)
    {
        using var timing = telemetry.Head();
        var probabilities = version.Head.Probabilities(features);
        var explanation = explain is null ? null : ExplanationResponse.Of(version, explain, features, version.Head.Best(features));
        return new(null, features, probabilities, version.Known.IsUnknown(features), explanation);
    }
}
