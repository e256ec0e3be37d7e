using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Headstart.Learning.Onnx.Quantisation;

/// <summary>The weights of a convolution as integers with a scale for each output: <c>weight = q * scale</c>.</summary>
internal sealed class Weights
{
    private const int Most = 127; // in both directions
    private const float LargestBias = 1 << 30;

    private readonly int _outputs;

    private Weights(int outputs, int length) => (_outputs, Numbers, Scales) = (outputs, new sbyte[length], new float[outputs]);

    public sbyte[] Numbers { get; }

    /// <summary><c>[outputs]</c></summary>
    public float[] Scales { get; }

    /// <summary>The values of a float32 tensor.</summary>
    public static float[] Floats(TensorProto tensor) =>
        tensor.FloatData.Count > 0 ? [.. tensor.FloatData] : MemoryMarshal.Cast<byte, float>(tensor.RawData.Span).ToArray();

    /// <param name="values">The weights, <c>[outputs, …]</c>.</param>
    /// <param name="bias"><c>[outputs]</c></param>
    /// <param name="scale">Scale of the layer's input; the bias is stored in steps of this scale times the weight's.</param>
    public static Weights Of(float[] values, float[] bias, float scale)
    {
        var outputs = bias.Length;
        var weights = new Weights(outputs, values.Length);
        for (var i = 0; i < values.Length; i++)
        {
            ref var largest = ref weights.Scales[weights.OutputOf(i)];
            largest = Math.Max(largest, Math.Abs(values[i]) / Most);
        }

        for (var output = 0; output < outputs; output++)
        {
            // With tiny weights and a large bias, the bias must still fit into 32 bits.
            weights.Scales[output] = Math.Max(weights.Scales[output], Math.Abs(bias[output]) / (scale * LargestBias));
            weights.Scales[output] = float.IsNormal(weights.Scales[output]) ? weights.Scales[output] : 1;
        }

        for (var i = 0; i < values.Length; i++)
        {
            weights.Numbers[i] = (sbyte)Math.Clamp(MathF.Round(values[i] / weights.Scales[weights.OutputOf(i)]), -Most, Most);
        }

        return weights;
    }

    /// <summary>The mean shift of each output caused by rounding the weights, <c>[outputs]</c>, which the bias can correct. Source: Nagel
    /// et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019.</summary>
    /// <param name="values">The original weights.</param>
    /// <param name="means">Mean of each of the layer's input channels.</param>
    /// <param name="groups">Groups of the convolution.</param>
    public double[] Shift(float[] values, IReadOnlyList<double> means, int groups)
    {
        var shift = new double[_outputs];
        var perGroup = means.Count / groups;
        var places = Numbers.Length / _outputs / perGroup;
        for (var i = 0; i < Numbers.Length; i++)
        {
            var output = OutputOf(i);
            var channel = i / places % perGroup;
            var group = output / (_outputs / groups);
            shift[output] += (Numbers[i] * Scales[output] - values[i]) * means[group * perGroup + channel];
        }

        return shift;
    }

    private int OutputOf(int index) => index / (Numbers.Length / _outputs);
}
