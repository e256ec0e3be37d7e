using TorchSharp;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Headstart.Learning.Heads;

/// <summary>
/// Logistic regression around a prior from words (<see cref="LabelledFeatures.Prior"/>): the weights of category k are <c>b_k P_k +
/// W_k</c>, and the L2 penalty is on W, so that without examples the words decide and with many they no longer matter. The belief b in a
/// category's words is estimated from its examples: the mean probability that the words alone give them, as in CLAP (Silva-Rodríguez et
/// al., CVPR 2024), but minus that of guessing, and it scales the words rather than the penalty, so that useless words leave plain logistic
/// regression. Its tensors belong to the dispose scope it is made in.
/// </summary>
internal sealed class WordRegression
{
    private readonly LabelledFeatures _set;
    private readonly LogisticRegression _regression;
    private readonly double[] _parameters; // [r + 1, k], of the last fit: where the next one starts
    private readonly double[] _belief; // [k]

    /// <param name="inputs"><c>[n, r + 1]</c>, see <see cref="PartSpaces"/>.</param>
    /// <param name="set">The n examples, with a prior.</param>
    public WordRegression(Tensor inputs, LabelledFeatures set)
    {
        (_set, _belief) = (set, Belief(set));
        _regression = new(inputs, set, PriorLogits(set.Features));
        _parameters = new double[inputs.shape[1] * set.Categories.Count];
    }

    /// <summary>How far to trust the words of each category, <c>[k]</c>, 0..1; 0 for one without examples.</summary>
    /// <param name="set">A set with a prior.</param>
    public static double[] Belief(LabelledFeatures set)
    {
        var (classes, logits) = (set.Categories.Count, new float[set.Categories.Count]);
        var own = new double[classes];
        foreach (var (features, label) in set.Features.Zip(set.Labels))
        {
            set.Prior!.Apply(features, logits);
            TensorPrimitives.Subtract(logits, TensorPrimitives.Max<float>(logits), logits); // so that exp cannot overflow
            TensorPrimitives.SoftMax(logits, logits);
            own[label] += logits[label];
        }

        var guess = 1.0 / classes;
        return [.. own.Zip(set.Support(), (sum, count) => count == 0 ? 0 : Math.Max(0, (sum / count - guess) / (1 - guess)))];
    }

    /// <param name="l2">Strength of the penalty.</param>
    /// <param name="tolerance">Ends when no component of the gradient is larger.</param>
    /// <param name="cancel">Checked before each iteration.</param>
    public void Fit(double l2, double tolerance, CancellationToken cancel) => _regression.Fit(_parameters, l2, tolerance, cancel);

    /// <summary>Probabilities of other examples by the last fit.</summary>
    /// <param name="inputs"><c>[m, r + 1]</c></param>
    /// <param name="features">The raw features, <c>[m, d]</c>.</param>
    /// <returns><c>[m, k]</c>, row by row.</returns>
    public double[] Probabilities(Tensor inputs, IReadOnlyList<float[]> features) =>
        LogisticRegression.Probabilities(inputs, _parameters, _set, PriorLogits(features));

    /// <summary>The last fit as a layer for raw features.</summary>
    public DenseLayer Layer(RowSpace space)
    {
        var (weights, bias) = space.Unfold(_parameters, _set.Categories.Count);
        var prior = _set.Prior!;
        for (var k = 0; k < bias.Length; k++)
        {
            var row = weights.AsSpan(k * prior.Inputs, prior.Inputs);
            TensorPrimitives.MultiplyAdd(prior.Weights.Span.Slice(k * prior.Inputs, prior.Inputs), (float)_belief[k], row, row);
            bias[k] += (float)_belief[k] * prior.Bias.Span[k];
        }

        return new(prior.Inputs, weights, bias);
    }

    /// <summary>The logits of the words, scaled by the belief in them, <c>[m, k]</c>.</summary>
    private double[] PriorLogits(IReadOnlyList<float[]> features)
    {
        var (scaled, logits) = (new double[features.Count * _belief.Length], new float[_belief.Length]);
        foreach (var (i, row) in features.Index())
        {
            _set.Prior!.Apply(row, logits);
            for (var k = 0; k < logits.Length; k++)
            {
                scaled[i * logits.Length + k] = _belief[k] * logits[k];
            }
        }

        return scaled;
    }
}
