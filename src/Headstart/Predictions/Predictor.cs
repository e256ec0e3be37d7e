using System.Runtime.CompilerServices;
using System.Security.Claims;
using System.Security.Cryptography;
using Headstart.Access;
using Headstart.Learning.Backbones;
using Headstart.Learning.Imaging;
using Headstart.Operations;
using Headstart.Uploads;
using Headstart.Versions;

namespace Headstart.Predictions;

/// <summary>What a version says of one example.</summary>
/// <param name="Refusal">Why the file cannot be read; then the rest is empty.</param>
/// <param name="Features">Of the example, as the version's head reads them.</param>
/// <param name="Probabilities">In the order of the head's labels.</param>
/// <param name="Unknown">Whether the example resembles none of the categories.</param>
/// <param name="Explanation">What speaks for the most probable label, if that was asked for.</param>
public sealed record Answer(ImageRefusal? Refusal, float[] Features, float[] Probabilities, bool Unknown, ExplanationResponse? Explanation);

/// <summary>
/// Bytes to answer, for every model on this host: whoever predicts, by whatever protocol, asks here. Decode, forward, head; the backbones'
/// sessions and the cores are shared, see <see cref="Cores"/>.
/// </summary>
public sealed class Predictor(Settings settings, Cores cores, FeatureMemory memory, Usage usage, Telemetry telemetry, IHostApplicationLifetime lifetime)
{
    private readonly ImageLimits _limits = new() { MaxBytes = settings.Uploads.MaxFileBytes, MaxPixels = settings.Uploads.MaxPixels };

    /// <summary>No new requests are taken any more; those that were are answered to their end.</summary>
    public bool IsStopping => lifetime.ApplicationStopping.IsCancellationRequested;

    /// <summary>The answer for one image.</summary>
    /// <param name="caller">Whose turn it takes.</param>
    /// <param name="version">Which answers.</param>
    /// <param name="image">The file.</param>
    /// <param name="explain">Also say where the most probable label is seen.</param>
    /// <param name="cancel">Gives the place in the queue up.</param>
    /// <returns>null when the host is busy: come back later.</returns>
    public async Task<Answer?> AskAsync(ClaimsPrincipal caller, ServedVersion version, byte[] image, bool explain, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(version);
        ArgumentNullException.ThrowIfNull(image);
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(image));
        var known = version.Recipe.Backbones.Select(backbone => memory.Find(backbone, sha256)).ToArray();
        return WithUsage(caller, !explain && !known.Contains(null)
            ? Classify(version, version.Recipe.Assemble(known!), null) // takes no turn: heads are small
            : await cores.RunAsync(caller.AccountId(), image.Length, () => Predict(version, image, sha256, known, explain), cancel));
    }

    /// <summary>The answer for one text.</summary>
    /// <param name="caller">Whose turn it takes.</param>
    /// <param name="version">Of a model of texts.</param>
    /// <param name="text">The text.</param>
    /// <param name="explain">Also say which words speak for the most probable label.</param>
    /// <param name="cancel">Gives the place in the queue up.</param>
    /// <returns>null when the host is busy: come back later.</returns>
    public async Task<Answer?> AskAsync(ClaimsPrincipal caller, ServedVersion version, string text, bool explain, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(version);
        ArgumentNullException.ThrowIfNull(text);
        return WithUsage(caller, await cores.RunAsync(caller.AccountId(), sizeof(char) * text.Length, () => Read(version, text, explain, cancel), cancel));
    }

    /// <summary>
    /// The answers for files as they come, in their order. As many are looked at together as there are cores, while the next one is being read; what
    /// was begun and is not waited for any more gives its place up.
    /// </summary>
    /// <param name="caller">Whose turn it takes.</param>
    /// <param name="version">Which answers.</param>
    /// <param name="files">Those without bytes are passed on.</param>
    /// <param name="explain">Also say where the most probable label is seen.</param>
    /// <param name="cancel">Gives the places in the queue up.</param>
    /// <returns>With each file its answer; null for one without bytes, and where the host is busy.</returns>
    public async IAsyncEnumerable<(UploadedFile File, Answer? Answer)> AskAsync(
        ClaimsPrincipal caller, ServedVersion version, IAsyncEnumerable<UploadedFile> files, bool explain, [EnumeratorCancellation] CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(files);
        using var left = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var asked = new Queue<(UploadedFile File, Task<Answer?> Answer)>();
        try
        {
            await foreach (var file in files.WithCancellation(cancel))
            {
                asked.Enqueue((file, file.Bytes is null ? Task.FromResult<Answer?>(null) : AskAsync(caller, version, file.Bytes, explain, left.Token)));
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
    /// The answer for one image, on the calling thread and at once: for work in the background, which lets requests go first by itself
    /// (<see cref="Cores.GiveWay"/>). What it sees is not kept in memory; thousands of images would drive out those that repeat.
    /// </summary>
    /// <param name="version">Which answers.</param>
    /// <param name="image">The file.</param>
    public Answer AnswerNow(ServedVersion version, byte[] image)
    {
        ArgumentNullException.ThrowIfNull(version);
        ArgumentNullException.ThrowIfNull(image);
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(image));
        return Predict(version, image, null, [.. version.Recipe.Backbones.Select(backbone => memory.Find(backbone, sha256))], explain: false);
    }

    /// <summary>The answer for one text, on the calling thread and at once: for work in the background.</summary>
    /// <param name="version">Of a model of texts.</param>
    /// <param name="text">The text.</param>
    public Answer AnswerNow(ServedVersion version, string text)
    {
        ArgumentNullException.ThrowIfNull(version);
        ArgumentNullException.ThrowIfNull(text);
        return Read(version, text, explain: false, CancellationToken.None);
    }

    /// <summary>The answer for an image whose features are known.</summary>
    /// <param name="version">Which answers.</param>
    /// <param name="features">As the version's head reads them.</param>
    public Answer Classify(ServedVersion version, float[] features) => Classify(version, features, null);

    private Answer Read(ServedVersion version, string text, bool explain, CancellationToken cancel)
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

    private Answer? WithUsage(ClaimsPrincipal caller, Answer? answer)
    {
        if (answer is { Refusal: null })
        {
            usage.CountPrediction(caller);
        }

        return answer;
    }

    /// <summary>On a worker's thread.</summary>
    /// <param name="sha256">To remember what is seen under; null to forget it.</param>
    private Answer Predict(ServedVersion version, byte[] image, string? sha256, float[]?[] vectors, bool explain)
    {
        // Damage that the header does not show is found by the one decode that follows.
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

    /// <summary>Fills in the vectors that are not known, decoding once for each input size.</summary>
    private void Extract(FeatureRecipe recipe, byte[] image, string? sha256, float[]?[] vectors)
    {
        foreach (var alike in recipe.Backbones.Index().Where(b => vectors[b.Index] is null).GroupBy(b => b.Item.Manifest.Preprocessing.Size))
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

    private CentreSquare Decode(byte[] image, int size)
    {
        using var timing = telemetry.Decode();
        return CentreSquare.Of(image, size);
    }

    private Answer Classify(ServedVersion version, float[] features, byte[]? explain)
    {
        using var timing = telemetry.Head();
        var probabilities = version.Head.Probabilities(features);
        var explanation = explain is null ? null : ExplanationResponse.Of(version, explain, features, version.Head.Best(features));
        return new(null, features, probabilities, version.Known.IsUnknown(features), explanation);
    }
}
