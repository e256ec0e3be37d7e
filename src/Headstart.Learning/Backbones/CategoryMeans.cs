using System.Numerics.Tensors;

namespace Headstart.Learning.Backbones;

/// <summary>A photograph of which it is known what it shows.</summary>
/// <param name="Set">Photographs of one set are told apart from each other alone.</param>
/// <param name="Category">What it shows, one of the set's categories.</param>
/// <param name="Read">Reads its file; null if it is gone.</param>
public sealed record LabelledPhotograph(string Set, string Category, Func<byte[]?> Read);

/// <summary>
/// How well features tell categories apart, in seconds and without training: each photograph is given to the category whose mean direction
/// is nearest, its own mean taken without it (nearest class mean, Mensink et al., PAMI 2013; leave-one-out).
/// </summary>
internal static class CategoryMeans
{
    /// <param name="photographs">What the features are of.</param>
    /// <param name="features"><c>[n][d]</c>, each of length 1.</param>
    /// <returns>The share of photographs that come to their own category, 0..1; those whose category has no other, or whose set has no
    /// other category, are not counted.</returns>
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
