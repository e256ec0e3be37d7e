using System.Numerics.Tensors;
using Headstart.Learning.Heads;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Evaluation;

/// <summary>
/// Images that do not belong among the others of their category, as a search brings them: how alike an image is to the others is the mean
/// cosine of the angles between them, and one that is far less so than usual is out. What is usual is told by the upper half alone (its
/// median distance from the median, as in the median absolute deviation), which foreign images do not reach. With mobilenetv2-1.0, thirty
/// images of each of four categories of our public sets and ten of other sets among them, 78 % of the foreign ones are found and 2.5 % of
/// the others are taken for foreign; of ten images of another category of the same set, 13 %.
/// </summary>
public static class Outliers
{
    private const double NormalDeviation = 1.4826; // of a normal distribution, in its median absolute deviations

    /// <summary>Indices of the images that do not belong, in rising order.</summary>
    /// <param name="features">Of one category, <c>[n][d]</c>.</param>
    public static List<int> Find(IReadOnlyList<float[]> features)
    {
        ArgumentNullException.ThrowIfNull(features);
        if (features.Count < MinForOutliers)
        {
            return [];
        }

        var units = features.Select(NoveltyDetector.Unit).ToList();
        var sum = new float[units[0].Length];
        units.ForEach(unit => TensorPrimitives.Add(sum, unit, sum));
        // The sum of the cosines to all others is the product with the sum of all, less the one with itself.
        var alike = units.ConvertAll(unit => (double)(TensorPrimitives.Dot<float>(sum, unit) - TensorPrimitives.Dot<float>(unit, unit)) / (
            units.Count - 1));
        var median = Median(alike);
        var usual = NormalDeviation * Median(alike.FindAll(value => value >= median).ConvertAll(value => value - median));
        return [.. Enumerable.Range(0, alike.Count).Where(i => alike[i] < median - OutlierDeviations * usual - 1e-6)];
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
