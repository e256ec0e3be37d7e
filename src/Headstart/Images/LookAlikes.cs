using Headstart.Blobs;
using Headstart.Learning.Evaluation;
using Headstart.Learning.Imaging;

namespace Headstart.Images;

/// <summary>Stored images that are one picture: scaled, compressed or cut a little.</summary>
public static class LookAlikes
{
    // On our public sets, files that were scaled or compressed are at least 0.98 like the original and 0.83 alike to a backbone; cut by a
    // twentieth, 0.8 to 0.99 and 0.95. Of different photographs no two are more than 0.9 like each other, but for bare steel (0.97 and 0.93).
    private const double Alike = 0.8;
    private const double SamePicture = 0.975;
    private const double AlmostAlike = 0.965;
    private const double AlmostTheSamePicture = 0.9;

    /// <summary>Alike to the backbone, which is quick to tell of all pairs, and then place by place.</summary>
    /// <param name="features">Of each image, <c>[n][d]</c>.</param>
    /// <param name="images">SHA-256 of each.</param>
    public static async Task<List<(int First, int Second)>> PairsAsync(List<float[]> features, List<byte[]> images, IBlobStore blobs, CancellationToken cancel)
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
