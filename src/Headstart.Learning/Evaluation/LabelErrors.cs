namespace Headstart.Learning.Evaluation;

/// <summary>An image whose label may be wrong.</summary>
/// <param name="Image">Its index.</param>
/// <param name="Label">The label it has.</param>
/// <param name="Suggested">The one it more probably should have.</param>
/// <param name="LabelProbability">Probability of the label it has, by heads that have not learned from it, 0..1.</param>
/// <param name="SuggestedProbability">Of the suggested one.</param>
/// <param name="Confident">The suggested category is as probable here as it usually is for images labelled so.</param>
public sealed record Suspect(int Image, int Label, int Suggested, double LabelProbability, double SuggestedProbability, bool Confident);

/// <summary>An image some of whose labels may be wrong or missing.</summary>
/// <param name="Image">Its index.</param>
/// <param name="Suggested">The labels that it more probably should have, in rising order.</param>
/// <param name="LabelProbability">Of the most doubtful choice as it is, by heads that have not learned from the image, 0..1.</param>
/// <param name="SuggestedProbability">Of the opposite choice.</param>
/// <param name="Confident">For a label that is to change, that is as probable here as it usually is for images with that choice.</param>
public sealed record TagSuspect(int Image, int[] Suggested, double LabelProbability, double SuggestedProbability, bool Confident);

/// <summary>
/// Finds labels that are probably wrong: those of images that heads which have not learned from them take for something else, by how much
/// more likely they find it (the logarithm of the ratio; of labels swapped on purpose in our public sets it finds a quarter more than the
/// difference does). Which of them count as errors follows confident learning (Northcutt, Jiang and Chuang, JAIR 2021).
/// </summary>
public static class LabelErrors
{
    private const double Least = 1e-9;

    /// <param name="probabilities"><c>[n][k]</c>, of each image by heads that have not learned from it.</param>
    /// <param name="labels"><c>[n]</c></param>
    /// <returns>The most probable errors first: who looks from the top mends most in the least time.</returns>
    public static IReadOnlyList<Suspect> Find(IReadOnlyList<float[]> probabilities, IReadOnlyList<int> labels)
    {
        var usual = labels.Index().GroupBy(image => image.Item)
            .ToDictionary(group => group.Key, group => group.Average(image => probabilities[image.Index][group.Key]));
        return [.. probabilities.Zip(labels).Index().Select(image =>
            {
                var (p, label) = image.Item;
                var suggested = usual.Keys.Where(category => category != label).DefaultIfEmpty(label).MaxBy(category => p[category]);
                return new Suspect(image.Index, label, suggested, p[label], p[suggested], p[suggested] >= usual[suggested]);
            })
            .Where(suspect => suspect.SuggestedProbability > suspect.LabelProbability)
            .OrderBy(Doubt).ThenBy(suspect => suspect.Image)];
    }

    /// <summary>The same where each label may apply or not: one choice between no and yes for each of them.</summary>
    /// <param name="probabilities"><c>[n][k]</c>, of each image by heads that have not learned from it.</param>
    /// <param name="tags"><c>[n]</c>: the labels of each image, indices 0..k-1.</param>
    /// <returns>The most probable errors first, each image once.</returns>
    public static IReadOnlyList<TagSuspect> Find(IReadOnlyList<float[]> probabilities, IReadOnlyList<int[]> tags)
    {
        var choices = Enumerable.Range(0, probabilities.Count == 0 ? 0 : probabilities[0].Length).SelectMany(k =>
            Find([.. probabilities.Select(p => (float[])[1 - p[k], p[k]])], [.. tags.Select(labels => labels.Contains(k) ? 1 : 0)])
                .Select(suspect => (Suspect: suspect, Tag: k)));
        return [.. choices.OrderBy(choice => Doubt(choice.Suspect)).GroupBy(choice => choice.Suspect.Image).Select(image =>
        {
            var (worst, changed) = (image.First().Suspect, image.Select(choice => choice.Tag).ToList());
            int[] suggested = [.. tags[image.Key].Except(changed).Concat(changed.Except(tags[image.Key])).Order()];
            return new TagSuspect(image.Key, suggested, worst.LabelProbability, worst.SuggestedProbability,
                image.Any(choice => choice.Suspect.Confident));
        })];
    }

    private static double Doubt(Suspect suspect) =>
        Math.Log(suspect.LabelProbability + Least) - Math.Log(suspect.SuggestedProbability + Least);
}
