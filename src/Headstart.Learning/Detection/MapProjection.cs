using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace Headstart.Learning.Detection;

/// <summary>
/// Projects the channels of one map, minus their mean, onto their principal directions, scaled so that strong ones are weakened but stay
/// the strongest. This keeps cached maps small and training fast. Being linear, it is folded into the head's first layers in the end
/// (<see cref="Fold"/>).
/// </summary>
internal sealed class MapProjection
{
    private readonly float[] _matrix; // [Outputs, Inputs]
    private readonly float[] _mean; // [Inputs]

    private MapProjection(float[] matrix, float[] mean) => (_matrix, _mean) = (matrix, mean);

    public int Inputs => _mean.Length;

    public int Outputs => _matrix.Length / _mean.Length;

    /// <param name="rows"><c>[n, c]</c>, the channels of a sample of places.</param>
    /// <param name="channels">c</param>
    /// <param name="most">Number of directions to keep, at most c.</param>
    public static MapProjection Of(float[] rows, int channels, int most)
    {
        using var scope = NewDisposeScope();
        var n = rows.Length / channels;
        var all = tensor(rows, [n, channels]).to(float64);
        var mean = all.mean([0]);
        var centred = all - mean;
        var (values, vectors) = linalg.eigh(centred.t().mm(centred));
        double[] variances = [.. Numbers(values).ToArray().Select(value => Math.Max(0, value / n))];
        var directions = Numbers(vectors.t().contiguous()); // [c, c], ascending
        var kept = Math.Min(most, channels);
        var floor = Math.Max(1e-12, variances[^1] * 1e-6);
        // After scaling by v^(-1/4), the sum of the variances is the sum of their square roots.
        var whole = Enumerable.Range(channels - kept, kept).Sum(i => Math.Sqrt(Math.Max(variances[i], floor)));
        var matrix = new float[kept * channels];
        for (var k = 0; k < kept; k++)
        {
            var from = channels - 1 - k;
            var scale = Math.Pow(Math.Max(variances[from], floor), -0.25) * Math.Sqrt(kept / whole);
            for (var c = 0; c < channels; c++)
            {
                matrix[k * channels + c] = (float)(scale * directions[from * channels + c]);
            }
        }

        return new(matrix, [.. Numbers(mean).ToArray().Select(value => (float)value)]);
    }

    /// <param name="map"><c>[c, places]</c></param>
    /// <param name="kept">Receives <c>[Outputs, places]</c>.</param>
    public void Apply(ReadOnlySpan<float> map, Span<Half> kept)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var read = empty([Inputs, map.Length / Inputs]);
        map.CopyTo(MemoryMarshal.Cast<byte, float>(read.bytes));
        // Clones, because tensors of arrays keep an array's memory, and the last digits of a product depend on where that begins.
        var matrix = tensor(_matrix, [Outputs, Inputs]).clone();
        var result = matrix.mm(read) - matrix.mm(tensor(_mean, [Inputs, 1]).clone());
        TensorPrimitives.ConvertToHalf(MemoryMarshal.Cast<byte, float>(result.bytes), kept);
    }

    /// <summary>Turns a layer that reads the projected map into one that reads the map itself.</summary>
    /// <param name="weights"><c>[outputs, Outputs]</c></param>
    /// <param name="bias"><c>[outputs]</c></param>
    /// <returns><c>[outputs, Inputs]</c> and <c>[outputs]</c></returns>
    public (float[] Weights, float[] Bias) Fold(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias)
    {
        using var scope = NewDisposeScope();
        var folded = tensor(weights.ToArray(), [bias.Length, Outputs]).to(float64).mm(tensor(_matrix, [Outputs, Inputs]).to(float64));
        var shift = Numbers(folded.mm(tensor(_mean, [Inputs, 1]).to(float64))).ToArray();
        return ([.. Numbers(folded).ToArray().Select(value => (float)value)], [.. bias.ToArray().Select((b, i) => (float)(b - shift[i]))]);
    }

    // data<double>() would copy, which takes as long as a matrix product
    private static ReadOnlySpan<double> Numbers(Tensor tensor) => MemoryMarshal.Cast<byte, double>(tensor.bytes);
}
