using System.Numerics.Tensors;
using Headstart.Learning.Evaluation;

namespace Headstart.Learning.Heads;

/// <summary>Collects the answers of one method to images that its fits have not seen.</summary>
/// <param name="set">The tested images.</param>
/// <param name="repeats">Number of splits.</param>
internal sealed class OutOfFoldScores(LabelledFeatures set, int repeats)
{
    private const double Least = 1e-12;

    private readonly float[][][] _probabilities = [.. Enumerable.Range(0, repeats).Select(_ => new float[set.Count][])];
    private readonly int[] _correct = new int[set.Count];
    private readonly int[] _support = set.Support();

    /// <summary>Probabilities <c>[repeats][n][k]</c>.</summary>
    public IReadOnlyList<IReadOnlyList<float[]>> Runs => _probabilities;

    /// <param name="repeat">Number of the repeat.</param>
    /// <param name="images">Indices of the images.</param>
    /// <param name="probabilities"><c>[images, k]</c>, row by row.</param>
    public void Add(int repeat, int[] images, ReadOnlySpan<float> probabilities)
    {
        var classes = set.Categories.Count;
        for (var row = 0; row < images.Length; row++)
        {
            var image = images[row];
            var kept = probabilities.Slice(row * classes, classes).ToArray();
            _correct[image] += IsRight(image, kept) ? 1 : 0;
            _probabilities[repeat][image] = kept;
        }
    }

    /// <summary>Cross-entropy of each image at the best common temperature, with exclusive categories weighted equally. Probabilities are
    /// calibrated before they are served, so overconfidence does not count against a method.</summary>
    /// <returns><c>[n]</c></returns>
    public double[] CrossEntropies()
    {
        if (set.Count == 0)
        {
            return [];
        }

        var right = set.Choices(_probabilities[0]).Right;
        IReadOnlyList<float[]>[] runs = [.. _probabilities.Select(run => set.Choices(run).Probabilities)];
        var temperature = Calibration.Temperature(runs, right);
        var choices = right.Count / set.Count; // per image
        var losses = new double[set.Count];
        foreach (var (i, p) in runs.SelectMany(run => run.Index()))
        {
            var weight = set.Tags is null ? 1.0 / _support[right[i]] : 1;
            losses[i / choices] -= weight * Math.Log(Math.Max(Least, Calibration.Apply(p, temperature)[right[i]])) / repeats;
        }

        return losses;
    }

    /// <param name="measured">Indices of the images to count.</param>
    /// <returns>null without images.</returns>
    public (double? Accuracy, double? StandardError) Accuracy(IReadOnlyList<int> measured)
    {
        if (measured.Count == 0)
        {
            return (null, null);
        }

        var shares = measured.Select(i => (double)_correct[i] / repeats).ToArray();
        var mean = shares.Average();
        var variance = shares.Sum(share => (share - mean) * (share - mean)) / Math.Max(1, shares.Length - 1);
        return (mean, Math.Sqrt(variance / shares.Length));
    }

    private bool IsRight(int image, float[] probabilities) =>
        set.Tags is null ? TensorPrimitives.IndexOfMax<float>(probabilities) == set.Labels[image]
        : probabilities.Index().Where(answer => answer.Item >= 0.5f).Select(answer => answer.Index).SequenceEqual(set.Tags[image]);
}
