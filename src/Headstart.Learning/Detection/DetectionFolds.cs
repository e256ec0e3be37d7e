namespace Headstart.Learning.Detection;

/// <summary>Divides examples into folds with about the same number of boxes of each category: rarest category first, each example to the
/// fold that has the fewest boxes of it (iterative stratification, Sechidis et al. 2011).</summary>
internal static class DetectionFolds
{
    /// <param name="examples">Examples of one <see cref="DetectionExample.Group"/> stay together.</param>
    /// <param name="categories">Number of categories.</param>
    /// <param name="folds">Number of folds.</param>
    /// <param name="seed">Shuffles the groups, which decides ties.</param>
    /// <returns>The fold of each example.</returns>
    public static int[] Assign(IReadOnlyList<DetectionExample> examples, int categories, int folds, int seed)
    {
        var random = new Random(seed);
        int[][] groups = [.. examples.Index().GroupBy(example => example.Item.Group ?? -1L - example.Index)
            .Select(group => group.Select(example => example.Index).ToArray())];
        random.Shuffle(groups);
        var boxes = groups.Select(group => Enumerable.Range(0, categories).Select(category => group.Sum(i => examples[i].Boxes
            .Count(label => label.Category == category && !label.Difficult))).ToArray()).ToArray();
        var (fold, have, size) = (new int[examples.Count], new int[folds, categories], new int[folds]);
        var rarity = Enumerable.Range(0, categories).Select(category => boxes.Sum(group => group[category])).ToArray();
        foreach (var g in Enumerable.Range(0, groups.Length).OrderBy(Rarest).ThenByDescending(g => boxes[g].Sum()))
        {
            var category = Array.FindIndex(rarity, count => count == Rarest(g));
            var to = Enumerable.Range(0, folds).MinBy(f => (category < 0 ? 0 : have[f, category], size[f]));
            size[to] += groups[g].Length;
            for (var c = 0; c < categories; c++)
            {
                have[to, c] += boxes[g][c];
            }

            foreach (var i in groups[g])
            {
                fold[i] = to;
            }
        }

        return fold;

        // Images without boxes come last.
        int Rarest(int g) => Enumerable.Range(0, categories).Where(category => boxes[g][category] > 0)
            .Select(category => rarity[category]).DefaultIfEmpty(int.MaxValue).Min();
    }
}
