using System.Runtime.InteropServices;
using TorchSharp;
using static Headstart.Learning.TrainingDefaults;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Headstart.Learning.Heads;

/// <summary>
/// A network with one hidden layer (ReLU), with the loss, penalty and optimiser of <see cref="LogisticRegression"/>, but stopped when the
/// loss on held-out examples has stopped falling (Prechelt, "Early stopping - but when?", 1998). It starts from random weights. The hidden
/// layer is computed in float32, the output in float64. Its tensors belong to the dispose scope it is made in.
/// </summary>
internal sealed class HiddenNetwork
{
    private readonly (Tensor Inputs, LabelLoss Loss) _learned;
    private readonly (Tensor Inputs, LabelLoss Loss) _aside;
    private readonly double[] _moments; // [r + 1], mean square of each input
    private readonly Tensor _hidden; // [r + 1, h], float32: receives the point in each evaluation, as does _output
    private readonly Tensor _output; // [h + 1, k], float64
    private readonly bool _exclusive;
    private readonly int _rows;
    private readonly int _classes;
    private readonly int _seed;

    /// <param name="inputs"><c>[n, r + 1]</c>; see <see cref="PartSpaces"/>.</param>
    /// <param name="set">The n examples.</param>
    /// <param name="seed">Decides which examples are held out, and the initial weights.</param>
    public HiddenNetwork(Tensor inputs, LabelledFeatures set, int seed)
    {
        (_exclusive, _rows, _classes, _seed) = (set.Tags is null, (int)inputs.shape[1], set.Categories.Count, seed);
        var parts = new StratifiedFolds(set).Assign(new Random(seed), HiddenParts);
        (_learned, _aside) = (Part(part => part != 0), Part(part => part == 0));
        _moments = [.. (_learned.Inputs * _learned.Inputs).mean([0]).to(float64).data<double>()];
        (_hidden, _output) = (empty(_rows, HiddenUnits, dtype: float32), empty(HiddenUnits + 1, _classes, dtype: float64));

        (Tensor, LabelLoss) Part(Func<int, bool> belongs)
        {
            int[] rows = [.. Enumerable.Range(0, set.Count).Where(i => belongs(parts[i]))];
            return (inputs.index_select(0, tensor([.. rows.Select(row => (long)row)])).to(float32), new LabelLoss(set.Some(rows)));
        }
    }

    /// <summary>Fits from new initial weights.</summary>
    /// <param name="l2">Strength of the penalty.</param>
    /// <param name="cancel">Checked before each iteration.</param>
    /// <returns>Parameters <c>[r + 1, h]</c> of the hidden layer, and <c>[h + 1, k]</c> of the output; the bias in the last row of
    /// each.</returns>
    public (double[] Hidden, double[] Output) Fit(double l2, CancellationToken cancel)
    {
        var random = new Random(_seed);
        var point = new double[_rows * HiddenUnits + (HiddenUnits + 1) * _classes];
        for (var i = 0; i < point.Length; i++)
        {
            // Units start with outputs of about 1 (the total variance of the inputs is FeatureVariance), logits with less.
            point[i] = Normal(random) * (i < _rows * HiddenUnits ? 1 / Math.Sqrt(FeatureVariance) : 0.5 / Math.Sqrt(HiddenUnits));
        }

        var (best, least, since) = ((double[])point.Clone(), double.PositiveInfinity, 0);
        Lbfgs.Minimise((at, gradient) => Evaluate(at, gradient, l2), point, Curvature(l2), 1e-5, cancel, IsStillImproving);
        return (best[..(_rows * HiddenUnits)], best[(_rows * HiddenUnits)..]);

        bool IsStillImproving(double[] at)
        {
            var loss = HeldOutLoss(at);
            since = loss < least ? 0 : since + 1;
            if (since == 0)
            {
                at.CopyTo(best, 0);
                least = loss;
            }

            return since < HiddenPatience;
        }
    }

    /// <param name="inputs"><c>[m, r + 1]</c></param>
    /// <param name="hidden"><c>[r + 1, h]</c></param>
    /// <param name="output"><c>[h + 1, k]</c></param>
    /// <returns><c>[m, k]</c>, row by row.</returns>
    public double[] Probabilities(Tensor inputs, ReadOnlySpan<double> hidden, ReadOnlySpan<double> output)
    {
        using var scope = NewDisposeScope();
        Place(hidden, output);
        var probabilities = Values(Forward(inputs.to(float32)).Logits).ToArray();
        LabelLoss.Activate(probabilities, _classes, _exclusive);
        return probabilities;
    }

    private double Evaluate(ReadOnlySpan<double> point, Span<double> gradient, double l2)
    {
        using var scope = NewDisposeScope();
        Place(point[..(_rows * HiddenUnits)], point[(_rows * HiddenUnits)..]);
        var (units, logits) = Forward(_learned.Inputs);
        var loss = _learned.Loss.Of(Values(logits));
        var inner = logits.mm(_output.narrow(0, 0, HiddenUnits).t()) * units.sign();
        // Written as the transpose of a product with the inputs in their memory layout, which is faster.
        Values(inner.t().to(float32).mm(_learned.Inputs).t().to(float64).contiguous()).CopyTo(gradient);
        Values(WithOnes(units).t().mm(logits).contiguous()).CopyTo(gradient[(_rows * HiddenUnits)..]);
        return loss + Penalise(point, gradient, 0, (_rows - 1) * HiddenUnits, l2)
            + Penalise(point, gradient, _rows * HiddenUnits, HiddenUnits * _classes, l2);
    }

    /// <summary>All but the biases.</summary>
    private static double Penalise(ReadOnlySpan<double> point, Span<double> gradient, int from, int count, double l2)
    {
        TensorPrimitives.MultiplyAdd(point.Slice(from, count), l2, gradient.Slice(from, count), gradient.Slice(from, count));
        return l2 / 2 * TensorPrimitives.SumOfSquares(point.Slice(from, count));
    }

    /// <summary>The memory of a tensor; <c>data</c> would copy its numbers one by one.</summary>
    private static Span<double> Values(Tensor tensor) => MemoryMarshal.Cast<byte, double>(tensor.bytes);

    private double HeldOutLoss(double[] point)
    {
        using var scope = NewDisposeScope();
        Place(point.AsSpan(0, _rows * HiddenUnits), point.AsSpan(_rows * HiddenUnits));
        return _aside.Loss.Of(Values(Forward(_aside.Inputs).Logits));
    }

    /// <summary>Copies parameters into the tensors that <see cref="Forward"/> uses: tensors made of arrays would need copies of the
    /// arrays, a megabyte of garbage in each iteration.</summary>
    private void Place(ReadOnlySpan<double> hidden, ReadOnlySpan<double> output)
    {
        TensorPrimitives.ConvertTruncating(hidden, MemoryMarshal.Cast<byte, float>(_hidden.bytes));
        output.CopyTo(Values(_output));
    }

    private (Tensor Units, Tensor Logits) Forward(Tensor inputs)
    {
        var units = _hidden.t().mm(inputs.t()).t().to(float64).contiguous().relu();
        return (units, WithOnes(units).mm(_output));
    }

    private static Tensor WithOnes(Tensor rows) => cat([rows, ones([rows.shape[0], 1], float64)], 1);

    private double[] Curvature(double l2) =>
    [
        .. Enumerable.Range(0, _rows * HiddenUnits).Select(i => 0.25 * _moments[i / HiddenUnits] / HiddenUnits + l2),
        .. Enumerable.Repeat(0.25 + l2, (HiddenUnits + 1) * _classes),
    ];

    /// <summary>Normally distributed number (Box and Muller).</summary>
    public static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
