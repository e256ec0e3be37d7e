using TorchSharp;
using static TorchSharp.torch;

namespace Headstart.Learning.Heads;

/// <summary>
/// Coordinates for fits to parts of one set. Each part has a <see cref="RowSpace"/> of its own while examples are few. Of many examples a
/// part has the same principal axes as the whole, and finding them takes longer than a fit, so that all parts share one: neither its
/// rotation nor its one scale knows a label. May be used by one thread at a time, whichever it is; what it gives belongs to that one's
/// dispose scope.
/// </summary>
internal sealed class PartSpaces : IDisposable
{
    private const int Enough = 2; // examples for each feature
    private const int Large = 100_000; // numbers; fits to fewer take no time in any precision

    private readonly Tensor? _features; // [n, d], float64; null where all share one space
    private readonly (RowSpace Space, Tensor Inputs)? _common;

    public PartSpaces(LabelledFeatures set)
    {
        Precision = (long)set.Count * Math.Min(set.Count, set.Dimensions) > Large ? FitPrecision.Single : FitPrecision.Double;
        using var scope = NewDisposeScope();
        var features = ToTensor(set.Features);
        if (!ShareOne(set))
        {
            _features = features.DetachFromDisposeScope();
            return;
        }

        var space = new RowSpace(features).Keep();
        _common = (space, Project(space, features).DetachFromDisposeScope());
    }

    /// <summary>Whether all parts of a set have the same coordinates.</summary>
    public static bool ShareOne(LabelledFeatures set) => set.Count >= Enough * set.Dimensions;

    /// <summary>Of all inputs.</summary>
    public FitPrecision Precision { get; }

    /// <summary>The coordinates of a part that heads are fitted to, and the part in them, <c>[n, r + 1]</c>.</summary>
    public (RowSpace Space, Tensor Inputs) Of(int[] rows)
    {
        if (_common is var (space, inputs))
        {
            return (space, Rows(inputs, rows));
        }

        using var features = Rows(_features!, rows);
        var own = new RowSpace(features);
        return (own, Project(own, features));
    }

    /// <summary>Other examples in the coordinates of a part, <c>[m, r + 1]</c>.</summary>
    public Tensor In(RowSpace space, int[] rows)
    {
        if (_common is var (_, inputs))
        {
            return Rows(inputs, rows);
        }

        using var features = Rows(_features!, rows);
        return Project(space, features);
    }

    public void Dispose()
    {
        _features?.Dispose();
        if (_common is var (space, inputs))
        {
            space.Dispose();
            inputs.Dispose();
        }
    }

    private Tensor Project(RowSpace space, Tensor features)
    {
        using var scope = NewDisposeScope();
        return space.Project(features).to(Precision.Type).MoveToOuterDisposeScope();
    }

    private static Tensor Rows(Tensor of, int[] rows)
    {
        using var indices = tensor([.. rows.Select(row => (long)row)]);
        return of.index_select(0, indices);
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
/// <param name="Selection">Largest slope that is left in a fit that is compared with others.</param>
/// <param name="Final">The same in one that is kept.</param>
internal sealed record FitPrecision(ScalarType Type, double Selection, double Final)
{
    public static readonly FitPrecision Double = new(ScalarType.Float64, 1e-4, 1e-7);

    /// <summary>
    /// Smaller slopes are rounding here. On 4,000 photographs of 19 categories such a fit takes a fifth of the time, and no probability is
    /// more than 0.0002 away from the optimum's.
    /// </summary>
    public static readonly FitPrecision Single = new(ScalarType.Float32, 3e-4, 1e-5);
}
