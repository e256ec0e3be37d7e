using TorchSharp;
using static TorchSharp.torch;

namespace Headstart.Learning.Heads;

/// <summary>
/// Sparse features of a few examples as short dense ones: coordinates in an orthonormal basis of the examples' span, from the eigenvectors
/// of their Gram matrix. All lengths and angles are preserved, and heads depend on nothing else, so a head fitted to the coordinates equals
/// one fitted to the features (representer theorem) at the cost of n columns.
/// </summary>
internal sealed class SpanCoordinates
{
    private readonly SparseRows _rows;
    private readonly double[] _basis; // [n, r]: the basis is rows^T x this
    private readonly int _rank;

    /// <param name="set">A set with <see cref="SparseRows"/>.</param>
    public SpanCoordinates(LabelledFeatures set)
    {
        _rows = (SparseRows)set.Features;
        using var scope = NewDisposeScope();
        var n = _rows.Count;
        var (values, vectors) = linalg.eigh(tensor(Products(_rows), [n, n]));
        double[] sizes = [.. values.data<double>()];
        var least = 1e-10 * sizes[^1] + 1e-12;
        var first = Array.FindIndex(sizes, size => size > least);
        first = first < 0 ? n - 1 : first; // all zeros: one coordinate that is 0
        _rank = n - first;
        var kept = vectors.narrow(1, first, _rank);
        var roots = tensor([.. sizes[first..].Select(size => Math.Sqrt(Math.Max(size, least)))]);
        _basis = [.. (kept / roots).contiguous().data<double>()];
        double[] coordinates = [.. (kept * roots).contiguous().data<double>()];
        Set = set with { Features = [.. coordinates.Chunk(_rank).Select(row => row.Select(value => (float)value).ToArray())] };
    }

    /// <summary>How parts of a set are fitted: sparse rows in coordinates, or as they are if there are too many for that.</summary>
    /// <returns>The set to use, and its rows if they remain sparse.</returns>
    public static (LabelledFeatures Set, SparseRows? Sparse) Of(LabelledFeatures set)
    {
        var sparse = SparseRegression.RowsOf(set);
        return (sparse is null && set.Features is SparseRows ? new SpanCoordinates(set).Set : set, sparse);
    }

    /// <summary>The examples in coordinates, <c>[n, r]</c>.</summary>
    public LabelledFeatures Set { get; }

    /// <summary>Converts a layer for coordinates to one for features.</summary>
    /// <param name="layer">A layer that reads coordinates.</param>
    public DenseLayer Unfold(DenseLayer layer)
    {
        var weights = new float[layer.Outputs * _rows.Dimensions];
        for (var k = 0; k < layer.Outputs; k++)
        {
            var own = layer.Weights.Span.Slice(k * _rank, _rank);
            var sums = new double[_rows.Dimensions];
            for (var i = 0; i < _rows.Count; i++)
            {
                var share = 0.0;
                for (var r = 0; r < _rank; r++)
                {
                    share += _basis[i * _rank + r] * own[r];
                }

                var (columns, values) = _rows.Row(i);
                for (var j = 0; j < columns.Length; j++)
                {
                    sums[columns[j]] += share * values[j];
                }
            }

            for (var j = 0; j < sums.Length; j++)
            {
                weights[k * sums.Length + j] = (float)sums[j];
            }
        }

        return new DenseLayer(_rows.Dimensions, weights, layer.Bias.Span);
    }

    private static double[] Products(SparseRows rows)
    {
        var products = new double[rows.Count * rows.Count];
        var whole = new double[rows.Dimensions];
        for (var i = 0; i < rows.Count; i++)
        {
            var (columns, values) = rows.Row(i);
            for (var j = 0; j < columns.Length; j++)
            {
                whole[columns[j]] = values[j];
            }

            for (var other = 0; other <= i; other++)
            {
                var (otherColumns, otherValues) = rows.Row(other);
                var product = 0.0;
                for (var j = 0; j < otherColumns.Length; j++)
                {
                    product += whole[otherColumns[j]] * otherValues[j];
                }

                products[i * rows.Count + other] = products[other * rows.Count + i] = product;
            }

            foreach (var column in columns)
            {
                whole[column] = 0;
            }
        }

        return products;
    }
}
