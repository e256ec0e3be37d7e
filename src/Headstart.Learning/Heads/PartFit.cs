using static Headstart.Learning.TrainingDefaults;
using static TorchSharp.torch;

namespace Headstart.Learning.Heads;

/// <summary>Trial fits to a part of a set: they stay in the coordinates of its <see cref="PartSpaces"/> and answer other examples there.
/// Its tensors belong to the dispose scope it is made in.</summary>
internal sealed class PartFit
{
    private readonly LabelledFeatures _learned;
    private readonly LabelledFeatures _answered;
    private readonly PartSpaces _spaces;
    private readonly Tensor _unseen; // [m, r + 1]
    private readonly Lazy<LogisticRegression> _regression;
    private readonly Lazy<Prototypes> _prototypes;
    private readonly Lazy<WordRegression> _words;
    private readonly Lazy<HiddenNetwork> _network;

    /// <param name="set">The whole set.</param>
    /// <param name="spaces">Its coordinates.</param>
    /// <param name="seen">The examples to learn from.</param>
    /// <param name="unseen">The m examples to answer.</param>
    public PartFit(LabelledFeatures set, PartSpaces spaces, int[] seen, int[] unseen)
    {
        var inputs = spaces.Of(seen);
        (_learned, _answered, _spaces, _unseen) = (set.Some(seen), set.Some(unseen), spaces, spaces.Of(unseen));
        _regression = new(() => new(inputs, _learned));
        _words = new(() => new(inputs, _learned));
        _prototypes = new(() => new(inputs, [.. _learned.Labels], set.Categories.Count));
        _network = new(() => new(spaces.Space.Longest(inputs, HiddenAxes), _learned, HiddenSeed));
    }

    /// <summary>Number of parameters of a linear head.</summary>
    public int Parameters => _spaces.Space.Rows * _learned.Categories.Count;

    /// <param name="method">The method to fit.</param>
    /// <param name="parameters">Starting point of logistic regression, such as the result with a stronger penalty or fewer examples;
    /// receives the result.</param>
    /// <param name="cancel">Checked in every iteration.</param>
    /// <returns><c>[m, k]</c>, row by row.</returns>
    public double[] Probabilities(HeadMethod method, double[] parameters, CancellationToken cancel)
    {
        if (method.Kind == HeadKind.Hidden)
        {
            var (hidden, output) = _network.Value.Fit(method.Strength, cancel);
            return _network.Value.Probabilities(_spaces.Space.Longest(_unseen, HiddenAxes), hidden, output);
        }

        if (method.Kind == HeadKind.Words)
        {
            _words.Value.Fit(method.Strength, SelectionTolerance, cancel);
            return _words.Value.Probabilities(_unseen, _answered.Features);
        }

        if (method.Kind == HeadKind.Logistic)
        {
            _regression.Value.Fit(parameters, method.Strength, SelectionTolerance, cancel);
        }

        return LogisticRegression.Probabilities(_unseen, method.Kind == HeadKind.Logistic ? parameters
            : _prototypes.Value.Fit(method.Strength), _learned);
    }
}
