using Headstart.Blobs;
using Headstart.Images;
using Headstart.Learning.Evaluation;
using Headstart.Learning.Heads;

namespace Headstart.Training;

/// <summary>The images of a run that could be read, with their features; near duplicates are on one side.</summary>
/// <param name="Duplicates">Near duplicates, in groups.</param>
/// <param name="Unreadable">Images without features.</param>
public sealed record Examples(
    LabelledFeatures Train, IReadOnlyList<Guid> TrainIds, LabelledFeatures Test, IReadOnlyList<Guid> TestIds,
    IReadOnlyList<IReadOnlyList<Guid>> Duplicates, IReadOnlyList<Guid> Unreadable)
{
    /// <summary>Training and held-out images together.</summary>
    public LabelledFeatures All => Train.Tags is null
        ? new([.. Train.Features, .. Test.Features], [.. Train.Labels, .. Test.Labels], Train.Categories)
        : LabelledFeatures.Tagged([.. Train.Features, .. Test.Features], [.. Train.Tags, .. Test.Tags!], Train.Categories);

    /// <param name="data">What the run learns from.</param>
    /// <param name="vectors">Of <see cref="Dataset.Train"/> and then <see cref="Dataset.Test"/>; null where an image could not be read.</param>
    public static async Task<Examples> OfAsync(Dataset data, float[]?[] vectors, IBlobStore blobs, CancellationToken cancel)
    {
        var all = data.Train.Concat(data.Test).ToList();
        var readable = Enumerable.Range(0, all.Count).Where(i => vectors[i] is not null).ToList();
        var features = readable.ConvertAll(i => vectors[i]!);
        var groups = NearDuplicates.Groups(readable.Count, await LookAlikes.PairsAsync(features, readable.ConvertAll(i => all[i].Sha256), blobs, cancel));
        var members = Enumerable.Range(0, readable.Count).ToLookup(i => groups[i]);
        // A held-out image that looks like one that is learned from tests nothing.
        var heldOut = members.Where(group => group.All(i => readable[i] >= data.Train.Count)).SelectMany(group => group).ToHashSet();
        var (train, test) = (Side(i => !heldOut.Contains(i)), Side(heldOut.Contains));
        return new(train.Set, train.Ids, test.Set, test.Ids,
            [.. members.Where(group => group.Count() > 1).Select(group => (IReadOnlyList<Guid>)[.. group.Select(i => all[readable[i]].ImageId)])],
            [.. all.Where((_, i) => vectors[i] is null).Select(item => item.ImageId)]);

        (LabelledFeatures Set, List<Guid> Ids) Side(Func<int, bool> belongs)
        {
            var rows = Enumerable.Range(0, readable.Count).Where(belongs).ToList();
            return (data.Labelled(rows.ConvertAll(i => features[i]), rows.ConvertAll(i => all[readable[i]])) with
            {
                Groups = rows.ConvertAll(i => groups[i]),
            }, rows.ConvertAll(i => all[readable[i]].ImageId));
        }
    }
}
