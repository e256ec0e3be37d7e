using System.Numerics.Tensors;

namespace Headstart.Learning.Backbones;

/// <summary>A photograph with a known category.</summary>
/// <param name="Set">Photographs are only compared within their set.</param>
/// <param name="Category">One of the set's categories.</param>
/// <param name="Read">Reads its file; null if it is gone.</param>
public sealed record LabelledPhotograph(string Set, string Category, Func<byte[]?> Read);

/// <summary>
/// Measures how well features separate categories, in seconds and without training: each photograph is assigned to the category with the
/// nearest mean direction, with itself left out of its own mean (nearest class mean, Mensink et al., PAMI 2013; leave-one-out).
/// </summary>
internal static class CategoryMeans
{
    /// <param name="photographs">The n photographs.</param>
    /// <param name="features"><c>[n][d]</c>, each of length 1.</param>
    /// <returns>Share of photographs assigned to their own category, 0..1, without those that are alone in their category or whose set has
    /// only one category.</returns>
    public static double Accuracy(IReadOnlyList<LabelledPhotograph> photographs, IReadOnlyList<float[]> features)
    {
        var (right, counted) = (0, 0);
        foreach (var set in photographs.Zip(features, (photograph, vector) => (photograph.Set, photograph.Category, vector))
            .GroupBy(labelled => labelled.Set))
        {
            var sums = set.GroupBy(labelled => labelled.Category).Where(alike => alike.Skip(1).Any())
                .ToDictionary(alike => alike.Key, alike => Sum(alike.Select(labelled => labelled.vector)));
            foreach (var (_, category, vector) in set.Where(labelled => sums.Count > 1 && sums.ContainsKey(labelled.Category)))
            {
                var nearest = sums.MaxBy(sum => Cosine(vector, sum.Value, itself: sum.Key == category)).Key;
                (right, counted) = (right + (nearest == category ? 1 : 0), counted + 1);
            }
        }

        return counted == 0 ? 0 : (double)right / counted;
    }

    private static float[] Sum(IEnumerable<float[]> vectors)
    {
        float[]? sum = null;
        foreach (var vector in vectors)
        {
            sum ??= new float[vector.Length];
            TensorPrimitives.Add(sum, vector, sum);
        }

        return sum!;
    }

    private static float Cosine(float[] vector, float[] sum, bool itself)
    {
        if (!itself)
        {
            return TensorPrimitives.CosineSimilarity(vector, sum);
        }

        var others = new float[sum.Length];
        TensorPrimitives.Subtract(sum, vector, others);
        return TensorPrimitives.CosineSimilarity(vector, others);
    }
}
