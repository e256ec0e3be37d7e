using Headstart.Learning.Evaluation;
using Headstart.Learning.Imaging;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Similarity;

/// <summary>Finds near-duplicate images: the same picture scaled, compressed or slightly cropped.</summary>
public static class LookAlikes
{
    // On our public data sets, scaled or compressed files have a fingerprint similarity of at least 0.98 to the original and a backbone
    // similarity of 0.83; cropped by 5 %, 0.8 to 0.99 and 0.95. Different photographs stay below 0.9, except bare steel (0.97 and 0.93).

    /// <summary>Compares all pairs by backbone features, which is fast, and the similar ones by fingerprint.</summary>
    /// <param name="features">The features of each image, <c>[n][d]</c>.</param>
    /// <param name="images">The SHA-256 of each image.</param>
    /// <param name="prints">The store of their fingerprints.</param>
    public static async Task<List<(int First, int Second)>> PairsAsync(List<float[]> features, List<byte[]> images, Fingerprints prints,
        CancellationToken cancel)
    {
        var pairs = await Task.Run(() => NearDuplicates.Alike(features, SimilarFeatures, cancel), cancel);
        int[] looked = [.. pairs.Select(pair => pair.First).Concat(pairs.Select(pair => pair.Second)).Distinct()];
        var of = new Fingerprint?[images.Count];
        foreach (var (i, print) in looked.Zip(await prints.GetAsync([.. looked.Select(i => images[i])], cancel)))
        {
            of[i] = print;
        }

        return pairs.FindAll(pair => of[pair.First] is { } one && of[pair.Second] is { } other && one.Likeness(other) is var likeness
            && (likeness >= SamePicture || (likeness >= AlmostSamePicture && pair.Cosine >= AlmostSameFeatures)))
            .ConvertAll(pair => (pair.First, pair.Second));
    }
}
