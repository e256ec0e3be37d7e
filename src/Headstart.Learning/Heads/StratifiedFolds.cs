namespace Headstart.Learning.Heads;

/// <summary>Splits that give every fold its share of every category, and never tear near duplicates apart.</summary>
internal static class StratifiedFolds
{
    /// <returns>The fold 0..folds-1 of each example, <c>[n]</c>.</returns>
    public static int[] Assign(LabelledFeatures set, int folds, Random random)
    {
        var assignment = new int[set.Count];
        var next = 0; // goes on through the categories, so that left-over examples do not all land in the first fold
        foreach (var category in Enumerable.Range(0, set.Count).GroupBy(i => set.Labels[i]).OrderBy(group => group.Key))
        {
            int[] members = [.. category];
            random.Shuffle(members);
            foreach (var group in members.GroupBy(set.Group))
            {
                foreach (var member in group)
                {
                    assignment[member] = next % folds;
                }

                next++;
            }
        }

        return assignment;
    }
}
