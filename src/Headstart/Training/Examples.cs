using Headstart.Learning.Evaluation;
using Headstart.Learning.Heads;

namespace Headstart.Training;

/// <summary>Readable examples with their features.</summary>
/// <param name="Vectors">The vector of each item; the list may be sparse, since most word features are 0.</param>
public sealed record ReadItems(IReadOnlyList<Dataset.Item> Items, IReadOnlyList<float[]> Vectors);

/// <summary>The readable examples of a run with their features, split by <see cref="TrainTestSplit"/>.</summary>
/// <param name="All">What the served head learns from: training examples, and test examples whose side nobody gave.</param>
/// <param name="Duplicates">Groups of near duplicates.</param>
/// <param name="Unreadable">Examples without features.</param>
/// <param name="Leaks">See <see cref="TrainTestSplit"/>, also for <paramref name="Untested"/>.</param>
public sealed record Examples(
    LabelledFeatures All, LabelledFeatures Train, IReadOnlyList<Guid> TrainIds, LabelledFeatures Test, IReadOnlyList<Guid> TestIds,
    IReadOnlyList<IReadOnlyList<Guid>> Duplicates, IReadOnlyList<Guid> Unreadable, IReadOnlyList<Guid> Leaks,
    IReadOnlyList<Guid> Untested)
{
    /// <param name="data">The run's examples.</param>
    /// <param name="read">The readable examples of <see cref="Dataset.Train"/>, then those of <see cref="Dataset.Test"/>.</param>
    /// <param name="alike">Pairs of near duplicates among them.</param>
    /// <param name="prior">See <see cref="LabelledFeatures.Prior"/>.</param>
    public static Examples Of(Dataset data, ReadItems read, IEnumerable<(int First, int Second)> alike, DenseLayer? prior = null)
    {
        var items = read.Items;
        var groups = NearDuplicates.Groups(items.Count, alike);
        var sides = TrainTestSplit.Of(data, items, groups);
        var all = data.Labelled(read.Vectors, items) with { Groups = groups, Prior = prior };
        var readable = items.Select(item => item.ExampleId).ToHashSet();
        var alikes = Enumerable.Range(0, items.Count).GroupBy(i => groups[i]).Where(group => group.Count() > 1);
        return new(all.Some([.. sides.Train, .. sides.Test.Where(i => !items[i].SideGiven)]), all.Some(sides.Train), Ids(sides.Train),
            all.Some(sides.Test), Ids(sides.Test), [.. alikes.Select(group => (IReadOnlyList<Guid>)Ids(group))],
            [.. data.Train.Concat(data.Test).Select(item => item.ExampleId).Where(id => !readable.Contains(id))], Ids(sides.Leaks),
            Ids(sides.Untested));

        List<Guid> Ids(IEnumerable<int> some) => [.. some.Select(i => items[i].ExampleId)];
    }

    /// <summary>Sentences about the examples left out because of the sides that a person gave.</summary>
    public IEnumerable<string> Notices(string what)
    {
        if (Leaks.Count > 0)
        {
            yield return $"{Leaks.Count} of the {what} to learn from {(Leaks.Count == 1 ? "looks" : "look")} like {what} given as test and "
                + "did not take part in training, since that would overstate the accuracy. The report lists them.";
        }

        if (Untested.Count > 0)
        {
            yield return $"{Untested.Count} of the {what} given as test {(Untested.Count == 1 ? "looks" : "look")} like all {what} that a "
                + $"category can be learned from. Such {what} say nothing about new ones, so they do not count: add others to test on.";
        }
    }
}
