using System.Numerics.Tensors;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Heads;

/// <summary>
/// The part of feature space that a head knows: vectors near the mean direction of one of its categories. A softmax must divide all
/// probability among the categories, so only this can answer "none of them". Nearness is the cosine to the nearest mean direction; on our
/// public sets that detects foreign images as well as the distance to the nearest training images, and takes k vectors instead of n.
/// Immutable and thread-safe.
/// </summary>
public sealed class NoveltyDetector
{
    private const double Anything = -2; // below every cosine

    private readonly float[][] _directions;

    /// <param name="directions">A vector <c>[d]</c> of length 1 for each category.</param>
    /// <param name="threshold">Images with a smaller nearness are unknown.</param>
    public NoveltyDetector(IReadOnlyList<float[]> directions, double threshold)
    {
        ArgumentOutOfRangeException.ThrowIfZero(directions.Count);
        if (directions.Any(direction => direction.Length != directions[0].Length || !direction.All(float.IsFinite))
            || !double.IsFinite(threshold))
        {
            throw new ArgumentException("Directions must have one length, and they and the threshold must be finite.");
        }

        (_directions, Threshold) = ([.. directions], threshold);
    }

    /// <summary>A detector that calls nothing unknown, for a head that has seen no image.</summary>
    /// <param name="directions">As in the constructor.</param>
    internal static NoveltyDetector OfAnything(IReadOnlyList<float[]> directions) => new(directions, Anything);

    /// <summary><c>[k][d]</c></summary>
    public IReadOnlyList<float[]> Directions => _directions;

    public double Threshold { get; }

    /// <summary>Learns from images of the categories. Each is compared with means that exclude it and its look-alikes, as for a new image.
    /// A category whose images all look alike does not contribute.</summary>
    /// <param name="set">At least two categories.</param>
    /// <param name="falseAlarms">Wanted share of images of the categories that count as unknown.</param>
    /// <returns>A detector that calls nothing unknown if no image contributes.</returns>
    public static NoveltyDetector Of(LabelledFeatures set, double falseAlarms = FalseAlarms)
    {
        var sums = set.Categories.Select(_ => new float[set.Dimensions]).ToList();
        var scenes = set.Scenes();
        var alike = Enumerable.Range(0, set.Count).SelectMany(i => set.LabelsOf(i).Select(label => (label, set.Group(i))))
            .CountBy(group => group).Where(group => group.Value > 1).ToDictionary(group => group.Key, _ => new float[set.Dimensions]);
        for (var i = 0; i < set.Count; i++)
        {
            foreach (var label in set.LabelsOf(i))
            {
                TensorPrimitives.Add(sums[label], set.Features[i], sums[label]);
                if (alike.TryGetValue((label, set.Group(i)), out var sum))
                {
                    TensorPrimitives.Add(sum, set.Features[i], sum);
                }
            }
        }

        var means = sums.ConvertAll(Unit); // all zeros for a category without images, which is then far from everything
        var nearness = Enumerable.Range(0, set.Count).Where(i => set.LabelsOf(i).All(label => scenes[label] > 1)).Select(i =>
        {
            var (features, own) = (set.Features[i], set.LabelsOf(i));
            var length = TensorPrimitives.Norm<float>(features);
            return means.Select((mean, k) => Cosine(own.Contains(k)
                ? Without(sums[k], alike.GetValueOrDefault((k, set.Group(i)), features)) : mean, features, length)).Max();
        }).Order().ToList();
        return new NoveltyDetector([.. means.Where(mean => TensorPrimitives.Norm<float>(mean) > 0)],
            nearness.Count == 0 ? Anything : nearness[Rank(nearness.Count, falseAlarms)]);
    }

    /// <summary>
    /// Which of n values in rising order to use as the threshold, so that very likely at most <paramref name="share"/> of future images
    /// fall below it: a distribution-free tolerance limit (Wilks 1941). The usual quantile keeps the share only on average, and future
    /// images are seldom quite like those learned from: on the test images of our five public sets it called 9 % unknown where 5 % were
    /// intended.
    /// </summary>
    /// <returns>The largest r, counted from 0, such that more than r of n values lie below the share's true quantile with a probability of
    /// at least <see cref="AlarmConfidence"/>; 0 if there is none.</returns>
    private static int Rank(int n, double share)
    {
        var (rank, chance) = (0, Math.Pow(1 - share, n)); // probability that exactly rank of n lie below the quantile
        for (var (below, atMost) = (0, chance); below < n && atMost <= 1 - AlarmConfidence; atMost += chance)
        {
            rank = below++;
            chance *= (double)(n - below + 1) / below * share / (1 - share);
        }

        return rank;
    }

    /// <summary>Whether it calls anything unknown.</summary>
    public bool Decides => Threshold > Anything;

    /// <summary>Cosine of the angle to the nearest category's mean direction, -1..1.</summary>
    /// <param name="features"><c>[d]</c></param>
    public double Nearness(ReadOnlySpan<float> features)
    {
        var length = TensorPrimitives.Norm(features);
        var nearest = -1.0;
        foreach (var direction in _directions)
        {
            nearest = Math.Max(nearest, Cosine(direction, features, length));
        }

        return nearest;
    }

    /// <summary>Whether the image resembles none of the categories.</summary>
    /// <param name="features"><c>[d]</c></param>
    public bool IsUnknown(ReadOnlySpan<float> features) => Nearness(features) < Threshold;

    private static double Cosine(float[] unit, ReadOnlySpan<float> features, float length) =>
        length > 0 ? TensorPrimitives.Dot(unit, features) / length : -1;

    private static float[] Without(float[] sum, float[] part)
    {
        var others = new float[sum.Length];
        TensorPrimitives.Subtract(sum, part, others);
        return Unit(others);
    }

    /// <summary>Scaled to length 1; zeros stay zeros.</summary>
    internal static float[] Unit(float[] vector)
    {
        var unit = new float[vector.Length];
        var length = TensorPrimitives.Norm<float>(vector);
        TensorPrimitives.Multiply(vector, length > 0 ? 1 / length : 0, unit);
        return unit;
    }
}
