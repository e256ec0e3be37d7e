using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Evaluation;

/// <summary>
/// The probability from which a label applies, where labels do not exclude each other. One half would suit if a false positive cost as much
/// as a false negative, but then rare labels would hardly ever apply. These thresholds maximise F1 (Lipton, Elkan and Naryanaswamy, ECML
/// 2014).
/// </summary>
public static class Thresholds
{
    /// <param name="probabilities"><c>[n][k]</c>, calibrated, from heads that did not learn from the image.</param>
    /// <param name="truth"><c>[n]</c>: the labels of each image, indices 0..k-1.</param>
    /// <returns><c>[k]</c>; one half for a label that no image has.</returns>
    public static float[] ForF1(IReadOnlyList<float[]> probabilities, IReadOnlyList<int[]> truth) =>
        [.. Enumerable.Range(0, probabilities[0].Length)
            .Select(k => ForF1([.. probabilities.Select((p, i) => (p[k], truth[i].Contains(k)))]))];

    /// <summary>Answers to images that their thresholds did not see: each fifth is answered with the thresholds of the other
    /// four.</summary>
    /// <param name="probabilities"><c>[n][k]</c>, calibrated, from heads that did not learn from the image.</param>
    /// <param name="truth"><c>[n]</c>: the labels of each image, indices 0..k-1.</param>
    /// <returns><c>[n]</c>: the labels that apply, in rising order.</returns>
    public static int[][] Answers(IReadOnlyList<float[]> probabilities, IReadOnlyList<int[]> truth)
    {
        var answers = new int[probabilities.Count][];
        for (var part = 0; part < ThresholdParts; part++)
        {
            int[] others = [.. Enumerable.Range(0, answers.Length).Where(i => i % ThresholdParts != part)];
            var thresholds = others.Length == 0 ? null
                : ForF1([.. others.Select(i => probabilities[i])], [.. others.Select(i => truth[i])]);
            for (var i = part; i < answers.Length; i += ThresholdParts)
            {
                answers[i] = [.. probabilities[i].Index().Where(p => p.Item >= (thresholds?[p.Index] ?? 0.5f)).Select(p => p.Index)];
            }
        }

        return answers;
    }

    private static float ForF1((float Probability, bool Applies)[] answers)
    {
        var all = answers.Count(answer => answer.Applies);
        var sorted = answers.OrderByDescending(answer => answer.Probability).ToArray();
        var (best, threshold, hits) = (0.0, 0.5f, 0);
        for (var i = 0; i < sorted.Length; i++)
        {
            hits += sorted[i].Applies ? 1 : 0;
            var next = i + 1 < sorted.Length ? sorted[i + 1].Probability : 0;
            var f1 = 2.0 * hits / (all + i + 1);
            if (sorted[i].Probability > next && f1 > best)
            {
                (best, threshold) = (f1, (sorted[i].Probability + next) / 2); // in the middle of the gap
            }
        }

        return all == 0 ? 0.5f : Math.Clamp(threshold, LowestThreshold, HighestThreshold);
    }
}
