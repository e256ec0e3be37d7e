using Headstart.Blobs;
using Headstart.Learning.Evaluation;
using Headstart.Learning.Heads;
using Headstart.Learning.Imaging;

namespace Headstart.Training;

/// <summary>The images of a run that could be read, with their features; near duplicates are on one side.</summary>
/// <param name="Duplicates">Near duplicates, in groups.</param>
/// <param name="Unreadable">Images without features.</param>
public sealed record Examples(
    LabelledFeatures Train, IReadOnlyList<Guid> TrainIds, LabelledFeatures Test, IReadOnlyList<Guid> TestIds,
    IReadOnlyList<IReadOnlyList<Guid>> Duplicates, IReadOnlyList<Guid> Unreadable)
{
    // On our public sets, files that were scaled or compressed are at least 0.98 like the original and 0.83 alike to a backbone; cut by a
    // twentieth, 0.8 to 0.99 and 0.95. Of different photographs no two are more than 0.9 like each other, but for bare steel (0.97 and 0.93).
    private const double Alike = 0.8;
    private const double SamePicture = 0.975;
    private const double AlmostAlike = 0.965;
    private const double AlmostTheSamePicture = 0.9;

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
        var groups = NearDuplicates.Groups(readable.Count, await PairsAsync(features, readable.ConvertAll(i => all[i].Sha256), blobs, cancel));
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

    /// <summary>Alike to the backbone, which is quick to tell of all pairs, and then place by place.</summary>
    private static async Task<List<(int, int)>> PairsAsync(List<float[]> features, List<byte[]> images, IBlobStore blobs, CancellationToken cancel)
    {
        var pairs = await Task.Run(() => NearDuplicates.Alike(features, Alike, cancel), cancel);
        var prints = new Fingerprint?[features.Count];
        await Parallel.ForEachAsync(pairs.SelectMany(pair => (int[])[pair.First, pair.Second]).Distinct(),
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancel },
            async (i, token) => prints[i] = await PrintAsync(images[i], blobs, token));
        return pairs.FindAll(pair => prints[pair.First] is { } one && prints[pair.Second] is { } other && one.Likeness(other) is var likeness
            && (likeness >= SamePicture || (likeness >= AlmostTheSamePicture && pair.Cosine >= AlmostAlike)))
            .ConvertAll(pair => (pair.First, pair.Second));
    }

    private static async Task<Fingerprint?> PrintAsync(byte[] sha256, IBlobStore blobs, CancellationToken cancel)
    {
        try
        {
            return await blobs.GetAsync(sha256, cancel) is { } bytes ? Fingerprint.Of(bytes) : null;
        }
        catch (ImageRefusedException)
        {
            return null; // its features came from the cache and its file has been damaged since
        }
    }
}
