using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Headstart.Learning.Heads;

/// <summary>
/// Logistic regression with L2, <c>sum(w_i * loss_i) + l2/2 * |W|^2</c>, the bias not penalised. Where labels exclude each other the loss
/// is the cross-entropy of a softmax and every category weighs the same, <c>w_i = 1 / (k * n_class(i))</c>. Where each may apply or not it
/// is the sum of those of k sigmoids (one against the rest) and every image weighs the same: thresholds make up for rare labels, and the
/// probabilities stay honest. Fitted in the coordinates of a <see cref="RowSpace"/>. Its tensors belong to the dispose scope it is made in.
/// The two products with the inputs are nearly all of its work and are made in their precision; everything a row or a parameter long is
/// float64.
/// </summary>
internal sealed class LogisticRegression
{
    private const int ManyClasses = 48;

    private readonly Tensor _inputs; // [n, r + 1], the last column 1 for the bias
    private readonly Tensor _targets; // [n, k], 1 where a label applies
    private readonly Tensor _weights; // [n, 1], add up to 1
    private readonly double[] _moments; // [r + 1], mean square of each column
    private readonly bool _exclusive;
    private readonly int _classes;

    /// <param name="inputs"><c>[n, r + 1]</c>, see <see cref="PartSpaces"/>.</param>
    /// <param name="set">The n examples.</param>
    public LogisticRegression(Tensor inputs, LabelledFeatures set)
    {
        _inputs = inputs;
        _classes = set.Categories.Count;
        _exclusive = set.Tags is null;
        (_targets, _weights) = (TargetsOf(set), WeightsOf(set));
        _moments = [.. (_inputs * _inputs).mean([0]).to(float64).data<double>()];
    }

    /// <returns><c>[n, k]</c>, float64.</returns>
    public static Tensor TargetsOf(LabelledFeatures set)
    {
        using var single = tensor(set.Targets(), [set.Count, set.Categories.Count]);
        return single.to(float64);
    }

    /// <returns><c>[n, 1]</c>, float64, adding up to 1.</returns>
    public static Tensor WeightsOf(LabelledFeatures set)
    {
        var support = set.Labels.CountBy(label => label).ToDictionary();
        return tensor([.. set.Labels.Select(label => set.Tags is null ? 1.0 / (support.Count * support[label]) : 1.0 / set.Count)],
            [set.Count, 1], float64);
    }

    /// <summary>The loss of logits and its slope.</summary>
    /// <param name="logits"><c>[n, k]</c></param>
    /// <param name="targets"><c>[n, k]</c></param>
    /// <param name="weights"><c>[n, 1]</c></param>
    /// <param name="exclusive">Whether the k labels exclude each other.</param>
    /// <returns>The loss, and its derivative by the logits <c>[n, k]</c>.</returns>
    public static (double Loss, Tensor Slope) Loss(Tensor logits, Tensor targets, Tensor weights, bool exclusive)
    {
        if (exclusive)
        {
            var logarithms = nn.functional.log_softmax(logits, 1);
            return (-(logarithms * targets * weights).sum().item<double>(), (logarithms.exp() - targets) * weights);
        }

        // Less its opposite: a sum of tensors has a number in it, see RowSpace.
        var likelihood = nn.functional.logsigmoid(logits) * targets
            - nn.functional.logsigmoid(-logits) * (targets - ones_like(targets));
        return (-(likelihood * weights).sum().item<double>(), (logits.sigmoid() - targets) * weights);
    }

    /// <returns>Probabilities <c>[n, k]</c>.</returns>
    public static Tensor Activated(Tensor logits, bool exclusive) => exclusive ? nn.functional.softmax(logits, 1) : logits.sigmoid();

    /// <summary>Fits, starting from <paramref name="parameters"/>.</summary>
    /// <param name="parameters"><c>[r + 1, k]</c>, the bias in the last row; receives the optimum.</param>
    /// <param name="l2">Strength of the penalty.</param>
    /// <param name="tolerance">Ends when no component of the gradient is larger.</param>
    /// <param name="cancel">Looked at before each iteration.</param>
    /// <returns>Number of iterations.</returns>
    public int Fit(double[] parameters, double l2, double tolerance, CancellationToken cancel)
    {
        var rows = _moments.Length;
        var hessian = new double[parameters.Length];
        var spread = _exclusive ? (1.0 - 1.0 / _classes) / _classes : 0.25; // p(1 - p) of the undecided
        for (var i = 0; i < hessian.Length; i++)
        {
            var row = i / _classes;
            hessian[i] = spread * _moments[row] + (row == rows - 1 ? 0 : l2);
        }

        return Lbfgs.Minimise((point, gradient) => Evaluate(point, gradient, l2), parameters, hessian, tolerance, cancel);
    }

    public double Evaluate(ReadOnlySpan<double> point, Span<double> gradient, double l2)
    {
        using var scope = NewDisposeScope();
        var parameters = tensor(point.ToArray(), [_moments.Length, _classes]).to(_inputs.dtype);
        // Of few categories both products are written as transposes, the long side last: faster by half. Of many the plain ones are.
        var logits = _classes < ManyClasses ? parameters.t().mm(_inputs.t()).t() : _inputs.mm(parameters);
        var (loss, outer) = Loss(logits.to(float64).contiguous(), _targets, _weights, _exclusive);
        outer = outer.to(_inputs.dtype);
        var slope = (_classes < ManyClasses ? outer.t().mm(_inputs).t() : _inputs.t().mm(outer)).to(float64).contiguous();
        MemoryMarshal.Cast<byte, double>(slope.bytes).CopyTo(gradient); // data<double>() takes as long as a product to copy

        var penalised = point.Length - _classes; // all but the bias
        loss += l2 / 2 * TensorPrimitives.SumOfSquares(point[..penalised]);
        TensorPrimitives.MultiplyAdd(point[..penalised], l2, gradient[..penalised], gradient[..penalised]);
        return loss;
    }

    /// <param name="inputs"><c>[m, r + 1]</c></param>
    /// <param name="parameters"><c>[r + 1, k]</c></param>
    /// <param name="set">What they were fitted to.</param>
    /// <returns><c>[m, k]</c>, row by row.</returns>
    public static double[] Probabilities(Tensor inputs, double[] parameters, LabelledFeatures set)
    {
        using var scope = NewDisposeScope();
        var weights = tensor(parameters, [parameters.Length / set.Categories.Count, set.Categories.Count]).to(inputs.dtype);
        return [.. Activated(inputs.mm(weights).to(float64), set.Tags is null).data<double>()];
    }
}
