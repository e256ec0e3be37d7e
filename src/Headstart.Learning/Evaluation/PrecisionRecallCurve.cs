using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Evaluation;

/// <summary>Precision and recall when a category is answered from this probability on.</summary>
/// <param name="Probability">The threshold.</param>
/// <param name="Precision">Share of the images with at least that probability that belong to the category.</param>
/// <param name="Recall">Share of the category's images that have at least that probability.</param>
public sealed record PrecisionRecallPoint(double Probability, double Precision, double Recall);

/// <summary>How recall rises and precision falls as the threshold of a category is lowered.</summary>
/// <param name="Category">Its name.</param>
/// <param name="AveragePrecision">Mean of the precision over the recall, 0..1: 1 if all images of the category rank before all
/// others.</param>
/// <param name="Points">From high probabilities to low ones; at most 20.</param>
public sealed record PrecisionRecallCurve(string Category, double AveragePrecision, IReadOnlyList<PrecisionRecallPoint> Points)
{
    /// <param name="category">Its name.</param>
    /// <param name="probabilities"><c>[n]</c>: probability of the category, from heads that did not learn from the image.</param>
    /// <param name="belongs"><c>[n]</c></param>
    /// <returns>null if no image belongs to the category.</returns>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static PrecisionRecallCurve? Of(string category, IReadOnlyList<float> probabilities, IReadOnlyList<bool> belongs)
    {
        if (probabilities.Count != belongs.Count)
        {
            throw new ArgumentException($"There are {probabilities.Count} probabilities and {belongs.Count} answers.", nameof(belongs));
        }

        var all = belongs.Count(own => own);
        if (all == 0)
        {
            return null;
        }

        var (points, sum, hits, count) = (new List<PrecisionRecallPoint>(), 0.0, 0, 0);
        foreach (var equal in probabilities.Zip(belongs).GroupBy(image => image.First, image => image.Second)
            .OrderByDescending(equal => equal.Key))
        {
            var more = equal.Count(own => own);
            (hits, count) = (hits + more, count + equal.Count());
            if (more > 0) // otherwise precision falls at the same recall
            {
                points.Add(new(equal.Key, (double)hits / count, (double)hits / all));
                sum += points[^1].Precision * more;
            }
        }

        return new(category, sum / all, Thin(points));
    }

    /// <summary>The first, the last, and evenly spaced ones between.</summary>
    private static List<PrecisionRecallPoint> Thin(List<PrecisionRecallPoint> points) => points.Count <= MostCurvePoints ? points
        : [.. Enumerable.Range(0, MostCurvePoints).Select(i => points[i * (points.Count - 1) / (MostCurvePoints - 1)])];
}
