using TorchSharp;
using static TorchSharp.torch;

namespace Headstart.Learning.Heads;

/// <summary>
/// Coordinates for fits to parts of one set: the <see cref="RowSpace"/> of the whole, found once. A part's own principal axes would take
/// longer to find than a fit takes, and lead to the same head: a penalised linear model does not depend on a rotation, its bias takes up
/// where the mean lies, and neither they nor the one scale knows a label. (Discriminant analysis and hidden layers do see the directions in
/// which the other examples vary, but not their labels.) Several threads may use it at once.
/// </summary>
internal sealed class PartSpaces : IDisposable
{
    private const int Large = 100_000; // numbers; fits to fewer take no time in any precision

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

    /// <summary>Of the inputs.</summary>
    public FitPrecision Precision { get; }

    /// <summary>Some of the examples, <c>[m, r + 1]</c>; belongs to the caller's dispose scope.</summary>
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

    private static Tensor ToTensor(IReadOnlyList<float[]> rows)
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

/// <summary>How exactly heads are fitted.</summary>
/// <param name="Type">Of the inputs, which decides what the two products with them cost; all else is float64.</param>
/// <param name="Tolerance">Largest slope that is left in a fit that is kept.</param>
internal sealed record FitPrecision(ScalarType Type, double Tolerance)
{
    public static readonly FitPrecision Double = new(ScalarType.Float64, 1e-7);

    /// <summary>
    /// Smaller slopes are rounding here. On 4,000 photographs of 19 categories such a fit takes a fifth of the time, and no probability is
    /// more than 0.0002 away from the optimum's.
    /// </summary>
    public static readonly FitPrecision Single = new(ScalarType.Float32, 1e-5);
}
