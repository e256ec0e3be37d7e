namespace Headstart.Learning.Heads;

/// <summary>Splits that give every fold its share of every category.</summary>
internal static class StratifiedFolds
{
    /// <returns>The fold 0..folds-1 of each example, <c>[n]</c>.</returns>
    public static int[] Assign(IReadOnlyList<int> labels, int folds, Random random)
    {
        var assignment = new int[labels.Count];
        var next = 0; // goes on through the categories, so that left-over examples do not all land in the first fold
        foreach (var category in Enumerable.Range(0, labels.Count).GroupBy(i => labels[i]).OrderBy(group => group.Key))
        {
            int[] members = [.. category];
            random.Shuffle(members);
            foreach (var member in members)
            {
                assignment[member] = next++ % folds;
            }
        }

        return assignment;
    }
}
