using Headstart.Learning.Evaluation;
using Headstart.Learning.Heads;

namespace Headstart.Training;

/// <summary>Readable examples with their features.</summary>
/// <param name="Vectors">The vector of each item; the list may be sparse, since most word features are 0.</param>
public sealed record ReadItems(IReadOnlyList<Dataset.Item> Items, IReadOnlyList<float[]> Vectors);

/// <summary>
/// The readable examples of a run with their features. Near duplicates are on the same side: a test example whose side nobody gave becomes
/// a training example beside one, and a training example beside one that was given as test is left out. Where that would leave a category
/// with nothing to learn from, its training examples stay and their look-alikes test nothing.
/// </summary>
/// <param name="All">What the served head learns from: training examples, and test examples whose side nobody gave.</param>
/// <param name="Duplicates">Near duplicates, in groups.</param>
/// <param name="Unreadable">Examples without features.</param>
/// <param name="Leaks">Training examples left out, because they look like an example given as test.</param>
/// <param name="Untested">Examples given as test that test nothing, because they look like all training examples of a category.</param>
public sealed record Examples(
    LabelledFeatures All, LabelledFeatures Train, IReadOnlyList<Guid> TrainIds, LabelledFeatures Test, IReadOnlyList<Guid> TestIds,
    IReadOnlyList<IReadOnlyList<Guid>> Duplicates, IReadOnlyList<Guid> Unreadable, IReadOnlyList<Guid> Leaks,
    IReadOnlyList<Guid> Untested)
{
    /// <param name="data">The run's examples.</param>
    /// <param name="read">The readable examples of <see cref="Dataset.Train"/>, then those of <see cref="Dataset.Test"/>.</param>
    /// <param name="alike">Pairs of near duplicates among them.</param>
    public static Examples Of(Dataset data, ReadItems read, IEnumerable<(int First, int Second)> alike)
    {
        var items = read.Items;
        var groups = NearDuplicates.Groups(items.Count, alike);
        var members = Enumerable.Range(0, items.Count).ToLookup(i => groups[i]);
        var held = data.Test.Select(item => item.ExampleId).ToHashSet();
        bool[] test = [.. items.Select(item => held.Contains(item.ExampleId))];
        var given = members.Where(group => group.Any(i => test[i] && items[i].SideGiven)).Select(group => group.Key).ToHashSet();
        var leaks = Enumerable.Range(0, items.Count).Where(i => !test[i] && given.Contains(groups[i])).ToHashSet();
        // A category must keep something to learn from.
        var kept = Enumerable.Range(0, items.Count).Where(i => !test[i] && !leaks.Contains(i)).SelectMany(i => items[i].Labels).ToHashSet();
        var needed = leaks.Where(i => items[i].Labels.Any(label => !kept.Contains(label))).Select(i => groups[i]).ToHashSet();
        leaks.RemoveWhere(i => needed.Contains(groups[i]));
        List<int> untested = [.. Enumerable.Range(0, items.Count).Where(i => test[i] && items[i].SideGiven && needed.Contains(groups[i]))];
        // A held-out near duplicate of a training example tests nothing.
        List<int> heldOut = [.. members.Where(group => group.All(i => test[i]) || given.Contains(group.Key) && !needed.Contains(group.Key))
            .SelectMany(group => group).Where(i => test[i]).Order()];
        List<int> train = [.. Enumerable.Range(0, items.Count).Except(heldOut).Except(leaks).Except(untested)];
        var all = data.Labelled(read.Vectors, items) with { Groups = groups };
        var readable = items.Select(item => item.ExampleId).ToHashSet();
        return new(all.Some([.. train, .. heldOut.Where(i => !items[i].SideGiven)]), all.Some(train), Ids(train), all.Some(heldOut),
            Ids(heldOut), [.. members.Where(group => group.Count() > 1).Select(group => (IReadOnlyList<Guid>)Ids(group))],
            [.. data.Train.Concat(data.Test).Select(item => item.ExampleId).Where(id => !readable.Contains(id))], Ids(leaks.Order()),
            Ids(untested));

        List<Guid> Ids(IEnumerable<int> some) => [.. some.Select(i => items[i].ExampleId)];
    }

    /// <summary>What became of the sides that a person gave, as sentences.</summary>
    public IEnumerable<string> Notices(string what)
    {
        if (Leaks.Count > 0)
        {
            yield return $"{Leaks.Count} of the {what} to learn from {(Leaks.Count == 1 ? "looks" : "look")} like {what} given as test and "
                + "did not take part in training, because the accuracy would be too good otherwise. The report lists which.";
        }

        if (Untested.Count > 0)
        {
            yield return $"{Untested.Count} of the {what} given as test {(Untested.Count == 1 ? "looks" : "look")} like all {what} that a "
                + $"category can be learned from. This says nothing about new {what}, so the accuracy is without: add others to test on.";
        }
    }
}
