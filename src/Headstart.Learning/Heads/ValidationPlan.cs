using Headstart.Learning.Native;
using static Headstart.Learning.TrainingDefaults;
using static TorchSharp.torch;

namespace Headstart.Learning.Heads;

/// <summary>
/// Repeated stratified cross-validation over methods and strengths: one fit per fold and repeat, which tries all methods but hidden layers.
/// Those take as long as all others together, so they are fits of their own, and only in the first repeat. Works from one image per
/// category, though such a category is not tested: see <see cref="StratifiedFolds"/>.
/// </summary>
public sealed class ValidationPlan : FitPlan
{
    private readonly LabelledFeatures _set;
    private readonly SparseRows? _sparse;
    private readonly Lazy<PartSpaces>? _spaces; // null for sparse features
    private readonly List<HeadMethod> _hidden; // tried in the first fits
    private readonly List<HeadMethod> _others;
    private readonly List<int[]> _assignments = []; // [repeats][n]
    private readonly StratifiedFolds _folds;
    private readonly HeadMethod? _favourite; // null if no method is known to be good

    /// <param name="set">At least two categories with an image each.</param>
    /// <param name="seed">Decides the splits.</param>
    /// <param name="repeats">Number of splits; null for <see cref="HeadTraining.Repeats"/>.</param>
    /// <param name="linearOnly">Leaves out hidden layers, which take as long as all others together.</param>
    /// <exception cref="HeadTrainingException">There is nothing to learn from this set; the message says why.</exception>
    public ValidationPlan(LabelledFeatures set, int seed, int? repeats, bool linearOnly)
    {
        set.Require();
        TorchRuntime.EnsureLoaded();
        (_set, _sparse) = SpanCoordinates.Of(set);
        _spaces = _sparse is null ? new(() => new PartSpaces(_set)) : null;
        var methods = HeadTraining.Methods(set, linearOnly);
        _favourite = set.Features is SparseRows ? null
            : methods.Find(method => method == (set.Prior is null ? HeadTraining.Favourite : HeadTraining.FavouriteWithWords));
        _hidden = methods.FindAll(method => method.Kind == HeadKind.Hidden);
        _others = methods.FindAll(method => method.Kind != HeadKind.Hidden);
        _folds = new StratifiedFolds(_set);
        var random = new Random(seed);
        for (var repeat = 0; repeat < (repeats ?? HeadTraining.Repeats(_set.Count)); repeat++)
        {
            _assignments.Add(_folds.Assign(random));
        }
    }

    public override int Count => _folds.Count * _assignments.Count + HiddenFits;

    private int HiddenFits => _hidden.Count == 0 ? 0 : _folds.Count;

    /// <returns>Probabilities <c>[methods, m, k]</c> of the fold's m examples.</returns>
    public override float[] Fit(int number, CancellationToken cancel)
    {
        var (split, methods) = PartOf(number);
        var assignment = _assignments[split / _folds.Count];
        int[] seen = [.. Enumerable.Range(0, _set.Count).Where(i => assignment[i] != split % _folds.Count)];
        return _sparse is not null ? Fit(_sparse, seen, Fold(split), methods, cancel)
            : Fit(_spaces!.Value, seen, Fold(split), methods, cancel);
    }

    /// <summary>The combined result of the fits.</summary>
    /// <param name="fits">All of them, in order.</param>
    public CrossValidation Conclude(IReadOnlyList<float[]> fits)
    {
        var tested = _set.Some(_folds.Tested);
        var places = _folds.Tested.Index().ToDictionary(example => example.Item, example => example.Index);
        var scores = _others.Concat(_hidden)
            .ToDictionary(method => method, method => new OutOfFoldScores(tested, _hidden.Contains(method) ? 1 : _assignments.Count));
        foreach (var (number, fit) in fits.Index())
        {
            var (split, methods) = PartOf(number);
            int[] fold = [.. Fold(split).Select(example => places[example])];
            var each = fold.Length * _set.Categories.Count;
            foreach (var (i, method) in methods.Index())
            {
                scores[method].Add(split / _folds.Count, fold, fit.AsSpan(i * each, each));
            }
        }

        // Look-alikes favour the most confident method, whichever it is.
        var best = _folds.Measured.Count == 0 ? Untried() : Best(scores);
        var (accuracy, error) = scores[best].Accuracy(_folds.Measured);
        return new CrossValidation(accuracy, error, best, _folds.Count, scores[best].Runs.Count, _folds.Tested, _folds.Measured,
            scores[best].Runs);
    }

    protected override void Dispose(bool disposing)
    {
        if (_spaces?.IsValueCreated == true)
        {
            _spaces.Value.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>The fold of a fit and the methods that it tries.</summary>
    private (int Split, List<HeadMethod> Methods) PartOf(int number) =>
        number < HiddenFits ? (number, _hidden) : (number - HiddenFits, _others);

    private int[] Fold(int split) =>
        [.. _folds.Tested.Where(i => _assignments[split / _folds.Count][i] == split % _folds.Count)];

    /// <summary>The method for a set that cannot show which is better for new images.</summary>
    private HeadMethod Untried() => _set.Prior is not null ? HeadTraining.FavouriteWithWords
        : _others.Find(method => method.Kind == HeadKind.Logistic && method.Strength == UntriedPenalty)!;

    /// <summary>The method with the lowest loss, if its lead over the favourite exceeds the standard error: the best of a dozen noisy
    /// numbers is partly luck.</summary>
    private HeadMethod Best(Dictionary<HeadMethod, OutOfFoldScores> scores)
    {
        var losses = scores.ToDictionary(method => method.Key, method => method.Value.CrossEntropies());
        var best = losses.MinBy(method => method.Value.Sum()).Key;
        if (_favourite is null)
        {
            return best;
        }

        double[] leads = [.. losses[_favourite].Zip(losses[best], (favourite, other) => favourite - other)];
        var mean = leads.Average();
        var error = Math.Sqrt(leads.Average(lead => (lead - mean) * (lead - mean)) / leads.Length);
        return mean > MethodCertainty * error ? best : _favourite;
    }

    private float[] Fit(PartSpaces spaces, int[] seen, int[] unseen, List<HeadMethod> methods, CancellationToken cancel)
    {
        using var scope = NewDisposeScope();
        var fit = new PartFit(_set, spaces, seen, unseen);
        var parameters = new double[fit.Parameters]; // carried from one strength to the next
        var path = new PenaltyPath(_set.Some(unseen));
        return [.. methods.SelectMany(method => method.Kind == HeadKind.Logistic
            ? path.Next(() => Fitted(method)) : Fitted(method))];

        float[] Fitted(HeadMethod method) => [.. fit.Probabilities(method, parameters, cancel).Select(p => (float)p)];
    }

    /// <summary>The same for sparse features, for which only logistic regression is tried.</summary>
    private float[] Fit(SparseRows features, int[] seen, int[] unseen, List<HeadMethod> methods, CancellationToken cancel)
    {
        var regression = new SparseRegression(features.Some(seen), _set.Some(seen));
        var unseenRows = features.Some(unseen);
        var parameters = new double[regression.Parameters];
        return [.. methods.SelectMany(method =>
        {
            regression.Fit(parameters, method.Strength, SparseSelectionTolerance, cancel);
            return regression.Probabilities(unseenRows, parameters);
        }).Select(p => (float)p)];
    }

    /// <summary>
    /// Fits of one fold with weaker and weaker penalties, each of which takes longer than the one before. Once two in a row were worse on
    /// the fold than the best before them, the remaining ones are taken to answer as the last one did, if the fold is large enough to tell:
    /// they would be worse still.
    /// </summary>
    private sealed class PenaltyPath(LabelledFeatures fold)
    {
        private readonly int[] _all = [.. Enumerable.Range(0, fold.Count)];
        private double _least = double.PositiveInfinity;
        private int _worse;
        private float[] _last = [];

        public float[] Next(Func<float[]> fit)
        {
            if (_worse >= WorseToEnd)
            {
                return _last;
            }

            _last = fit();
            if (fold.Count >= EnoughToEnd)
            {
                var scores = new OutOfFoldScores(fold, repeats: 1);
                scores.Add(0, _all, _last);
                var loss = scores.CrossEntropies().Sum();
                _worse = loss < _least ? 0 : _worse + 1;
                _least = Math.Min(_least, loss);
            }

            return _last;
        }
    }
}
