using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Heads;

/// <summary>
/// Splits that give every fold its share of every category and keep near duplicates of a category together, so that each fit meets all
/// categories and is tested on what it has not seen. Where that cannot be, it gives way: the examples of a category that all look alike are
/// dealt out one by one, which tests whether they are told apart but not how others would fare; and a category's only example is always
/// learned from.
/// </summary>
internal sealed class StratifiedFolds
{
    public const int Never = -1; // the fold of what is always learned from

    private readonly LabelledFeatures _set;
    private readonly int[] _support;
    private readonly int[] _scenes;

    public StratifiedFolds(LabelledFeatures set)
    {
        (_set, _support, _scenes) = (set, set.Support(), set.Scenes());
        Count = Enumerable.Range(0, _support.Length).Select(Parts).Where(parts => parts > 1).DefaultIfEmpty(0).Min() is var least
            && least > MostFolds ? MostFolds : least;
        Tested = [.. Enumerable.Range(0, set.Count).Where(i => Count > 0 && set.LabelsOf(i).All(label => _support[label] > 1))];
        Measured = [.. Tested.Index().Where(tested => set.LabelsOf(tested.Item).All(label => _scenes[label] > 1)).Select(tested =>
            tested.Index)];
        var measured = Measured.SelectMany(i => set.LabelsOf(Tested[i])).Distinct().Count();
        // One category alone is always right; of labels that do not exclude each other one is enough.
        Measured = measured >= (set.Tags is null ? MinCategories : 1) ? Measured : [];
    }

    /// <summary>How many folds; 0 where no category has two examples.</summary>
    public int Count { get; }

    /// <summary>The examples that some fit does not learn from, in rising order.</summary>
    public IReadOnlyList<int> Tested { get; }

    /// <summary>
    /// Positions in <see cref="Tested"/> of those that say something about new examples; none where that holds for fewer than two
    /// categories.
    /// </summary>
    public IReadOnlyList<int> Measured { get; }

    /// <param name="random">Decides the split.</param>
    /// <param name="folds">At least two; <see cref="Count"/> if not given.</param>
    /// <returns>The fold 0..folds-1 of each example, <c>[n]</c>; <see cref="Never"/> for those that are not tested.</returns>
    public int[] Assign(Random random, int? folds = null)
    {
        int[] assignment = [.. Enumerable.Repeat(Never, _set.Count)];
        var next = 0; // goes on through the categories, so that left-over examples do not all land in the first fold
        var placed = new Dictionary<int, int>();
        foreach (var category in Tested.GroupBy(i => _set.Labels[i]).OrderBy(group => group.Key))
        {
            int[] members = [.. category];
            random.Shuffle(members);
            if (_set.Tags is null)
            {
                placed.Clear(); // a category's own look-alikes: with those of others its groups might all end in one fold
            }

            foreach (var group in members.GroupBy(PartOf))
            {
                if (!placed.TryGetValue(group.Key, out var fold))
                {
                    placed[group.Key] = fold = next++ % (folds ?? Count);
                }

                foreach (var member in group)
                {
                    assignment[member] = fold;
                }
            }
        }

        return assignment;
    }

    /// <summary>How many parts the examples of a category can be dealt out in.</summary>
    private int Parts(int category) => _scenes[category] > 1 ? _scenes[category] : _support[category];

    /// <summary>What stays together; numbers below 0 are examples of their own.</summary>
    private int PartOf(int example) => _set.LabelsOf(example).All(label => _scenes[label] > 1) ? _set.Group(example) : -1 - example;
}
