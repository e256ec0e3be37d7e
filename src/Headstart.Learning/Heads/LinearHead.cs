using System.Numerics.Tensors;

namespace Headstart.Learning.Heads;

/// <summary>
/// Softmax over <c>weights x features + bias</c>. What training does to the features is folded into the weights. Immutable and
/// thread-safe; needs no native library.
/// </summary>
public sealed class LinearHead
{
    private readonly float[] _weights;
    private readonly float[] _bias;

    /// <param name="labels">The k category names.</param>
    /// <param name="features">d, the length of a feature vector.</param>
    /// <param name="weights"><c>[k, d]</c>, row by row, finite.</param>
    /// <param name="bias"><c>[k]</c>, finite.</param>
    /// <exception cref="ArgumentException">The sizes do not fit together or a value is not finite.</exception>
    public LinearHead(IReadOnlyList<string> labels, int features, ReadOnlySpan<float> weights, ReadOnlySpan<float> bias)
    {
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(features);
        if (labels.Count < 1 || weights.Length != (long)labels.Count * features || bias.Length != labels.Count)
        {
            throw new ArgumentException($"{weights.Length} weights and {bias.Length} biases do not make a head of {labels.Count} x {features}.");
        }

        if (!AllFinite(weights) || !AllFinite(bias))
        {
            throw new ArgumentException("Weights and biases must be finite.");
        }

        Labels = [.. labels];
        Features = features;
        _weights = weights.ToArray();
        _bias = bias.ToArray();
    }

    /// <summary>The k category names; logits and probabilities come in this order.</summary>
    public IReadOnlyList<string> Labels { get; }

    /// <summary>d, the length of a feature vector.</summary>
    public int Features { get; }

    /// <summary><c>[k, d]</c></summary>
    public ReadOnlyMemory<float> Weights => _weights;

    /// <summary><c>[k]</c></summary>
    public ReadOnlyMemory<float> Bias => _bias;

    /// <summary>(d + 1) x k</summary>
    public int TrainableParameters => _weights.Length + _bias.Length;

    /// <param name="features"><c>[d]</c></param>
    /// <param name="logits">Receives <c>[k]</c>.</param>
    public void Logits(ReadOnlySpan<float> features, Span<float> logits)
    {
        if (features.Length != Features || logits.Length != Labels.Count)
        {
            throw new ArgumentException($"{features.Length} features and room for {logits.Length} logits do not fit a head of {Labels.Count} x {Features}.");
        }

        for (var label = 0; label < logits.Length; label++)
        {
            logits[label] = TensorPrimitives.Dot(features, _weights.AsSpan(label * Features, Features)) + _bias[label];
        }
    }

    /// <summary>Index of the most probable category.</summary>
    /// <param name="features"><c>[d]</c></param>
    public int Best(ReadOnlySpan<float> features)
    {
        var logits = new float[Labels.Count];
        Logits(features, logits);
        return TensorPrimitives.IndexOfMax<float>(logits);
    }

    /// <summary>Probabilities <c>[k]</c> that add up to 1.</summary>
    /// <param name="features"><c>[d]</c></param>
    public float[] Probabilities(ReadOnlySpan<float> features)
    {
        var probabilities = new float[Labels.Count];
        Logits(features, probabilities);
        // Less the largest, so that exp cannot overflow.
        TensorPrimitives.Subtract(probabilities, TensorPrimitives.Max<float>(probabilities), probabilities);
        TensorPrimitives.SoftMax(probabilities, probabilities);
        return probabilities;
    }

    /// <summary>The same answers with calibrated probabilities, see <see cref="Evaluation.Calibration"/>.</summary>
    /// <param name="temperature">What the logits are divided by, greater than 0.</param>
    public LinearHead At(double temperature)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(temperature);
        var (weights, bias) = ((float[])_weights.Clone(), (float[])_bias.Clone());
        TensorPrimitives.Divide(weights, (float)temperature, weights);
        TensorPrimitives.Divide(bias, (float)temperature, bias);
        return new LinearHead(Labels, Features, weights, bias);
    }

    /// <summary>
    /// By how much a label's logit rises against the mean of all logits when a feature rises by one: its gradient at these features.
    /// Against the mean, as softmax does not change where all logits rise, and what speaks for every label tells none of them apart.
    /// </summary>
    /// <param name="features"><c>[d]</c>; a linear head has the same slope everywhere.</param>
    /// <param name="label">Index into <see cref="Labels"/>.</param>
    /// <returns><c>[d]</c></returns>
    public float[] Slope(ReadOnlySpan<float> features, int label)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(features.Length, Features, nameof(features));
        var slope = new float[Features];
        for (var other = 0; other < Labels.Count; other++)
        {
            TensorPrimitives.Add(slope, _weights.AsSpan(other * Features, Features), slope);
        }

        TensorPrimitives.Divide(slope, -Labels.Count, slope);
        TensorPrimitives.Add(slope, _weights.AsSpan(label * Features, Features), slope);
        return slope;
    }

    private static bool AllFinite(ReadOnlySpan<float> values)
    {
        foreach (var value in values)
        {
            if (!float.IsFinite(value))
            {
                return false;
            }
        }

        return true;
    }
}
