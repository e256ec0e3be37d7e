using Headstart.Learning.Evaluation;
using Headstart.Learning.Imaging;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Examples;

/// <summary>Stored images that are one picture: scaled, compressed or cut a little.</summary>
public static class LookAlikes
{
    // On our public sets, files that were scaled or compressed are at least 0.98 like the original and 0.83 alike to a backbone; cut by a
    // twentieth, 0.8 to 0.99 and 0.95. Of different photographs no two are more than 0.9 like each other, but for bare steel (0.97 and 0.93).

    /// <summary>Alike to the backbone, which is quick to tell of all pairs, and then place by place.</summary>
    /// <param name="features">Of each image, <c>[n][d]</c>.</param>
    /// <param name="images">SHA-256 of each.</param>
    /// <param name="prints">Where their fingerprints are kept.</param>
    /// <param name="cancel">Ends the work.</param>
    public static async Task<List<(int First, int Second)>> PairsAsync(List<float[]> features, List<byte[]> images, Fingerprints prints, CancellationToken cancel)
    {
        var pairs = await Task.Run(() => NearDuplicates.Alike(features, SameFingerprint, cancel), cancel);
        int[] looked = [.. pairs.Select(pair => pair.First).Concat(pairs.Select(pair => pair.Second)).Distinct()];
        var of = new Fingerprint?[images.Count];
        foreach (var (i, print) in looked.Zip(await prints.GetAsync([.. looked.Select(i => images[i])], cancel)))
        {
            of[i] = print;
        }

        return pairs.FindAll(pair => of[pair.First] is { } one && of[pair.Second] is { } other && one.Likeness(other) is var likeness
            && (likeness >= SamePicture || (likeness >= AlmostSamePicture && pair.Cosine >= AlmostSameFingerprint)))
            .ConvertAll(pair => (pair.First, pair.Second));
    }
}
