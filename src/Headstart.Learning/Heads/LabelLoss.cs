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

    /// <summary>The loss of all examples.</summary>
    /// <param name="logits"><c>[n, k]</c>, row by row; replaced by the gradient.</param>
    public double Of(Span<double> logits)
    {
        var loss = 0.0;
        if (!Exclusive)
        {
            for (var i = 0; i < _weights.Length; i++)
            {
                loss += Of(i, logits.Slice(i * _classes, _classes));
            }

            return loss;
        }

        for (var i = 0; i < _weights.Length; i++)
        {
            var own = logits.Slice(i * _classes, _classes);
            TensorPrimitives.Subtract(own, TensorPrimitives.Max<double>(own), own);
            loss -= _weights[i] * own[_labels[i]];
        }

        // All rows at once: until the runtime has optimised it, each call costs many times as much as what it computes.
        TensorPrimitives.Exp(logits, logits);
        for (var i = 0; i < _weights.Length; i++)
        {
            var own = logits.Slice(i * _classes, _classes);
            var sum = TensorPrimitives.Sum<double>(own);
            TensorPrimitives.Multiply(own, _weights[i] / sum, own);
            own[_labels[i]] -= _weights[i];
            loss += _weights[i] * Math.Log(sum);
        }

        return loss;
    }

    /// <summary>The weighted loss of one example.</summary>
    /// <param name="example">0..n-1.</param>
    /// <param name="logits"><c>[k]</c>; replaced by the gradient.</param>
    public double Of(int example, Span<double> logits)
    {
        var weight = _weights[example];
        if (_signs is null)
        {
            var label = _labels[example];
            TensorPrimitives.Subtract(logits, TensorPrimitives.Max<double>(logits), logits);
            var right = logits[label];
            TensorPrimitives.Exp(logits, logits);
            var sum = TensorPrimitives.Sum<double>(logits);
            TensorPrimitives.Multiply(logits, weight / sum, logits);
            logits[label] -= weight;
            return weight * (Math.Log(sum) - right);
        }

        // A label that applies costs log(1 + exp(-x)), one that does not costs log(1 + exp(x)).
        TensorPrimitives.ConvertTruncating<float, double>(_signs.AsSpan(example * _classes, _classes), _scratch);
        TensorPrimitives.Multiply(logits, _scratch, logits);
        var loss = 0.0;
        foreach (var wrong in logits)
        {
            loss += Math.Max(wrong, 0) + double.LogP1(Math.Exp(-Math.Abs(wrong)));
        }

        TensorPrimitives.Sigmoid(logits, logits);
        TensorPrimitives.Multiply(logits, weight, logits);
        TensorPrimitives.Multiply(logits, _scratch, logits);
        return weight * loss;
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
