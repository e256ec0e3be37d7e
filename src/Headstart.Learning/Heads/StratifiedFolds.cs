using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Heads;

/// <summary>
/// Splits that give every fold its share of every category and keep near duplicates of a category together, so that each fit has all
/// categories and is tested on unseen examples. If all examples of a category look alike, they are dealt out one by one, which tests
/// whether they can be told apart but not how new ones would fare; a category's only example is always in the training part.
/// </summary>
internal sealed class StratifiedFolds
{
    public const int Never = -1; // the fold of examples that are always learned from

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
        // A single exclusive category is always right; with independent labels one is enough.
        Measured = measured >= (set.Tags is null ? MinCategories : 1) ? Measured : [];
    }

    /// <summary>Number of folds; 0 if no category has two examples.</summary>
    public int Count { get; }

    /// <summary>The examples that some fit does not learn from, in rising order.</summary>
    public IReadOnlyList<int> Tested { get; }

    /// <summary>Positions in <see cref="Tested"/> of the examples that tell something about new ones: those of categories whose examples do
    /// not all look alike. Empty if fewer than two categories qualify.</summary>
    public IReadOnlyList<int> Measured { get; }

    /// <param name="random">Decides the split.</param>
    /// <param name="folds">At least two; <see cref="Count"/> if not given.</param>
    /// <returns>The fold 0..folds-1 of each example, <c>[n]</c>; <see cref="Never"/> for those that are not tested.</returns>
    public int[] Assign(Random random, int? folds = null)
    {
        int[] assignment = [.. Enumerable.Repeat(Never, _set.Count)];
        var next = 0; // carried across categories, so that left-over examples do not all land in the first fold
        var placed = new Dictionary<int, int>();
        foreach (var category in Tested.GroupBy(i => _set.Labels[i]).OrderBy(group => group.Key))
        {
            int[] members = [.. category];
            random.Shuffle(members);
            if (_set.Tags is null)
            {
                placed.Clear(); // only look-alikes within a category: with those of others its groups might all end up in one fold
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

    /// <summary>The number of parts that a category's examples can be split into.</summary>
    private int Parts(int category) => _scenes[category] > 1 ? _scenes[category] : _support[category];

    /// <summary>The group that must stay together; negative numbers are single examples.</summary>
    private int PartOf(int example) => _set.LabelsOf(example).All(label => _scenes[label] > 1) ? _set.Group(example) : -1 - example;
}
