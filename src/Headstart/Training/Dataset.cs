using Headstart.Data;
using Headstart.Learning.Detection;
using Headstart.Learning.Heads;
using Microsoft.EntityFrameworkCore;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Training;

/// <summary>The examples of a run, in an order that depends only on their content, and which of them are held out.</summary>
public sealed record Dataset
{
    /// <param name="Labels">Indices of its categories, ascending; exactly one unless the model is multi-label.</param>
    /// <param name="SideGiven">Whether a person gave its side (train or test).</param>
    /// <param name="Boxes">Its objects of learned categories; empty unless it is a detection model.</param>
    public sealed record Item(Guid ExampleId, byte[] Sha256, int[] Labels, bool SideGiven = false,
        IReadOnlyList<LabelledBox>? Boxes = null)
    {
        /// <summary>Equal for images with the same categories.</summary>
        internal string Combination => string.Join(',', Labels);
    }

    /// <summary>Whether every image has exactly one category.</summary>
    public required bool Exclusive { get; init; }

    public required IReadOnlyList<string> Categories { get; init; }

    public required IReadOnlyList<Item> Train { get; init; }

    public required IReadOnlyList<Item> Test { get; init; }

    /// <summary>
    /// Examples without a learned category, since unlabelled texts show how words are used; none of those given as test, and none at all in
    /// a multi-label model.
    /// </summary>
    public required IReadOnlyList<Item> Unlabelled { get; init; }

    /// <summary>Categories with nothing to learn from.</summary>
    public required IReadOnlyList<string> LeftOut { get; init; }

    /// <summary>A sentence about <see cref="LeftOut"/>; null if there are none.</summary>
    public string? LeftOutNotice { get; init; }

    /// <summary>Whether there are as many categories as this kind of model needs.</summary>
    public bool HasEnoughCategories => Categories.Count >= Kind.MinCategories();

    /// <summary>Training examples of a category, on average.</summary>
    public double PerCategory => (double)Train.Count / Math.Max(1, Categories.Count);

    /// <summary>The model's kind.</summary>
    public ModelKind Kind { get; init; }

    /// <summary>
    /// Records once which examples the run learns from. A restarted run uses the same ones, whatever happened to the model's images in
    /// between.
    /// </summary>
    public static async Task FreezeAsync(HeadstartDb db, TrainingRun run, CancellationToken cancel)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        // The row lock serialises concurrent attempts; the second one finds the flag set.
        var first = await db.TrainingRuns.Where(r => r.Id == run.Id && !r.DatasetFrozen)
            .ExecuteUpdateAsync(set => set.SetProperty(r => r.DatasetFrozen, true), cancel);
        if (first == 1)
        {
            // An image whose boxes are unknown is not an example of an empty image.
            var boxes = await db.Models.AnyAsync(m => m.Id == run.ModelId && m.Kind == ModelKind.ObjectDetection, cancel);
            await db.Database.ExecuteSqlAsync($"""
                INSERT INTO run_examples (run_id, example_id, sha256, categories, split, split_given, boxes)
                SELECT {run.Id}, i.id, i.sha256, array(
                    SELECT c.name FROM example_labels l JOIN categories c ON c.id = l.category_id WHERE l.example_id = i.id ORDER BY c.name COLLATE "C"), i.split, i.split_given,
                    CASE WHEN i.boxes_known THEN (
                        SELECT coalesce(jsonb_agg(jsonb_build_object('Category', c.name, 'X', b.x, 'Y', b.y, 'Width', b.width, 'Height', b.height,
                            'Difficult', b.difficult) ORDER BY b.position), '[]')
                        FROM example_boxes b JOIN categories c ON c.id = b.category_id WHERE b.example_id = i.id) END
                FROM examples i WHERE i.model_id = {run.ModelId} AND (i.boxes_known OR NOT {boxes})
                """, cancel);
        }

        await transaction.CommitAsync(cancel);
    }

    public static async Task<Dataset> ReadAsync(HeadstartDb db, TrainingRun run, CancellationToken cancel)
    {
        var rows = await db.RunExamples.Where(i => i.RunId == run.Id).ToListAsync(cancel);
        var declared = await db.Categories.Where(c => c.ModelId == run.ModelId).Select(c => c.Name).ToListAsync(cancel);
        var renamed = await db.NamesSinceAsync(run.ModelId, run.CreatedAt, cancel);
        // The rows still have the former names of categories that were renamed or merged since.
        var former = rows.SelectMany(row => row.Categories).Distinct().Where(name => renamed(name) != name);
        declared = [.. declared.Except(former.Select(renamed))];
        var kind = await db.Models.Where(m => m.Id == run.ModelId).Select(m => m.Kind).SingleOrDefaultAsync(cancel);
        return Of(rows, declared, kind);
    }

    internal static Dataset Of(IReadOnlyList<RunExample> rows, IEnumerable<string> declared, ModelKind kind = ModelKind.ImageClassification)
    {
        var exclusive = !kind.TakesSeveral();
        // Examples given as test are never learned from, so they do not make a category learnable.
        var learnable = rows.Where(row => !IsGivenTest(row)).ToList();
        var boxes = rows.Where(row => row.Boxes is not null).ToDictionary(row => row.ExampleId, FrozenBox.Of);
        var counts = learnable.SelectMany(LearnedFrom).CountBy(name => name).ToDictionary();
        // In a multi-label model, a label that all images have cannot be learned either; objects can, since they do not fill the image.
        var learned = counts
            .Where(c => c.Value >= MinExamples && (exclusive || kind.HasBoxes() || learnable.Count - c.Value >= MinExamples))
            .Select(c => c.Key).Order(StringComparer.Ordinal).ToList();
        var all = rows.OrderBy(row => Convert.ToHexStringLower(row.Sha256), StringComparer.Ordinal)
            .Select(row => (Item: new Item(row.ExampleId, row.Sha256,
                [.. LearnedFrom(row).Select(name => learned.IndexOf(name)).Where(label => label >= 0).Order()], row.SplitGiven,
                boxes.TryGetValue(row.ExampleId, out var own) ? Labelled(own) : null), Row: row))
            .ToList();
        var items = all.Where(row => !exclusive || row.Item.Labels.Length > 0).OrderBy(row => row.Item.Labels.FirstOrDefault()).ToList();
        var left = items.Where(row => row.Row.Split == Split.Train).SelectMany(row => row.Item.Labels).CountBy(label => label)
            .ToDictionary();
        var test = items.FindAll(row => IsGivenTest(row.Row) || row.Row.Split == Split.Test
            && row.Item.Labels.All(label => left.GetValueOrDefault(label) >= MinTrainAfterSplit)).ConvertAll(row => row.Item);
        List<string> leftOut = [.. declared.Union(rows.SelectMany(row => row.Categories)).Except(learned).Order(StringComparer.Ordinal)];
        return new()
        {
            Exclusive = exclusive,
            Kind = kind,
            Categories = learned,
            Train = items.ConvertAll(row => row.Item).Except(test).ToList(),
            Test = test,
            Unlabelled = exclusive ? [.. all.Where(row => row.Item.Labels.Length == 0 && !IsGivenTest(row.Row)).Select(row => row.Item)]
                : [],
            LeftOut = leftOut,
            LeftOutNotice = LeftOutSentence(leftOut, rows, kind.Nouns()),
        };

        // Difficult objects are not learned from.
        IEnumerable<string> LearnedFrom(RunExample row) => !boxes.TryGetValue(row.ExampleId, out var own) ? row.Categories
            : own.Where(box => !box.Difficult).Select(box => box.Category).Distinct();

        List<LabelledBox> Labelled(IReadOnlyList<FrozenBox> own) =>
        [
            .. own.Select(box => new LabelledBox(learned.IndexOf(box.Category), new(box.X, box.Y, box.Width, box.Height), box.Difficult))
                .Where(box => box.Category >= 0),
        ];
    }

    private static bool IsGivenTest(RunExample row) => row is { Split: Split.Test, SplitGiven: true };

    private static string? LeftOutSentence(List<string> leftOut, IReadOnlyList<RunExample> rows, string what)
    {
        var tested = rows.Where(IsGivenTest).SelectMany(row => row.Categories).ToHashSet();
        var everywhere = rows.Where(row => !IsGivenTest(row)).SelectMany(row => row.Categories).ToHashSet();
        string[] sentences =
        [
            .. Of(leftOut.FindAll(name => everywhere.Contains(name)), $"every one of the {what} has it", $"add {what} that lack it"),
            .. Of(leftOut.FindAll(name => tested.Contains(name) && !everywhere.Contains(name)), $"all {what} are given as test",
                "move some to train, or add some"),
            .. Of(leftOut.FindAll(name => !tested.Contains(name) && !everywhere.Contains(name)), $"no {what} yet", "add some"),
        ];
        return sentences.Length == 0 ? null : string.Join(' ', sentences);

        static string[] Of(List<string> names, string why, string cure) => names.Count == 0 ? []
            : [$"Left out, because there is nothing to learn {(names.Count == 1 ? "it" : "them")} from: {Listed.Names(names)} "
                + $"({why}; {cure})."];
    }

    /// <summary>
    /// At most <paramref name="limit"/> training images, in proportion to the categories, with at least five of each if available.
    /// </summary>
    public IReadOnlyList<Item> Sample(int limit)
    {
        var share = Math.Min(1, (double)limit / Train.Count);
        return share == 1 ? Train : [.. Train.GroupBy(i => i.Combination).SelectMany(g => g.Take(Math.Max(5, (int)(g.Count() * share))))];
    }

    /// <summary>The items with their vectors; those whose image could not be read (null) are left out.</summary>
    public LabelledFeatures With(IReadOnlyList<Item> items, float[]?[] vectors)
    {
        var readable = Enumerable.Range(0, items.Count).Where(i => vectors[i] is not null).ToList();
        return Labelled(readable.ConvertAll(i => vectors[i]!), readable.ConvertAll(i => items[i]));
    }

    /// <param name="vectors">The vectors of the items, in the same order.</param>
    /// <param name="items">Some of the examples.</param>
    public LabelledFeatures Labelled(IReadOnlyList<float[]> vectors, IReadOnlyList<Item> items) =>
        Exclusive ? new(vectors, [.. items.Select(item => item.Labels[0])], Categories)
            : LabelledFeatures.Tagged(vectors, [.. items.Select(item => item.Labels)], Categories);
}
