using TorchSharp;
using static TorchSharp.torch;

namespace Headstart.Learning.Heads;

/// <summary>
/// Multinomial logistic regression with class-balanced weights and L2:
/// <c>mean(w_i * cross-entropy_i) + l2/2 * |W|^2</c>, the bias not penalised, <c>w_i = n / (k * n_class(i))</c>.
/// Fitted in the coordinates of a <see cref="RowSpace"/>. Its tensors belong to the dispose scope it is made in.
/// </summary>
internal sealed class SoftmaxRegression
{
    private readonly Tensor _inputs; // [n, r + 1], the last column 1 for the bias
    private readonly Tensor _targets; // [n, k], one-hot
    private readonly Tensor _weights; // [n, 1], add up to 1
    private readonly double[] _moments; // [r + 1], mean square of each column
    private readonly int _classes;

    /// <param name="inputs"><c>[n, r + 1]</c>, float64; see <see cref="RowSpace.Project"/>.</param>
    /// <param name="labels"><c>[n]</c>, 0..k-1.</param>
    /// <param name="classes">k</param>
    public SoftmaxRegression(Tensor inputs, int[] labels, int classes)
    {
        _inputs = inputs;
        _classes = classes;
        var support = labels.CountBy(label => label).ToDictionary();
        _weights = tensor([.. labels.Select(label => 1.0 / (support.Count * support[label]))], [labels.Length, 1], float64);
        _targets = nn.functional.one_hot(tensor([.. labels.Select(label => (long)label)]), classes).to(float64);
        _moments = [.. _inputs.square().mean([0]).data<double>()];
    }

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
        var spread = (1.0 - 1.0 / _classes) / _classes; // p(1 - p) of an undecided softmax
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
        var parameters = tensor(point.ToArray(), [_moments.Length, _classes]);
        var logProbabilities = nn.functional.log_softmax(_inputs.mm(parameters), 1);
        var loss = -(logProbabilities * _targets * _weights).sum().item<double>();
        // Written as the transpose of a product with the inputs as they lie in memory: faster.
        var slope = ((logProbabilities.exp() - _targets) * _weights).t().mm(_inputs).t().contiguous();
        slope.data<double>().CopyTo(gradient);

        var penalised = point.Length - _classes; // all but the bias
        for (var i = 0; i < penalised; i++)
        {
            loss += l2 / 2 * point[i] * point[i];
            gradient[i] += l2 * point[i];
        }

        return loss;
    }

    /// <param name="inputs"><c>[m, r + 1]</c></param>
    /// <param name="parameters"><c>[r + 1, k]</c></param>
    /// <param name="classes">k</param>
    /// <returns><c>[m, k]</c>, row by row.</returns>
    public static double[] Probabilities(Tensor inputs, double[] parameters, int classes)
    {
        using var scope = NewDisposeScope();
        var weights = tensor(parameters, [parameters.Length / classes, classes]);
        return [.. nn.functional.softmax(inputs.mm(weights), 1).data<double>()];
    }
}
