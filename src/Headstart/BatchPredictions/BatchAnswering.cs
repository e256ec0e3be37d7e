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
        var stored = items.Index().ToLookup(i => version is ServedClassifier && i.Item is { ExampleId: not null, Text: null });
        if (stored[true].Any())
        {
            await AnswerStoredAsync((ServedClassifier)version, [.. stored[true]], answers, cancel);
        }

        await WorkAsync([.. stored[false].Chunk(version.ReadsTexts ? TextsInTurn : 1)],
            item => answers[item.Index] = AnswerOf(version, item.Item, cancel), cancel);
        return answers;
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
            answers[index] = vector is null ? BatchAnswer.Refused(Missing) : BatchAnswer.Of(predictor.AnswerNow(version, vector));
        }
    }

    private BatchAnswer AnswerOf(ServedVersion version, BatchItem item, CancellationToken cancel) =>
        item.Text is { } text ? BatchAnswer.Of(predictor.AnswerNow(version, text))
        : Read(item, cancel) is { } image ? BatchAnswer.Of(predictor.AnswerNow(version, image)) : BatchAnswer.Refused(Missing);

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
}
