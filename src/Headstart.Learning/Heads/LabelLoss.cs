using System.Numerics.Tensors;

namespace Headstart.Learning.Heads;

/// <summary>
/// The loss of logits, <c>sum(w_i * loss_i)</c>. If labels exclude each other, it is the cross-entropy of a softmax and every category
/// weighs the same, <c>w_i = 1 / (k * n_class(i))</c>. Otherwise it is the sum over k sigmoids (one against the rest) and every example
/// weighs the same: thresholds make up for rare labels, and probabilities stay calibrated. Not thread-safe.
/// </summary>
internal sealed class LabelLoss
{
    private readonly IReadOnlyList<int> _labels; // [n]
    private readonly float[]? _signs; // [n, k], -1 where a label applies and 1 where it does not; null if they exclude each other
    private readonly double[] _weights; // [n], add up to 1
    private readonly double[] _scratch; // [k]
    private readonly int _classes;

    public LabelLoss(LabelledFeatures set)
    {
        (_labels, _classes) = (set.Labels, set.Categories.Count);
        _scratch = new double[_classes];
        var support = _labels.CountBy(label => label).ToDictionary();
        _weights = [.. _labels.Select(label => set.Tags is null ? 1.0 / (support.Count * support[label]) : 1.0 / set.Count)];
        _signs = set.Tags is null ? null : [.. set.Targets().Select(target => 1 - 2 * target)];
    }

    /// <summary>Whether the k labels exclude each other.</summary>
    public bool Exclusive => _signs is null;

    /// <summary>The diagonal of the Hessian of a linear model's loss while its probabilities are undecided, with an L2 penalty of all but
    /// the bias in the last row.</summary>
    /// <param name="moments"><c>[r + 1]</c>, mean square of each input.</param>
    /// <param name="l2">Strength of the penalty.</param>
    /// <returns><c>[r + 1, k]</c></returns>
    public double[] Curvature(double[] moments, double l2)
    {
        var spread = Exclusive ? (1.0 - 1.0 / _classes) / _classes : 0.25; // p(1 - p)
        return [.. Enumerable.Range(0, moments.Length * _classes).Select(i => i / _classes)
            .Select(row => spread * moments[row] + (row == moments.Length - 1 ? 0 : l2))];
    }

    /// <summary>The weighted loss of all examples, or of those from <paramref name="first"/> on for which there are rows.</summary>
    /// <param name="logits"><c>[m, k]</c>, row by row; replaced by the gradient.</param>
    /// <param name="first">The example of the first row.</param>
    public double Of(Span<double> logits, int first = 0) => Exclusive ? Softmax(logits, first) : Sigmoids(logits, first);

    private double Softmax(Span<double> logits, int first)
    {
        var (rows, loss) = (logits.Length / _classes, 0.0);
        for (var row = 0; row < rows; row++)
        {
            var own = logits.Slice(row * _classes, _classes);
            TensorPrimitives.Subtract(own, TensorPrimitives.Max<double>(own), own);
            loss -= _weights[first + row] * own[_labels[first + row]];
        }

        // All rows in one call: just after the start, before the runtime has optimised it, a call costs many times what it computes.
        TensorPrimitives.Exp(logits, logits);
        for (var row = 0; row < rows; row++)
        {
            var own = logits.Slice(row * _classes, _classes);
            var (sum, weight) = (TensorPrimitives.Sum<double>(own), _weights[first + row]);
            TensorPrimitives.Multiply(own, weight / sum, own);
            own[_labels[first + row]] -= weight;
            loss += weight * Math.Log(sum);
        }

        return loss;
    }

    /// <summary>A label that applies costs log(1 + exp(-x)), one that does not costs log(1 + exp(x)).</summary>
    private double Sigmoids(Span<double> logits, int first)
    {
        var loss = 0.0;
        for (var row = 0; row < logits.Length / _classes; row++)
        {
            var own = logits.Slice(row * _classes, _classes);
            var weight = _weights[first + row];
            TensorPrimitives.ConvertTruncating<float, double>(_signs.AsSpan((first + row) * _classes, _classes), _scratch);
            TensorPrimitives.Multiply(own, _scratch, own);
            foreach (var wrong in own)
            {
                loss += weight * (Math.Max(wrong, 0) + double.LogP1(Math.Exp(-Math.Abs(wrong))));
            }

            TensorPrimitives.Sigmoid(own, own);
            TensorPrimitives.Multiply(own, weight, own);
            TensorPrimitives.Multiply(own, _scratch, own);
        }

        return loss;
    }

    /// <summary>Turns logits into probabilities.</summary>
    /// <param name="logits"><c>[m, k]</c>, row by row.</param>
    /// <param name="classes">k</param>
    /// <param name="exclusive">Whether the k labels exclude each other.</param>
    public static void Activate(Span<double> logits, int classes, bool exclusive)
    {
        if (!exclusive)
        {
            TensorPrimitives.Sigmoid(logits, logits);
            return;
        }

        for (var row = 0; row < logits.Length; row += classes)
        {
            var own = logits.Slice(row, classes);
            TensorPrimitives.Subtract(own, TensorPrimitives.Max<double>(own), own);
            TensorPrimitives.Exp(own, own);
            TensorPrimitives.Divide(own, TensorPrimitives.Sum<double>(own), own);
        }
    }
}
