namespace Headstart.Training;

/// <summary>
/// Splits examples into train and test so that look-alikes are on the same side. A test example that looks like a training example becomes
/// one, unless a person gave it as test: then the training example is left out. If that would leave a category with nothing to learn from,
/// its training examples stay and their look-alikes test nothing.
/// </summary>
/// <param name="Train">Ascending indices into the items, as in the other lists.</param>
/// <param name="Leaks">Training examples left out, because they look like an example given as test.</param>
/// <param name="Untested">Examples given as test that test nothing, because they look like all training examples of a category.</param>
public sealed record TrainTestSplit(IReadOnlyList<int> Train, IReadOnlyList<int> Test, IReadOnlyList<int> Leaks,
    IReadOnlyList<int> Untested)
{
    /// <param name="data">The run's examples.</param>
    /// <param name="items">The readable ones, <c>[n]</c>.</param>
    /// <param name="groups"><c>[n]</c>, equal for look-alikes.</param>
    public static TrainTestSplit Of(Dataset data, IReadOnlyList<Dataset.Item> items, IReadOnlyList<int> groups)
    {
        List<int> all = [.. Enumerable.Range(0, items.Count)];
        var held = data.Test.Select(item => item.ExampleId).ToHashSet();
        bool[] test = [.. items.Select(item => held.Contains(item.ExampleId))];
        var given = all.Where(i => test[i] && items[i].SideGiven).Select(i => groups[i]).ToHashSet();
        var leaks = all.FindAll(i => !test[i] && given.Contains(groups[i]));
        // A category must keep something to learn from.
        var kept = all.Except(leaks).Where(i => !test[i]).SelectMany(i => items[i].Labels).ToHashSet();
        var needed = leaks.Where(i => items[i].Labels.Any(label => !kept.Contains(label))).Select(i => groups[i]).ToHashSet();
        leaks.RemoveAll(i => needed.Contains(groups[i]));
        given.ExceptWith(needed);
        // A held-out near duplicate of a training example tests nothing.
        var trained = all.Where(i => !test[i]).Select(i => groups[i]).ToHashSet();
        var untested = all.FindAll(i => test[i] && items[i].SideGiven && needed.Contains(groups[i]));
        var heldOut = all.FindAll(i => test[i] && (given.Contains(groups[i]) || !trained.Contains(groups[i])));
        return new([.. all.Except(heldOut).Except(leaks).Except(untested)], heldOut, leaks, untested);
    }
}
