using Headstart.Backbones;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Learning.Choosing;
using Headstart.Learning.Evaluation;
using Headstart.Learning.Heads;
using Headstart.Learning.Texts;
using Headstart.Similarity;
using Headstart.Versions;
using Microsoft.EntityFrameworkCore;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Training;

/// <summary>
/// Features of texts: each run learns them from the model's own texts, including unlabelled ones. Sentence vectors are kept for later runs.
/// A text deleted since the run began is not used.
/// </summary>
public sealed class TextRunFeatures(LoadedTextBackbones loaded, SentenceVectors vectors, EarlierChoice earlier, IBlobStore blobs)
    : IRunFeatures
{
    private const int AtOnce = 5_000; // rows per database query

    public async Task<ChosenFeatures> ChooseAsync(HeadstartDb db, ActiveRun run, Dataset data, StageProgress progress,
        CancellationToken cancel)
    {
        var texts = await TextsAsync(db, run.Run.ModelId, cancel);
        if (data.Test.Any(item => item.SideGiven))
        {
            data = await WithoutLeaksAsync(data, texts, cancel);
        }

        // Held-out texts are not used at all, not even to learn how words are used.
        var corpus = new TextCorpus(Those(texts, data.Train), Those(texts, data.Unlabelled));
        var named = run.Run.Backbone;
        var names = Names();
        var standing = named is null ? await earlier.FindAsync(db, run.Run, names, data, cancel) : null;
        await BringAsync(corpus, Those(texts, data.Test), named ?? standing?.Backbone, cancel);
        var fitted = await Task.Run(
            () => TextCandidates.Fit(corpus, loaded.All, Seed, progress.Part(0, 2), cancel, named ?? standing?.Backbone), cancel);
        var candidates = Admissible(fitted, run.Run);
        if (standing is not null)
        {
            progress.Show([.. standing.Trials]);
        }

        return named is null && standing is null
            ? await TryAsync(candidates, texts, data, $"word usage was learned from {corpus.Labelled.Count + corpus.Unlabelled.Count} "
                + $"texts, {corpus.Unlabelled.Count} of them without a category", names, progress.Part(1, 2), cancel) with
            { Others = fitted }
            : new(new WordFeatures(candidates[0]), standing?.Report, null, fitted);
    }

    public async Task<ReadItems> ReadAsync(HeadstartDb db, VersionFeatures of, IReadOnlyList<Dataset.Item> items,
        IProgress<double> progress, CancellationToken cancel)
    {
        var texts = await TextsOfAsync(db, items, cancel);
        var readable = items.Where(item => texts.ContainsKey(item.ExampleId)).ToList();
        return new(readable, await Task.Run(() => ((WordFeatures)of).Texts.Of(Those(texts, readable), cancel), cancel));
    }

    public async Task<IReadOnlyList<(int First, int Second)>> AlikeAsync(HeadstartDb db, ReadItems read, CancellationToken cancel)
    {
        var texts = await TextsOfAsync(db, read.Items, cancel);
        return await Task.Run(() => TextLookAlikes.Pairs([.. read.Items.Select(item => texts.GetValueOrDefault(item.ExampleId, ""))],
            cancel), cancel);
    }

    public async Task<IReadOnlyList<ArtifactPart>> KeepAsync(VersionFeatures of, CancellationToken cancel)
    {
        using var file = new MemoryStream();
        ((WordFeatures)of).Texts.Save(file);
        return [new(of.Id, Convert.ToHexStringLower(await blobs.PutAsync(file.ToArray(), cancel)), ArtifactPart.Text, "")];
    }

    /// <summary>Leaves out training texts that copy a text given as test: the features must not learn from them either.</summary>
    private static async Task<Dataset> WithoutLeaksAsync(Dataset data, Dictionary<Guid, string> texts, CancellationToken cancel)
    {
        Dataset.Item[] items = [.. data.Train.Concat(data.Test).Where(item => texts.ContainsKey(item.ExampleId))];
        var pairs = await Task.Run(() => TextLookAlikes.Pairs(Those(texts, items), cancel), cancel);
        var leaks = TrainTestSplit.Of(data, items, NearDuplicates.Groups(items.Length, pairs)).Leaks.Select(i => items[i]);
        return data with { Train = [.. data.Train.Except(leaks)] };
    }

    private static async Task<ChosenFeatures> TryAsync(
        List<TextFeatures> candidates, Dictionary<Guid, string> texts, Dataset data, string learned, List<string> names,
        StageProgress progress, CancellationToken cancel)
    {
        var sample = data.Sample(ProbeTexts).Where(item => texts.ContainsKey(item.ExampleId)).ToList();
        int[] labels = [.. sample.Select(item => item.Labels[0])];
        if (labels.CountBy(label => label).Count(c => c.Value >= MinExamples) < data.Categories.Count)
        {
            throw RefusedException.Invalid("run-refused",
                "Texts were deleted meanwhile, leaving a category with none; add some and start another run.");
        }

        var choice = await Task.Run(() => TextChoice.Make(candidates, Those(texts, sample), labels, data.Categories, Seed, tried =>
        {
            progress.Report((double)tried.Count / candidates.Count);
            progress.Show(Table(tried, tried[0]));
        }, cancel), cancel);
        progress.Show(Table(choice.Trials, choice.Chosen));
        var compared = choice.Chosen.Scores.Count;
        return new(new WordFeatures(choice.Chosen.Features), new(
            (compared == 0 ? $"{choice.Chosen.Id} was chosen without comparison: no category has two texts to compare on"
                : ChoiceRule.Reason(choice.Trials, choice.Chosen, "texts")) + $"; {learned}.",
            null, compared, double.IsFinite(choice.Stability) ? Math.Round(choice.Stability, 3) : null, names), choice.Chosen);
    }

    /// <summary>Computes and stores the sentence vectors of the run's texts.</summary>
    private async Task BringAsync(TextCorpus corpus, IReadOnlyList<string> test, string? only, CancellationToken cancel)
    {
        foreach (var network in loaded.All.Where(file => file.Kind == RegisteredTextKind.Sentences
            && (only is null ? corpus.Labelled.Count <= MostForSentences : TextCandidates.IdsWith(file).Contains(only))))
        {
            await vectors.BringAsync(network, [.. corpus.ForCentre, .. corpus.Labelled, .. test], cancel);
        }
    }

    private List<TextFeatures> Admissible(IReadOnlyList<TextFeatures> fitted, TrainingRun run)
    {
        if (fitted.Count == 0)
        {
            throw RefusedException.Invalid("run-refused",
                $"The text backbone \"{run.Backbone}\" is not available on this host. Name one of "
                + $"{string.Join(", ", TextCandidates.Ids(loaded.All))}, "
                + "or auto.");
        }

        var usable = fitted.Where(f => f.Length > 0).ToList();
        if (usable.Count == 0)
        {
            throw RefusedException.Invalid("run-refused",
                "These texts contain too few words to tell the categories apart; add texts with words.");
        }

        var fast = usable.FindAll(f => !(f.MsPerText > run.MaxLatencyMs));
        return fast.Count > 0 ? fast : throw RefusedException.Invalid("run-refused",
            $"maxLatencyMs ({run.MaxLatencyMs} ms) is below this host's fastest text backbone, which needs "
                + $"{usable.Min(f => f.MsPerText):0.000} ms per text; raise it.");
    }

    /// <summary>Identifies the candidates of a choice by their kinds and the files of their networks.</summary>
    private List<string> Names() =>
        [.. TextCandidates.Ids(loaded.All).Concat(loaded.All.Select(file => $"{file.Id} {file.Sha256[..12]}"))
            .Order(StringComparer.Ordinal)];

    private static List<BackboneTrial> Table(IEnumerable<TextTrial> trials, TextTrial chosen) =>
        [.. trials.Select(t => t.Row(t == chosen, digits: 4))];

    private static List<string> Those(Dictionary<Guid, string> texts, IEnumerable<Dataset.Item> items) =>
        [.. items.Where(item => texts.ContainsKey(item.ExampleId)).Select(item => texts[item.ExampleId])];

    private static Task<Dictionary<Guid, string>> TextsAsync(HeadstartDb db, Guid model, CancellationToken cancel) =>
        db.Examples.Where(i => i.ModelId == model && i.Text != null).Select(i => new { i.Id, i.Text })
            .ToDictionaryAsync(i => i.Id, i => i.Text!, cancel);

    private static async Task<Dictionary<Guid,
        string>> TextsOfAsync(HeadstartDb db, IReadOnlyList<Dataset.Item> items, CancellationToken cancel)
    {
        var texts = new Dictionary<Guid, string>();
        foreach (var ids in items.Select(item => item.ExampleId).Chunk(AtOnce))
        {
            await foreach (var row in db.Examples.Where(i => ids.Contains(i.Id) && i.Text != null).Select(i => new { i.Id, i.Text })
                .AsAsyncEnumerable().WithCancellation(cancel))
            {
                texts[row.Id] = row.Text!;
            }
        }

        return texts;
    }
}
