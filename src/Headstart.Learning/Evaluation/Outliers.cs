using System.Numerics.Tensors;
using Headstart.Learning.Heads;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Evaluation;

/// <summary>
/// Images that do not belong among the others of their category, as a search brings them: how alike an image is to the others is the mean
/// cosine of the angles between them, and one that is far less so than usual is out. What is usual is the median absolute deviation from
/// the median, which a few foreign images hardly move. With mobilenetv2-1.0, 24 images of each of twelve categories of our public sets and
/// five of other sets among those of nine of them, 80 % of the foreign ones are found and 4 % of the others are taken for foreign; with
/// headstart-small 63 and 4 %.
/// </summary>
public static class Outliers
{
    private const double NormalDeviation = 1.4826; // of a normal distribution, in its median absolute deviations

    /// <summary>Indices of the images that do not belong, in rising order.</summary>
    /// <param name="features">Of one category, <c>[n][d]</c>.</param>
    public static List<int> Find(IReadOnlyList<float[]> features)
    {
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
        var usual = NormalDeviation * Median(alike.ConvertAll(value => Math.Abs(value - median)));
        return [.. Enumerable.Range(0, alike.Count).Where(i => alike[i] < median - OutlierDeviations * usual - 1e-6)];
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
