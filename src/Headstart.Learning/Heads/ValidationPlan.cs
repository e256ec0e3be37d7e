using Headstart.Learning.Native;
using static TorchSharp.torch;

namespace Headstart.Learning.Heads;

/// <summary>
/// Repeated stratified cross-validation over methods and strengths: one fit for each fold of each repeat, which tries all methods. Works from 2 images a category.
/// </summary>
public sealed class ValidationPlan : FitPlan
{
    private const int MostFolds = 5;

    private readonly LabelledFeatures _set;
    private readonly SparseRows? _sparse;
    private readonly Lazy<PartSpaces>? _spaces; // null where features are mostly 0
    private readonly List<HeadMethod> _methods;
    private readonly List<int[]> _assignments = []; // [repeats][n]
    private readonly int _folds;

    /// <param name="set">At least two categories with two images each.</param>
    /// <param name="seed">Decides the splits.</param>
    /// <param name="repeats">Different splits; null for as many as <see cref="HeadTraining.Repeats"/> says.</param>
    /// <param name="linearOnly">Leave hidden layers out, which take as long as all others together.</param>
    /// <exception cref="HeadTrainingException">There is nothing to learn from this set; the message says why.</exception>
    public ValidationPlan(LabelledFeatures set, int seed, int? repeats, bool linearOnly)
    {
        ArgumentNullException.ThrowIfNull(set);
        set.Require(perCategory: 2);
        TorchRuntime.EnsureLoaded();
        _sparse = SparseRegression.RowsOf(set);
        _set = _sparse is null && set.Features is SparseRows ? new SpanCoordinates(set).Set : set;
        _spaces = _sparse is null ? new(() => new PartSpaces(_set)) : null;
        _methods = HeadTraining.Methods(_set, linearOnly);
        _folds = Math.Min(MostFolds, _set.Support().Min());
        var random = new Random(seed);
        for (var repeat = 0; repeat < (repeats ?? HeadTraining.Repeats(_set.Count)); repeat++)
        {
            _assignments.Add(StratifiedFolds.Assign(_set, _folds, random));
        }
    }

    public override int Count => _folds * _assignments.Count;

    protected override bool OneCore => _sparse is not null;

    /// <returns>Probabilities <c>[methods, m, k]</c> of the fold's m examples.</returns>
    public override float[] Fit(int number, CancellationToken cancel)
    {
        var assignment = _assignments[number / _folds];
        int[] seen = [.. Enumerable.Range(0, _set.Count).Where(i => assignment[i] != number % _folds)];
        return _sparse is not null ? Fit(_sparse, seen, Fold(number), cancel) : Fit(_spaces!.Value, seen, Fold(number), cancel);
    }

    /// <summary>What the fits say together.</summary>
    /// <param name="fits">All of them, in order.</param>
    public CrossValidation Conclude(IReadOnlyList<float[]> fits)
    {
        ArgumentNullException.ThrowIfNull(fits);
        var scores = _methods.ConvertAll(_ => new OutOfFoldScores(_set, _assignments.Count));
        foreach (var (number, fit) in fits.Index())
        {
            var fold = Fold(number);
            var each = fold.Length * _set.Categories.Count;
            foreach (var (i, score) in scores.Index())
            {
                score.Add(number / _folds, fold, fit.AsSpan(i * each, each));
            }
        }

        var best = Enumerable.Range(0, _methods.Count).MinBy(i => scores[i].CrossEntropy());
        var (accuracy, error) = scores[best].Accuracy();
        return new CrossValidation(accuracy, error, _methods[best], _folds, _assignments.Count, scores[best].Runs);
    }

    protected override void Dispose(bool disposing)
    {
        if (_spaces?.IsValueCreated == true)
        {
            _spaces.Value.Dispose();
        }

        base.Dispose(disposing);
    }

    private int[] Fold(int number) => [.. Enumerable.Range(0, _set.Count).Where(i => _assignments[number / _folds][i] == number % _folds)];

    private float[] Fit(PartSpaces spaces, int[] seen, int[] unseen, CancellationToken cancel)
    {
        using var scope = NewDisposeScope();
        var classes = _set.Categories.Count;
        var (space, inputs) = spaces.Of(seen);
        var unseenInputs = spaces.In(space, unseen);
        var learned = _set.Some(seen);
        var prototypes = _methods.Exists(method => method.Kind == HeadKind.Prototypes) ? new Prototypes(inputs, [.. learned.Labels], classes) : null;
        var regression = new LogisticRegression(inputs, learned);
        var parameters = new double[space.Rows * classes]; // from one strength to the next
        var network = _methods.Exists(method => method.Kind == HeadKind.Hidden) ? new HiddenNetwork(space.Longest(inputs, HeadTraining.AxesForHidden), learned, HeadTraining.HiddenSeed) : null;
        return [.. _methods.SelectMany(method =>
        {
            if (method.Kind == HeadKind.Hidden)
            {
                var (hidden, output) = network!.Fit(method.Strength, cancel);
                return network.Probabilities(space.Longest(unseenInputs, HeadTraining.AxesForHidden), hidden, output);
            }

            if (method.Kind == HeadKind.Logistic)
            {
                regression.Fit(parameters, method.Strength, spaces.Precision.Selection, cancel);
            }

            return LogisticRegression.Probabilities(unseenInputs, method.Kind == HeadKind.Logistic ? parameters : prototypes!.Fit(method.Strength), _set);
        }).Select(p => (float)p)];
    }

    /// <summary>The same for features that are mostly 0, which leave only logistic regression to be tried.</summary>
    private float[] Fit(SparseRows features, int[] seen, int[] unseen, CancellationToken cancel)
    {
        var regression = new SparseRegression(features.Some(seen), _set.Some(seen));
        var unseenRows = features.Some(unseen);
        var parameters = new double[regression.Parameters];
        return [.. _methods.SelectMany(method =>
        {
            regression.Fit(parameters, method.Strength, HeadTraining.SparseSelectionTolerance, cancel);
            return regression.Probabilities(unseenRows, parameters);
        }).Select(p => (float)p)];
    }
}
