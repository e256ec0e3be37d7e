using System.Numerics.Tensors;

namespace Headstart.Learning.Heads;

/// <summary><c>weights x inputs + bias</c>. Immutable.</summary>
public sealed class DenseLayer
{
    private readonly float[] _weights;
    private readonly float[] _bias;

    /// <param name="inputs">d, the number of inputs.</param>
    /// <param name="weights"><c>[k, d]</c>, row by row, finite.</param>
    /// <param name="bias"><c>[k]</c>, finite.</param>
    /// <exception cref="ArgumentException">The sizes do not fit together or a value is not finite.</exception>
    public DenseLayer(int inputs, ReadOnlySpan<float> weights, ReadOnlySpan<float> bias)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(inputs);
        if (bias.Length < 1 || weights.Length != (long)bias.Length * inputs)
        {
            throw new ArgumentException($"{weights.Length} weights and {bias.Length} biases do not make a layer with {inputs} inputs.");
        }

        (Inputs, _weights, _bias) = (inputs, weights.ToArray(), bias.ToArray());
        if (!_weights.All(float.IsFinite) || !_bias.All(float.IsFinite))
        {
            throw new ArgumentException("Weights and biases must be finite.");
        }
    }

    /// <summary>d</summary>
    public int Inputs { get; }

    /// <summary>k</summary>
    public int Outputs => _bias.Length;

    /// <summary><c>[k, d]</c></summary>
    public ReadOnlyMemory<float> Weights => _weights;

    /// <summary><c>[k]</c></summary>
    public ReadOnlyMemory<float> Bias => _bias;

    /// <summary>(d + 1) x k</summary>
    public int Parameters => _weights.Length + _bias.Length;

    /// <param name="inputs"><c>[d]</c></param>
    /// <param name="outputs">Receives <c>[k]</c>.</param>
    internal void Apply(ReadOnlySpan<float> inputs, Span<float> outputs)
    {
        for (var k = 0; k < _bias.Length; k++)
        {
            outputs[k] = TensorPrimitives.Dot(inputs, Row(k)) + _bias[k];
        }
    }

    /// <summary>Gradient of a weighted sum of the outputs with respect to each input.</summary>
    /// <param name="slopes">Weight of each output, <c>[k]</c>.</param>
    /// <returns><c>[d]</c></returns>
    internal float[] Back(ReadOnlySpan<float> slopes)
    {
        var back = new float[Inputs];
        for (var k = 0; k < slopes.Length; k++)
        {
            TensorPrimitives.MultiplyAdd(Row(k), slopes[k], back, back);
        }

        return back;
    }

    /// <summary>The layer with its outputs divided by a number.</summary>
    internal DenseLayer DividedBy(double divisor)
    {
        var (weights, bias) = ((float[])_weights.Clone(), (float[])_bias.Clone());
        TensorPrimitives.Divide(weights, (float)divisor, weights);
        TensorPrimitives.Divide(bias, (float)divisor, bias);
        return new DenseLayer(Inputs, weights, bias);
    }

    private ReadOnlySpan<float> Row(int k) => _weights.AsSpan(k * Inputs, Inputs);
}
