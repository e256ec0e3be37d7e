using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Headstart.Learning.Heads;

/// <summary>
/// Logistic regression with L2, <c>loss + l2/2 * |W|^2</c>, with the loss of <see cref="LabelLoss"/> and an unpenalised bias. Fitted in the
/// coordinates of a <see cref="RowSpace"/>. Its tensors belong to the dispose scope it is made in. Nearly all of its work is two products
/// with the inputs, computed in the precision of the inputs; everything as long as a row or the parameters is float64.
/// </summary>
internal sealed class LogisticRegression
{
    private const int ManyClasses = 48;

    private readonly Tensor _inputs; // [n, r + 1], the last column 1 for the bias
    private readonly LabelLoss _loss;
    private readonly double[] _moments; // [r + 1], mean square of each column
    private readonly double[]? _offsets; // [n, k]
    private readonly int _classes;

    /// <param name="inputs"><c>[n, r + 1]</c>, see <see cref="PartSpaces"/>.</param>
    /// <param name="set">The n examples.</param>
    /// <param name="offsets">Logits added to the fitted ones, <c>[n, k]</c>; 0 if null.</param>
    public LogisticRegression(Tensor inputs, LabelledFeatures set, double[]? offsets = null)
    {
        (_inputs, _offsets) = (inputs, offsets);
        _classes = set.Categories.Count;
        _loss = new LabelLoss(set);
        _moments = [.. (_inputs * _inputs).mean([0]).to(float64).data<double>()];
    }

    /// <summary>Fits, starting from <paramref name="parameters"/>.</summary>
    /// <param name="parameters"><c>[r + 1, k]</c>, the bias in the last row; receives the optimum.</param>
    /// <param name="l2">Strength of the penalty.</param>
    /// <param name="tolerance">Ends when no component of the gradient is larger.</param>
    /// <param name="cancel">Checked before each iteration.</param>
    /// <returns>Number of iterations.</returns>
    public int Fit(double[] parameters, double l2, double tolerance, CancellationToken cancel)
    {
        return Lbfgs.Minimise((point, gradient) => Evaluate(point, gradient, l2), parameters, _loss.Curvature(_moments, l2), tolerance,
            cancel);
    }

    public double Evaluate(ReadOnlySpan<double> point, Span<double> gradient, double l2)
    {
        using var scope = NewDisposeScope();
        var parameters = empty(_moments.Length, _classes, dtype: _inputs.dtype);
        if (_inputs.dtype == float32)
        {
            TensorPrimitives.ConvertTruncating(point, MemoryMarshal.Cast<byte, float>(parameters.bytes));
        }
        else
        {
            point.CopyTo(MemoryMarshal.Cast<byte, double>(parameters.bytes));
        }

        // With few categories both products are written as transposes, with the long side last: faster by half. With many, plain ones are
        // faster.
        var logits = _classes < ManyClasses ? parameters.t().mm(_inputs.t()).t() : _inputs.mm(parameters);
        logits = logits.to(float64).contiguous();
        var rows = MemoryMarshal.Cast<byte, double>(logits.bytes); // copying with data<double>() takes as long as a product
        if (_offsets is not null)
        {
            TensorPrimitives.Add(rows, _offsets, rows);
        }

        var loss = _loss.Of(rows);
        var outer = logits.to(_inputs.dtype);
        var slope = (_classes < ManyClasses ? outer.t().mm(_inputs).t() : _inputs.t().mm(outer)).to(float64).contiguous();
        MemoryMarshal.Cast<byte, double>(slope.bytes).CopyTo(gradient);

        var penalised = point.Length - _classes; // all but the bias
        loss += l2 / 2 * TensorPrimitives.SumOfSquares(point[..penalised]);
        TensorPrimitives.MultiplyAdd(point[..penalised], l2, gradient[..penalised], gradient[..penalised]);
        return loss;
    }

    /// <param name="inputs"><c>[m, r + 1]</c></param>
    /// <param name="parameters"><c>[r + 1, k]</c></param>
    /// <param name="set">The set they were fitted to.</param>
    /// <param name="offsets">As in the constructor, <c>[m, k]</c>.</param>
    /// <returns><c>[m, k]</c>, row by row.</returns>
    public static double[] Probabilities(Tensor inputs, double[] parameters, LabelledFeatures set, double[]? offsets = null)
    {
        using var scope = NewDisposeScope();
        var weights = tensor(parameters, [parameters.Length / set.Categories.Count, set.Categories.Count]).to(inputs.dtype);
        double[] probabilities = [.. inputs.mm(weights).to(float64).data<double>()];
        if (offsets is not null)
        {
            TensorPrimitives.Add(probabilities, offsets, probabilities);
        }

        LabelLoss.Activate(probabilities, set.Categories.Count, set.Tags is null);
        return probabilities;
    }
}
