namespace Headstart.Learning.Evaluation;

/// <summary>Metrics of one category.</summary>
/// <param name="Category">Its name.</param>
/// <param name="Support">Images that belong to it.</param>
/// <param name="Precision">Share of the images predicted as this category that belong to it; null if none was predicted.</param>
/// <param name="Recall">Share of its images that were recognised; null if it has none.</param>
public sealed record ClassMetrics(string Category, int Support, double? Precision, double? Recall)
{
    /// <summary>Harmonic mean of precision and recall; null if both are null.</summary>
    public double? F1 => this is { Precision: null, Recall: null } ? null
        : Precision + Recall is > 0 and var sum ? 2 * Precision * Recall / sum : 0;
}

/// <summary>How predictions compare with the truth.</summary>
/// <param name="Count">n, the number of images.</param>
/// <param name="Accuracy">Share of correct predictions, 0..1; 0 without images. If an image has several labels, all of them must be
/// right.</param>
/// <param name="AccuracyInterval">95 % Wilson interval of the accuracy.</param>
/// <param name="Classes"><c>[k]</c></param>
/// <param name="Confusion">Counts <c>[truth][predicted]</c>, <c>[k][k]</c>; empty where labels do not exclude each other.</param>
/// <param name="Mistakes">Per category, its images that were missed and images of others that were taken for it, <c>[k]</c>.</param>
public sealed record Evaluation(
    int Count, double Accuracy, Interval AccuracyInterval, IReadOnlyList<ClassMetrics> Classes, IReadOnlyList<IReadOnlyList<int>> Confusion,
    IReadOnlyList<int> Mistakes)
{
    /// <param name="truth"><c>[n]</c>, indices into <paramref name="categories"/>.</param>
    /// <param name="predicted"><c>[n]</c>, indices into <paramref name="categories"/>.</param>
    /// <param name="categories">The k names.</param>
    public static Evaluation Of(IReadOnlyList<int> truth, IReadOnlyList<int> predicted, IReadOnlyList<string> categories) =>
        Of([.. truth.Select(label => (int[])[label])], [.. predicted.Select(label => (int[])[label])], categories, exclusive: true);

    /// <param name="truth"><c>[n]</c>: the labels of each image, indices into <paramref name="categories"/> in rising order.</param>
    /// <param name="predicted"><c>[n]</c>, in the same form.</param>
    /// <param name="categories">The k names.</param>
    /// <param name="exclusive">Whether every image has exactly one label.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An index is not one of a category.</exception>
    public static Evaluation Of(IReadOnlyList<int[]> truth, IReadOnlyList<int[]> predicted, IReadOnlyList<string> categories,
        bool exclusive)
    {
        if (truth.Count != predicted.Count)
        {
            throw new ArgumentException($"There are {truth.Count} true and {predicted.Count} predicted answers.", nameof(predicted));
        }

        int[] Count(IEnumerable<int> labels)
        {
            var counts = new int[categories.Count];
            foreach (var label in labels)
            {
                ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)label, (uint)counts.Length, nameof(labels));
                counts[label]++;
            }

            return counts;
        }

        var (support, answers) = (Count(truth.SelectMany(labels => labels)), Count(predicted.SelectMany(labels => labels)));
        var hits = Count(truth.Zip(predicted, (labels, answer) => labels.Intersect(answer)).SelectMany(labels => labels));
        var correct = truth.Zip(predicted, (labels, answer) => labels.SequenceEqual(answer)).Count(right => right);
        int[][] confusion = exclusive ? [.. categories.Select(_ => new int[categories.Count])] : [];
        foreach (var (labels, answer) in exclusive ? truth.Zip(predicted) : [])
        {
            confusion[labels[0]][answer[0]]++;
        }

        return new Evaluation(truth.Count, Share(correct, truth.Count) ?? 0, Wilson.Interval95(correct, truth.Count),
            [.. categories.Select((category, k) => new ClassMetrics(category, support[k], Share(hits[k], answers[k]),
                Share(hits[k], support[k])))], confusion,
            [.. categories.Select((_, k) => support[k] + answers[k] - 2 * hits[k])]);
    }

    /// <summary>The same evaluation with a wider interval: images that look alike are right or wrong together and count only
    /// once.</summary>
    /// <param name="different">Number of distinct images.</param>
    public Evaluation Counting(int different) =>
        different == Count ? this : this with { AccuracyInterval = Wilson.Interval95(Accuracy * different, different) };

    private static double? Share(int part, int whole) => whole == 0 ? null : (double)part / whole;
}
