using Headstart.Learning.Evaluation;
using Headstart.Learning.Heads;

namespace Headstart.Training;

/// <summary>Readable examples with their features.</summary>
/// <param name="Vectors">The vector of each item; the list may be sparse, since most word features are 0.</param>
public sealed record ReadItems(IReadOnlyList<Dataset.Item> Items, IReadOnlyList<float[]> Vectors);

/// <summary>The readable examples of a run with their features; near duplicates are in the same split.</summary>
/// <param name="All">Training and held-out examples together.</param>
/// <param name="Duplicates">Near duplicates, in groups.</param>
/// <param name="Unreadable">Examples without features.</param>
public sealed record Examples(
    LabelledFeatures All, LabelledFeatures Train, IReadOnlyList<Guid> TrainIds, LabelledFeatures Test, IReadOnlyList<Guid> TestIds,
    IReadOnlyList<IReadOnlyList<Guid>> Duplicates, IReadOnlyList<Guid> Unreadable)
{
    /// <param name="data">The run's examples.</param>
    /// <param name="read">The readable examples of <see cref="Dataset.Train"/>, then those of <see cref="Dataset.Test"/>.</param>
    /// <param name="alike">Pairs of near duplicates among them.</param>
    public static Examples Of(Dataset data, ReadItems read, IEnumerable<(int First, int Second)> alike)
    {
        var groups = NearDuplicates.Groups(read.Items.Count, alike);
        var members = Enumerable.Range(0, read.Items.Count).ToLookup(i => groups[i]);
        var held = data.Test.Select(item => item.ExampleId).ToHashSet();
        // A held-out near duplicate of a training example tests nothing.
        var heldOut = members.Where(group => group.All(i => held.Contains(read.Items[i].ExampleId))).SelectMany(group => group).ToHashSet();
        List<int> train = [.. Enumerable.Range(0, read.Items.Count).Where(i => !heldOut.Contains(i))], test = [.. heldOut.Order()];
        var all = data.Labelled(read.Vectors, read.Items) with { Groups = groups };
        var readable = read.Items.Select(item => item.ExampleId).ToHashSet();
        return new(all.Some([.. train, .. test]), all.Some(train), Ids(train), all.Some(test), Ids(test),
            [.. members.Where(group => group.Count() > 1).Select(group => (IReadOnlyList<Guid>)Ids(group))],
            [.. data.Train.Concat(data.Test).Select(item => item.ExampleId).Where(id => !readable.Contains(id))]);

        List<Guid> Ids(IEnumerable<int> some) => [.. some.Select(i => read.Items[i].ExampleId)];
    }
}
