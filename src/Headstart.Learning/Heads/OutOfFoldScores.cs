using System.Numerics.Tensors;

namespace Headstart.Learning.Heads;

/// <summary>Collects what one strength of the penalty says about images its fits have not seen.</summary>
internal sealed class OutOfFoldScores(LabelledFeatures set)
{
    private readonly double[][] _probabilities = [.. set.Labels.Select(_ => new double[set.Categories.Count])];
    private readonly int[] _correct = new int[set.Count];
    private readonly int[] _support = set.Support();

    /// <summary>Sum of the cross-entropies, every category weighing the same.</summary>
    public double CrossEntropy { get; private set; }

    /// <param name="images">Indices of the images.</param>
    /// <param name="probabilities"><c>[images, k]</c>, row by row.</param>
    public void Add(int[] images, ReadOnlySpan<double> probabilities)
    {
        var classes = set.Categories.Count;
        for (var row = 0; row < images.Length; row++)
        {
            var image = images[row];
            var p = probabilities.Slice(row * classes, classes);
            var label = set.Labels[image];
            CrossEntropy -= Math.Log(Math.Max(p[label], 1e-12)) / _support[label];
            _correct[image] += TensorPrimitives.IndexOfMax(p) == label ? 1 : 0;
            for (var k = 0; k < classes; k++)
            {
                _probabilities[image][k] += p[k];
            }
        }
    }

    public (double Accuracy, double StandardError) Accuracy(int repeats)
    {
        var shares = _correct.Select(correct => (double)correct / repeats).ToArray();
        var mean = shares.Average();
        var variance = shares.Sum(share => (share - mean) * (share - mean)) / Math.Max(1, shares.Length - 1);
        return (mean, Math.Sqrt(variance / shares.Length));
    }

    public IReadOnlyList<float[]> Probabilities(int repeats) =>
        [.. _probabilities.Select(row => row.Select(p => (float)(p / repeats)).ToArray())];
}
