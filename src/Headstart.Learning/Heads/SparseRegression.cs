using System.Numerics.Tensors;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Heads;

/// <summary>
/// <see cref="LogisticRegression"/> for sparse features: it reads only the nonzero ones, in managed code. With tens of thousands of words
/// that takes a hundredth of the time of dense matrices. Features are not centred, because the unpenalised bias makes up for it, and not
/// rotated, because an L2 penalty does not depend on it; they are scaled like those of a <see cref="RowSpace"/>, so that penalties mean the
/// same.
/// </summary>
internal sealed class SparseRegression
{
    private readonly SparseRows _rows;
    private readonly LabelLoss _loss;
    private readonly double[] _moments; // [d + 1], mean square of each column after scaling; the last column is 1 for the bias
    private readonly double _scale;
    private readonly int _classes;

    /// <param name="rows">The features of the set.</param>
    /// <param name="set">The n examples.</param>
    public SparseRegression(SparseRows rows, LabelledFeatures set)
    {
        (_rows, _classes, _loss) = (rows, set.Categories.Count, new LabelLoss(set));
        (_scale, _moments) = Moments(rows);
    }

    /// <summary>The sparse features of a set that should be fitted here; null for other sets.</summary>
    public static SparseRows? RowsOf(LabelledFeatures set) =>
        set.Features is SparseRows sparse && sparse.Count > MostForSpan ? sparse : null;

    /// <summary>Number of parameters: (d + 1) x k.</summary>
    public int Parameters => _moments.Length * _classes;

    /// <summary>Fits, starting from <paramref name="parameters"/>; see <see cref="LogisticRegression.Fit"/>.</summary>
    /// <param name="parameters"><c>[d + 1, k]</c>, the bias in the last row; receives the optimum.</param>
    /// <param name="l2">Strength of the penalty.</param>
    /// <param name="tolerance">Ends when no component of the gradient is larger.</param>
    /// <param name="cancel">Checked before each iteration.</param>
    public void Fit(double[] parameters, double l2, double tolerance, CancellationToken cancel)
    {
        Lbfgs.Minimise((point, gradient) => Evaluate(point, gradient, l2), parameters, _loss.Curvature(_moments, l2), tolerance, cancel);
    }

    /// <summary>Probabilities of other examples.</summary>
    /// <param name="rows"><c>[m][d]</c></param>
    /// <param name="parameters"><c>[d + 1, k]</c></param>
    /// <returns><c>[m, k]</c>, row by row.</returns>
    public double[] Probabilities(SparseRows rows, double[] parameters)
    {
        var probabilities = new double[rows.Count * _classes];
        for (var i = 0; i < rows.Count; i++)
        {
            var own = probabilities.AsSpan(i * _classes, _classes);
            Logits(rows.Row(i), parameters, own);
        }

        LabelLoss.Activate(probabilities, _classes, _loss.Exclusive);
        return probabilities;
    }

    /// <summary>Converts parameters to a layer for unscaled features.</summary>
    /// <param name="parameters"><c>[d + 1, k]</c></param>
    public DenseLayer Layer(double[] parameters)
    {
        var inputs = _moments.Length - 1;
        var weights = new float[_classes * inputs];
        for (var i = 0; i < weights.Length; i++)
        {
            weights[i] = (float)(_scale * parameters[i % inputs * _classes + i / inputs]);
        }

        return new DenseLayer(inputs, weights, [.. parameters[^_classes..].Select(bias => (float)bias)]);
    }

    private double Evaluate(ReadOnlySpan<double> point, Span<double> gradient, double l2)
    {
        TensorPrimitives.Multiply(point[..^_classes], l2, gradient);
        gradient[^_classes..].Clear();
        var loss = l2 / 2 * TensorPrimitives.SumOfSquares(point[..^_classes]);
        Span<double> slope = new double[_classes];
        for (var i = 0; i < _rows.Count; i++)
        {
            var row = _rows.Row(i);
            Logits(row, point, slope);
            loss += _loss.Of(slope, i);
            AddScaled(row, slope, gradient);
        }

        return loss;
    }

    private void Logits((int[] Columns, float[] Values) row, ReadOnlySpan<double> parameters, Span<double> logits)
    {
        parameters[^_classes..].CopyTo(logits);
        for (var j = 0; j < row.Columns.Length; j++)
        {
            var value = _scale * row.Values[j];
            var weights = parameters.Slice(row.Columns[j] * _classes, _classes);
            for (var k = 0; k < weights.Length; k++)
            {
                logits[k] += value * weights[k];
            }
        }
    }

    private void AddScaled((int[] Columns, float[] Values) row, ReadOnlySpan<double> slope, Span<double> gradient)
    {
        for (var j = 0; j < row.Columns.Length; j++)
        {
            var value = _scale * row.Values[j];
            var sums = gradient.Slice(row.Columns[j] * _classes, _classes);
            for (var k = 0; k < sums.Length; k++)
            {
                sums[k] += value * slope[k];
            }
        }

        TensorPrimitives.Add(gradient[^_classes..], slope, gradient[^_classes..]);
    }

    private static (double Scale, double[] Moments) Moments(SparseRows rows)
    {
        var (sums, moments) = (new double[rows.Dimensions], new double[rows.Dimensions + 1]);
        for (var i = 0; i < rows.Count; i++)
        {
            var (columns, values) = rows.Row(i);
            for (var j = 0; j < columns.Length; j++)
            {
                sums[columns[j]] += values[j];
                moments[columns[j]] += (double)values[j] * values[j];
            }
        }

        var n = (double)rows.Count;
        var variance = TensorPrimitives.Sum<double>(moments) / n - TensorPrimitives.SumOfSquares<double>(sums) / n / n;
        var scale = variance > 1e-12 ? Math.Sqrt(FeatureVariance / variance) : 0;
        TensorPrimitives.Multiply(moments, scale * scale / n, moments);
        moments[^1] = 1;
        return (scale, moments);
    }
}
