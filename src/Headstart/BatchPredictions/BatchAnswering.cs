using Headstart.Backbones;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Predictions;
using Headstart.Versions;

namespace Headstart.BatchPredictions;

/// <summary>Predicts items with a version on all cores, giving way to single predictions.</summary>
public sealed class BatchAnswering(FeatureCache features, Predictor predictor, IBlobStore blobs, Cores cores)
{
    private const int TextsInTurn = 64; // texts per turn: they take about as long as one image

    private const string Missing = "The image is missing from the blob store, or damaged there; upload it again.";

    /// <summary>The predictions, in the order of <paramref name="items"/>.</summary>
    public async Task<BatchAnswer[]> AnswerAsync(ServedVersion version, IReadOnlyList<BatchItem> items, CancellationToken cancel)
    {
        var answers = new BatchAnswer[items.Count];
        if (version is ServedDetector detector)
        {
            await WorkAsync([.. items.Index().Chunk(1)], item => answers[item.Index] = LookAt(detector, item.Item, cancel), cancel);
            return answers;
        }

        await ClassifyAsync((ServedClassifier)version, items, answers, cancel);
        return answers;
    }

    private async Task ClassifyAsync(ServedClassifier version, IReadOnlyList<BatchItem> items, BatchAnswer[] answers,
        CancellationToken cancel)
    {
        var byKind = items.Index().ToLookup(i => i.Item is { ExampleId: not null, Text: null });
        if (byKind[true].Any())
        {
            await AnswerStoredAsync(version, [.. byKind[true]], answers, cancel);
        }

        var inTurn = version.ReadsTexts ? TextsInTurn : 1;
        await WorkAsync([.. byKind[false].Chunk(inTurn)],
            item => answers[item.Index] = item.Item.Text is { } text ? AnswerOf(version, predictor.AnswerNow(version, text))
                : AnswerFile(version, item.Item, cancel), cancel);
    }

    /// <summary>
    /// Predicts the model's own images: training images need no forward pass, and the features of the others are cached for the next run.
    /// </summary>
    private async Task AnswerStoredAsync(ServedClassifier version, (int Index, BatchItem Item)[] items, BatchAnswer[] answers,
        CancellationToken cancel)
    {
        var vectors = await features.GetAsync(version.Recipe, [.. items.Select(i => i.Item.Sha256!)], new Progress<double>(), cancel);
        foreach (var ((index, _), vector) in items.Zip(vectors))
        {
            answers[index] = vector is null ? BatchAnswer.Refused(Missing) : AnswerOf(version, predictor.Classify(version, vector));
        }
    }

    private BatchAnswer AnswerFile(ServedClassifier version, BatchItem file, CancellationToken cancel) =>
        Read(file, cancel) is not { } bytes ? BatchAnswer.Refused(Missing) : AnswerOf(version, predictor.AnswerNow(version, bytes));

    private BatchAnswer LookAt(ServedDetector version, BatchItem file, CancellationToken cancel) =>
        Read(file, cancel) is not { } bytes ? BatchAnswer.Refused(Missing)
        : BatchAnswer.Of(FilePrediction.Of(version, null, predictor.DetectNow(version, bytes, threshold: null), int.MaxValue));

    private byte[]? Read(BatchItem file, CancellationToken cancel) =>
        blobs.GetAsync(file.Sha256!, cancel).GetAwaiter().GetResult(); // on a dedicated thread, see below

    /// <summary>Uses dedicated threads, so that the thread pool stays free for requests.</summary>
    private Task WorkAsync(IReadOnlyList<(int Index, BatchItem Item)[]> turns, Action<(int Index, BatchItem Item)> answer,
        CancellationToken cancel)
    {
        var next = -1;
        return Task.WhenAll(Enumerable.Range(0, Math.Min(Environment.ProcessorCount, turns.Count)).Select(_ => Task.Factory.StartNew(
            Work, cancel, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default)));

        void Work()
        {
            for (int i; (i = Interlocked.Increment(ref next)) < turns.Count;)
            {
                cancel.ThrowIfCancellationRequested();
                cores.GiveWay(cancel);
                Array.ForEach(turns[i], answer);
            }
        }
    }

    private static BatchAnswer AnswerOf(ServedClassifier version, Answer answer) =>
        BatchAnswer.Of(FilePrediction.Of(version, null, answer, int.MaxValue));
}
