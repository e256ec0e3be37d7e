using System.Text.Json.Serialization;
using System.Threading.RateLimiting;
using Headstart.Learning.Imaging;
using Headstart.Operations;

namespace Headstart.Predictions;

/// <param name="Probability">0 to 1; where labels exclude each other those of all labels sum to 1.</param>
/// <param name="Applies">With several labels an image, whether this one applies: its probability is at least its threshold. Else absent.</param>
public sealed record LabelResponse(string Label, double Probability,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? Applies = null);

/// <param name="Labels">By falling probability.</param>
/// <param name="Unknown">Whether the image resembles none of the categories; null where the file could not be read.</param>
/// <param name="Error">Why this file could not be answered; the others are.</param>
/// <param name="Explanation">Where the most probable label is seen; null unless asked for with explain=true.</param>
public sealed record FilePrediction(
    string? FileName, IReadOnlyList<LabelResponse> Labels, bool? Unknown, string? Error, ExplanationResponse? Explanation);

/// <summary>Decode, forward, head. At most one image per core at a time and a bounded number waiting, so that overload is said at once.</summary>
public sealed class Predictor(Settings settings) : IDisposable
{
    private readonly ImageLimits _limits = new() { MaxBytes = settings.Uploads.MaxFileBytes, MaxPixels = settings.Uploads.MaxPixels };
    private readonly ConcurrencyLimiter _cores = new(new()
    {
        PermitLimit = Environment.ProcessorCount,
        QueueLimit = settings.Predictions.MaxWaiting,
        QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
    });

    /// <summary>The answer for one file, or null when too many are waiting already.</summary>
    public async Task<FilePrediction?> PredictAsync(ServedVersion version, string? fileName, byte[] image, int top, bool explain, CancellationToken cancel)
    {
        using var core = await EnterAsync(cancel);
        return core is not null ? await Task.Run(() => Predict(version, fileName, image, top, explain), cancel) : null;
    }

    /// <summary>A place for work of the same kind, held until it is disposed; null when too many are waiting already.</summary>
    public async Task<IDisposable?> EnterAsync(CancellationToken cancel)
    {
        var core = await _cores.AcquireAsync(1, cancel);
        return core.IsAcquired ? core : null;
    }

    public void Dispose() => _cores.Dispose();

    private FilePrediction Predict(ServedVersion version, string? fileName, byte[] image, int top, bool explain)
    {
        if (ImageReader.Check(image, _limits, out _) is { } refusal)
        {
            return Failed(fileName, refusal.Detail);
        }

        try
        {
            var features = version.Recipe.Extract(image);
            var probabilities = version.Head.Probabilities(features);
            var labels = version.Head.Labels.Select((label, k) => new LabelResponse(label, Math.Round(probabilities[k], 6), probabilities[k] >= version.Head.Thresholds?[k]));
            var explanation = explain ? ExplanationResponse.Of(version, image, features, version.Head.Best(features)) : null;
            return new(fileName, [.. labels.OrderByDescending(l => l.Probability).Take(top)], version.Known.IsUnknown(features), null, explanation);
        }
        catch (ImageRefusedException e)
        {
            return Failed(fileName, e.Refusal.Detail);
        }
    }

    public static FilePrediction Failed(string? fileName, string error) => new(fileName, [], null, error, null);
}
