using TorchSharp;
using static TorchSharp.torch;

namespace Headstart.Learning.Heads;

/// <summary>
/// Coordinates for fits to parts of one set: the <see cref="RowSpace"/> of the whole set, computed once. A part's own principal axes would
/// take longer to find than the fit itself, and lead to the same head: a penalised linear model does not depend on a rotation, its bias
/// absorbs the mean, and neither they nor the common scale use labels. (Discriminant analysis and hidden layers do depend on the directions
/// in which the other examples vary, but not on their labels.) Thread-safe.
/// </summary>
internal sealed class PartSpaces : IDisposable
{
    private const int Large = 100_000; // values; fits to fewer are fast in any precision

    public PartSpaces(LabelledFeatures set)
    {
        Precision = (long)set.Count * Math.Min(set.Count, set.Dimensions) > Large ? FitPrecision.Single : FitPrecision.Double;
        using var scope = NewDisposeScope();
        var features = ToTensor(set.Features);
        Space = new RowSpace(features).Keep();
        Inputs = Space.Project(features).to(Precision.Type).DetachFromDisposeScope();
    }

    /// <summary>The coordinates that heads are fitted in.</summary>
    public RowSpace Space { get; }

    /// <summary>All examples, <c>[n, r + 1]</c>.</summary>
    public Tensor Inputs { get; }

    /// <summary>Precision of the inputs.</summary>
    public FitPrecision Precision { get; }

    /// <summary>The given examples, <c>[m, r + 1]</c>; belongs to the caller's dispose scope.</summary>
    public Tensor Of(int[] rows)
    {
        using var indices = tensor([.. rows.Select(row => (long)row)]);
        return Inputs.index_select(0, indices);
    }

    public void Dispose()
    {
        Space.Dispose();
        Inputs.Dispose();
    }

    /// <summary>Examples as <c>[n, d]</c>.</summary>
    public static Tensor ToTensor(IReadOnlyList<float[]> rows)
    {
        var columns = rows[0].Length;
        var flat = new float[rows.Count * columns];
        for (var i = 0; i < rows.Count; i++)
        {
            rows[i].CopyTo(flat, i * columns);
        }

        using var single = tensor(flat, [rows.Count, columns]);
        return single.to(float64);
    }
}

/// <summary>How precisely heads are fitted.</summary>
/// <param name="Type">Type of the inputs, which decides the cost of the two products with them; all else is float64.</param>
/// <param name="Tolerance">Largest gradient component left in a head that is kept.</param>
internal sealed record FitPrecision(ScalarType Type, double Tolerance)
{
    public static readonly FitPrecision Double = new(ScalarType.Float64, 1e-7);

    /// <summary>Smaller gradients are rounding errors here. On 4,000 photographs of 19 categories such a fit takes a fifth of the time, and
    /// no probability is more than 0.0002 away from that of the optimum.</summary>
    public static readonly FitPrecision Single = new(ScalarType.Float32, 1e-5);
}
