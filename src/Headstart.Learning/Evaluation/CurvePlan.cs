using Headstart.Learning.Heads;
using Headstart.Learning.Native;
using static Headstart.Learning.TrainingDefaults;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Headstart.Learning.Evaluation;

/// <summary>
/// The fits of a <see cref="LearningCurve"/>: heads trained on growing parts of some folds' training examples, each part stratified by
/// category, and how many of the examples left out (<see cref="StratifiedFolds.Measured"/>) they answer correctly. One fit is one fold with
/// all its parts.
/// </summary>
public sealed class CurvePlan : FitPlan
{
    private readonly LabelledFeatures _set;
    private readonly SparseRows? _sparse;
    private readonly HeadMethod _method;
    private readonly Lazy<PartSpaces>? _spaces; // null for sparse features
    private readonly int _repeats;
    private readonly List<(List<int[]> Parts, int[] Unseen)> _folds = [];

    /// <param name="set">At least two categories with four images each, and an accuracy: see <see cref="CrossValidation"/>.</param>
    /// <param name="method">How heads are fitted; its strength is greater than 0.</param>
    /// <param name="repeats">Number of splits, each of up to five folds.</param>
    /// <param name="seed">Decides the splits.</param>
    public CurvePlan(LabelledFeatures set, HeadMethod method, int repeats, int seed)
    {
        TorchRuntime.EnsureLoaded();
        (_method, _repeats) = (method, repeats);
        (_set, _sparse) = SpanCoordinates.Of(set);
        _spaces = _sparse is null ? new(() => new PartSpaces(_set)) : null;
        var random = new Random(seed);
        var folds = new StratifiedFolds(set);
        int[] measured = [.. folds.Measured.Select(i => folds.Tested[i])];
        for (var repeat = 0; repeat < repeats; repeat++)
        {
            var assignment = folds.Assign(random);
            for (var fold = 0; fold < (set.Count <= ManyForCurve ? folds.Count : Math.Min(CurveFoldsOfMany, folds.Count)); fold++)
            {
                int[] training = [.. Enumerable.Range(0, set.Count).Where(i => assignment[i] != fold)];
                random.Shuffle(training);
                _folds.Add(([.. CurveShares.Select(share => Part(training, share))],
                    [.. measured.Where(i => assignment[i] == fold)]));
            }
        }
    }

    public override int Count => _folds.Count;

    /// <returns>For each part, how many of the fold's examples are answered correctly.</returns>
    public override float[] Fit(int number, CancellationToken cancel)
    {
        var (parts, unseen) = _folds[number];
        var (classes, parameters) = (_set.Categories.Count, Array.Empty<double>()); // carried from one part to the next, which contains it
        return [.. parts.Select(part =>
        {
            var probabilities = Probabilities(part);
            return (float)unseen.Index().Count(example => IsRight(example.Item, probabilities.AsSpan(example.Index * classes, classes)));
        })];

        double[] Probabilities(int[] part)
        {
            if (_sparse is not null)
            {
                var regression = new SparseRegression(_sparse.Some(part), _set.Some(part));
                parameters = parameters.Length == 0 ? new double[regression.Parameters] : parameters;
                regression.Fit(parameters, _method.Strength, SparseSelectionTolerance, cancel);
                return regression.Probabilities(_sparse.Some(unseen), parameters);
            }

            using var own = NewDisposeScope();
            var fit = new PartFit(_set, _spaces!.Value, part, unseen);
            parameters = parameters.Length == 0 ? new double[fit.Parameters] : parameters;
            return fit.Probabilities(_method, parameters, cancel);
        }
    }

    /// <summary>The learning curve that the fits give.</summary>
    /// <param name="fits">All of them, in order.</param>
    public LearningCurve Conclude(IReadOnlyList<float[]> fits)
    {
        var all = _folds.Sum(fold => fold.Unseen.Length);
        return LearningCurve.Fit([.. CurveShares.Select((_, i) =>
            new CurvePoint((int)Math.Round(_folds.Average(fold => fold.Parts[i].Length)),
            fits.Sum(fit => (double)fit[i]) / all))], all / _repeats);
    }

    protected override void Dispose(bool disposing)
    {
        if (_spaces?.IsValueCreated == true)
        {
            _spaces.Value.Dispose();
        }

        base.Dispose(disposing);
    }

    private bool IsRight(int example, ReadOnlySpan<double> probabilities)
    {
        if (_set.Tags is null)
        {
            return TensorPrimitives.IndexOfMax(probabilities) == _set.Labels[example];
        }

        var wanted = _set.Tags[example];
        for (var k = 0; k < probabilities.Length; k++)
        {
            if (probabilities[k] >= 0.5 != wanted.Contains(k))
            {
                return false;
            }
        }

        return true;
    }

    private int[] Part(int[] training, double share) =>
        [.. training.GroupBy(image => _set.Labels[image])
            .SelectMany(group => group.Take(Math.Max(1, (int)Math.Round(share * group.Count()))))];
}
