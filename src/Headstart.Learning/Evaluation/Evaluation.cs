namespace Headstart.Learning.Evaluation;

/// <summary>How one category fares.</summary>
/// <param name="Category">Its name.</param>
/// <param name="Support">Images that belong to it.</param>
/// <param name="Precision">Share of the images predicted as this category that belong to it; null if none was predicted.</param>
/// <param name="Recall">Share of its images that were recognised; null if it has none.</param>
public sealed record ClassMetrics(string Category, int Support, double? Precision, double? Recall);

/// <summary>How predictions compare with the truth.</summary>
/// <param name="Count">n, the number of images.</param>
/// <param name="Accuracy">Share of correct predictions, 0..1; 0 without images.</param>
/// <param name="AccuracyInterval">95 % Wilson interval of the accuracy.</param>
/// <param name="Classes"><c>[k]</c></param>
/// <param name="Confusion">Counts <c>[truth][predicted]</c>, <c>[k][k]</c>.</param>
public sealed record Evaluation(
    int Count, double Accuracy, Interval AccuracyInterval, IReadOnlyList<ClassMetrics> Classes, IReadOnlyList<IReadOnlyList<int>> Confusion)
{
    /// <param name="truth"><c>[n]</c>, indices into <paramref name="categories"/>.</param>
    /// <param name="predicted"><c>[n]</c>, indices into <paramref name="categories"/>.</param>
    /// <param name="categories">The k names.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An index is not that of a category.</exception>
    public static Evaluation Of(IReadOnlyList<int> truth, IReadOnlyList<int> predicted, IReadOnlyList<string> categories)
    {
        ArgumentNullException.ThrowIfNull(truth);
        ArgumentNullException.ThrowIfNull(predicted);
        ArgumentNullException.ThrowIfNull(categories);
        var confusion = Confuse(truth, predicted, categories.Count);
        var correct = categories.Select((_, k) => confusion[k][k]).Sum();
        var classes = categories.Select((category, k) =>
        {
            var support = confusion[k].Sum();
            return new ClassMetrics(category, support, Share(confusion[k][k], confusion.Sum(row => row[k])), Share(confusion[k][k], support));
        });
        return new Evaluation(truth.Count, Share(correct, truth.Count) ?? 0, Wilson.Interval95(correct, truth.Count), [.. classes], confusion);
    }

    private static int[][] Confuse(IReadOnlyList<int> truth, IReadOnlyList<int> predicted, int classes)
    {
        if (truth.Count != predicted.Count)
        {
            throw new ArgumentException($"There are {truth.Count} true and {predicted.Count} predicted categories.", nameof(predicted));
        }

        int[][] confusion = [.. Enumerable.Range(0, classes).Select(_ => new int[classes])];
        for (var i = 0; i < truth.Count; i++)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)truth[i], (uint)classes, nameof(truth));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)predicted[i], (uint)classes, nameof(predicted));
            confusion[truth[i]][predicted[i]]++;
        }

        return confusion;
    }

    private static double? Share(int part, int whole) => whole == 0 ? null : (double)part / whole;
}
