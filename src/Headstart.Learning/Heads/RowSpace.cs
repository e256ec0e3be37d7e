using TorchSharp;
using static Headstart.Learning.TrainingDefaults;
using static TorchSharp.torch;

namespace Headstart.Learning.Heads;

/// <summary>
/// Coordinates in which a linear model is small and well conditioned: the principal axes of the training part, centred and scaled by one
/// factor. (The usual scaling of each feature by its own deviation is worse: few images do not determine the deviations. On our five public
/// sets it gave 0.819 instead of 0.830 with 5 images per category, and 0.940 instead of 0.944 with all.) The rotation keeps lengths, so an
/// L2 penalty means the same; and the optimum of a penalised linear model lies in the span of the training examples (representer theorem),
/// so with n &lt; d examples nothing is lost by fitting n instead of d weights per class. Its tensors belong to the dispose scope it is
/// made in, unless it is kept. Never pass a C# number to a tensor operation here: TorchSharp 0.107 wraps it in a <c>Scalar</c> that the
/// garbage collector may free while libtorch reads it, which on busy machines made runs fail and could as well have changed a number.
/// Tensors are kept alive by their dispose scope.
/// </summary>
internal sealed class RowSpace : IDisposable
{
    private readonly Tensor _mean; // [d]
    private readonly Tensor _scale; // [1]; 0 where nothing varies
    private readonly Tensor _axes; // [d, r], orthonormal columns

    /// <param name="features">Features of the training part, <c>[n, d]</c>, float64.</param>
    public RowSpace(Tensor features)
    {
        _mean = features.mean([0]);
        using var difference = features - _mean;
        using var squares = difference * difference;
        using var sum = squares.sum();
        var variance = sum.item<double>() / features.shape[0];
        _scale = tensor([variance > 0 ? Math.Sqrt(FeatureVariance / variance) : 0]);
        var centred = Centre(features);
        _axes = features.shape[0] <= features.shape[1] ? AxesFromRows(centred) : AxesFromColumns(centred); // in rising order of variance
    }

    private RowSpace(Tensor mean, Tensor scale, Tensor axes) => (_mean, _scale, _axes) = (mean, scale, axes);

    /// <summary>Detaches it from the dispose scope: it then lives until it is disposed.</summary>
    public RowSpace Keep()
    {
        foreach (var part in (Tensor[])[_mean, _scale, _axes])
        {
            part.DetachFromDisposeScope();
        }

        return this;
    }

    public void Dispose()
    {
        _mean.Dispose();
        _scale.Dispose();
        _axes.Dispose();
    }

    /// <summary>Keeps the axes with the largest variance.</summary>
    public RowSpace Longest(int axes) => axes >= Rows - 1 ? this : new(_mean, _scale, _axes.narrow(1, Rows - 1 - axes, axes));

    /// <summary>Keeps the same axes of projected inputs, <c>[m, r + 1]</c>.</summary>
    public Tensor Longest(Tensor inputs, int axes) => axes >= Rows - 1 ? inputs : inputs.narrow(1, Rows - 1 - axes, axes + 1);

    /// <summary>Centres, rotates and appends a column of ones for the bias.</summary>
    /// <param name="features"><c>[m, d]</c></param>
    /// <returns><c>[m, r + 1]</c></returns>
    public Tensor Project(Tensor features)
    {
        using var scope = NewDisposeScope();
        return cat([Centre(features).mm(_axes), ones([features.shape[0], 1], float64)], 1).MoveToOuterDisposeScope();
    }

    /// <summary>Number of parameters per class: r + 1.</summary>
    public int Rows => (int)_axes.shape[1] + 1;

    /// <summary>Converts parameters to weights for raw features.</summary>
    /// <param name="parameters"><c>[r + 1, k]</c>, the bias in the last row.</param>
    /// <param name="classes">k</param>
    /// <returns>Weights <c>[k, d]</c> row by row, and bias <c>[k]</c>.</returns>
    public (float[] Weights, float[] Bias) Unfold(double[] parameters, int classes)
    {
        using var scope = NewDisposeScope();
        var rotated = tensor(parameters, [Rows, classes]);
        var weights = _axes.mm(rotated.narrow(0, 0, Rows - 1)) * _scale;
        var bias = rotated[Rows - 1] - _mean.unsqueeze(0).mm(weights).squeeze(0);
        return ([.. weights.t().contiguous().to(float32).data<float>()], [.. bias.to(float32).data<float>()]);
    }

    private Tensor Centre(Tensor features)
    {
        using var scope = NewDisposeScope();
        return ((features - _mean) * _scale).MoveToOuterDisposeScope();
    }

    private static Tensor AxesFromRows(Tensor z)
    {
        using var scope = NewDisposeScope();
        var (values, vectors) = Significant(z.mm(z.t()));
        return (z.t().mm(vectors) * values.rsqrt()).MoveToOuterDisposeScope();
    }

    private static Tensor AxesFromColumns(Tensor z)
    {
        using var scope = NewDisposeScope();
        return Significant(z.t().mm(z)).Vectors.MoveToOuterDisposeScope();
    }

    /// <summary>Eigenvalues above rounding error, and their eigenvectors.</summary>
    private static (Tensor Values, Tensor Vectors) Significant(Tensor symmetric)
    {
        var (values, vectors) = linalg.eigh(symmetric);
        double[] sizes = [.. values.data<double>()];
        var least = 1e-10 * sizes.Max() + 1e-12;
        var keep = tensor([.. Enumerable.Range(0, sizes.Length).Where(i => sizes[i] > least).Select(i => (long)i)]);
        return (values.index_select(0, keep), vectors.index_select(1, keep));
    }
}
