using TorchSharp;
using static Headstart.Learning.TrainingDefaults;
using static TorchSharp.torch;

namespace Headstart.Learning.Heads;

/// <summary>
/// Linear discriminant analysis with equal priors: the nearest category mean, with distances measured by the covariance within categories.
/// A few images do not determine that covariance, so a share of it is replaced by its mean over all directions (Ledoit and Wolf 2004;
/// Friedman 1989): a share of 1 leaves plain distances to prototypes. Logits are scaled down where the covariance, estimated from the same
/// few images, makes them overconfident. On our five public sets this beats logistic regression with 5 images per category and with 50.
/// Works in the coordinates of a <see cref="RowSpace"/>.
/// </summary>
internal sealed class Prototypes
{
    private readonly Tensor _rows; // [n, r]
    private readonly int[] _labels; // [n]
    private readonly Tensor _means; // [k, r]
    private readonly Tensor _covariance; // [r, r], within categories
    private readonly Tensor _level; // [1], its mean over all directions

    /// <param name="inputs"><c>[n, r + 1]</c>; see <see cref="PartSpaces"/>.</param>
    /// <param name="labels"><c>[n]</c>, 0..k-1.</param>
    /// <param name="classes">k</param>
    public Prototypes(Tensor inputs, int[] labels, int classes)
    {
        (_rows, _labels) = (inputs.narrow(1, 0, inputs.shape[1] - 1).to(float64), labels);
        var members = nn.functional.one_hot(tensor([.. labels.Select(label => (long)label)]), classes).to(float64);
        // A category whose near duplicates are all in the other part has no example here; its mean is then the overall mean, 0.
        double[] support = [.. Enumerable.Range(0, classes).Select(k => (double)Math.Max(1, labels.Count(label => label == k)))];
        _means = members.t().mm(_rows) / tensor(support).unsqueeze(1);
        var within = _rows - members.mm(_means);
        var free = Math.Max(1, labels.Length - classes); // a category of one image does not contribute to the covariance
        _covariance = within.t().mm(within) / tensor([(double)free]);
        using var diagonal = _covariance.diagonal();
        double[] variances = [.. diagonal.contiguous().data<double>()];
        _level = tensor([variances.DefaultIfEmpty(0).Average()]);
    }

    /// <param name="share">0..1; above 0, because with too few images the covariance is singular.</param>
    /// <returns>Parameters <c>[r + 1, k]</c>, the bias in the last row.</returns>
    public double[] Fit(double share)
    {
        using var scope = NewDisposeScope();
        var dimensions = _covariance.shape[0];
        if (dimensions == 0)
        {
            return new double[_means.shape[0]];
        }

        // If nothing varies within the categories, all directions count the same.
        using var value = _level.clone();
        var level = value.item<double>();
        // Subtracts the negative, because a tensor sum multiplies by a number: see RowSpace.
        var shrunk = _covariance * tensor([1 - share]) - eye(dimensions, dtype: float64) * tensor([level > 0 ? -share * level : -1]);
        var weights = linalg.solve(shrunk, _means.t()); // [r, k]
        var bias = (_means.t() * weights).sum(dim: 0L).unsqueeze(0) * tensor([-0.5]);
        double[] logits = [.. (_rows.mm(weights) - -bias).contiguous().data<double>()];
        var sureness = PrototypeLead / Math.Max(PrototypeLead, Lead(logits));
        return [.. cat([weights, bias], 0).contiguous().data<double>().Select(parameter => parameter * sureness)];
    }

    /// <summary>Mean lead of an example's own logit over the highest other one.</summary>
    private double Lead(double[] logits) => logits.Chunk(logits.Length / _labels.Length).Zip(_labels, (row, own) =>
        row[own] - row.Where((_, k) => k != own).Max()).Average();
}
