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
    // Measured on our public sets: files scaled, compressed or cropped by a tenth, against different photographs of the same thing.
    private const double Alike = 0.85;
    private const int SamePicture = 6; // of 64 bits
    private const double AlmostTheSame = 0.95;
    private const int AlmostTheSamePicture = 10;

    /// <summary>Training and held-out images together.</summary>
    public LabelledFeatures All => new([.. Train.Features, .. Test.Features], [.. Train.Labels, .. Test.Labels], Train.Categories);

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
            return (new LabelledFeatures(rows.ConvertAll(i => features[i]), rows.ConvertAll(i => all[readable[i]].Label), data.Categories)
            {
                Groups = rows.ConvertAll(i => groups[i]),
            }, rows.ConvertAll(i => all[readable[i]].ImageId));
        }
    }

    /// <summary>Alike to the backbone, and to a hash of where the picture is bright as well: each alone has too many false alarms.</summary>
    private static async Task<List<(int, int)>> PairsAsync(List<float[]> features, List<byte[]> images, IBlobStore blobs, CancellationToken cancel)
    {
        var pairs = await Task.Run(() => NearDuplicates.Alike(features, Alike, cancel), cancel);
        var hashes = new ulong?[features.Count];
        await Parallel.ForEachAsync(pairs.SelectMany(pair => (int[])[pair.First, pair.Second]).Distinct(),
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancel },
            async (i, token) => hashes[i] = await HashAsync(images[i], blobs, token));
        return pairs.FindAll(pair => hashes[pair.First] is { } one && hashes[pair.Second] is { } other && PerceptualHash.Distance(one, other) is var distance
            && (distance <= SamePicture || (distance <= AlmostTheSamePicture && pair.Cosine >= AlmostTheSame)))
            .ConvertAll(pair => (pair.First, pair.Second));
    }

    private static async Task<ulong?> HashAsync(byte[] sha256, IBlobStore blobs, CancellationToken cancel)
    {
        try
        {
            return await blobs.GetAsync(sha256, cancel) is { } bytes ? PerceptualHash.Of(bytes) : null;
        }
        catch (ImageRefusedException)
        {
            return null; // its features came from the cache and its file has been damaged since
        }
    }
}
