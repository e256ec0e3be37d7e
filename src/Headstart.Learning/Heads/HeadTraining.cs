using Headstart.Learning.Native;
using TorchSharp;
using static Headstart.Learning.TrainingDefaults;
using static TorchSharp.torch;

namespace Headstart.Learning.Heads;

/// <summary>Trains heads by the method that cross-validation favours. Synchronous; the same set and seed give bit-identical numbers on the
/// same machine.</summary>
public static class HeadTraining
{

    /// <summary>The best method on average for features of up to <see cref="MostForPrototypes"/> images.</summary>
    internal static readonly HeadMethod Favourite = new(HeadKind.Prototypes, FavouriteShare);

    /// <summary>The same with a prior of words, which is hard to beat with few images.</summary>
    internal static readonly HeadMethod FavouriteWithWords = new(HeadKind.Words, FavouriteWordPenalty);

    /// <summary>Computes the fits of a <see cref="ValidationPlan"/>, which explains the parameters.</summary>
    /// <param name="set">At least two categories with an image each.</param>
    /// <param name="seed">Decides the splits.</param>
    /// <param name="cancel">Checked in every iteration of every fit.</param>
    /// <param name="progress">Receives the share done, 0..1.</param>
    /// <param name="repeats">Number of splits; by default <see cref="Repeats"/>.</param>
    /// <param name="linearOnly">Leave hidden layers out.</param>
    /// <exception cref="HeadTrainingException">There is nothing to learn from this set; the message says why.</exception>
    public static CrossValidation CrossValidate(LabelledFeatures set, int seed, CancellationToken cancel,
        IProgress<double>? progress = null,
        int? repeats = null, bool linearOnly = false)
    {
        using var plan = new ValidationPlan(set, seed, repeats, linearOnly);
        return plan.Conclude(plan.FitAll(cancel, progress));
    }

    /// <summary>Number of splits for n images: with fewer images the split matters more and costs less.</summary>
    public static int Repeats(int images) => Math.Clamp(600 / Math.Max(1, images), 1, 5);

    /// <summary>Fits one head to the whole set.</summary>
    /// <param name="set">At least two categories with one image each.</param>
    /// <param name="method">Usually <see cref="CrossValidation.Method"/>; its strength is greater than 0.</param>
    /// <param name="cancel">Checked in every iteration.</param>
    /// <exception cref="HeadTrainingException">There is nothing to learn from this set; the message says why.</exception>
    public static Head Train(LabelledFeatures set, HeadMethod method, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(method.Strength);
        set.Require();
        TorchRuntime.EnsureLoaded();
        float[]? thresholds = set.Tags is null ? null : [.. set.Categories.Select(_ => 0.5f)];
        if (method.Kind == HeadKind.Logistic && SparseRegression.RowsOf(set) is { } sparse)
        {
            var fit = new SparseRegression(sparse, set);
            var point = new double[fit.Parameters];
            fit.Fit(point, method.Strength, SparseTolerance, cancel);
            return new Head(set.Categories, fit.Layer(point), null, thresholds);
        }

        if (set.Features is SparseRows)
        {
            var span = new SpanCoordinates(set);
            var head = Train(span.Set, method, cancel);
            return head.Hidden is null ? new Head(set.Categories, span.Unfold(head.Output), null, thresholds)
                : new Head(set.Categories, head.Output, span.Unfold(head.Hidden), thresholds);
        }

        using var scope = NewDisposeScope();
        using var spaces = new PartSpaces(set);
        var (space, inputs, classes) = (spaces.Space, spaces.Inputs, set.Categories.Count);
        if (method.Kind == HeadKind.Hidden)
        {
            var (hidden, output) = new HiddenNetwork(space.Longest(inputs, HiddenAxes), set, HiddenSeed).Fit(method.Strength, cancel);
            return new Head(set.Categories, OutputLayer(output, classes), Layer(space.Longest(HiddenAxes).Unfold(hidden, HiddenUnits)),
                thresholds);
        }

        if (method.Kind == HeadKind.Words)
        {
            var words = new WordRegression(inputs, set);
            words.Fit(method.Strength, spaces.Precision.Tolerance, cancel);
            return new Head(set.Categories, words.Layer(space), null, thresholds);
        }

        var parameters = new double[space.Rows * classes];
        if (method.Kind == HeadKind.Logistic)
        {
            new LogisticRegression(inputs, set).Fit(parameters, method.Strength, spaces.Precision.Tolerance, cancel);
        }
        else
        {
            parameters = new Prototypes(inputs, [.. set.Labels], classes).Fit(method.Strength);
        }

        return new Head(set.Categories, Layer(space.Unfold(parameters, classes)), null, thresholds);

        DenseLayer Layer((float[] Weights, float[] Bias) layer) => new(set.Dimensions, layer.Weights, layer.Bias);
    }

    /// <summary>Whether a set is large enough to try a hidden layer.</summary>
    public static bool TriesHidden(LabelledFeatures set) =>
        set.Count >= EnoughForHidden * set.Categories.Count;

    /// <summary>The methods worth trying on a set of this size.</summary>
    internal static List<HeadMethod> Methods(LabelledFeatures set, bool linearOnly) =>
    [
        .. TriesPrototypes(set) ? PrototypeShares.Select(share => new HeadMethod(HeadKind.Prototypes, share)) : [],
        .. Penalties.Select(penalty => new HeadMethod(HeadKind.Logistic, penalty)),
        .. set.Prior is null ? [] : WordPenalties.Select(penalty => new HeadMethod(HeadKind.Words, penalty)),
        .. !linearOnly && TriesHidden(set) && SparseRegression.RowsOf(set) is null
        ? HiddenPenalties.Select(penalty => new HeadMethod(HeadKind.Hidden, penalty)) : [],
    ];

    private static bool TriesPrototypes(LabelledFeatures set) => set.Tags is null && set.Count <= MostForPrototypes
        && (set.Features is not SparseRows || set.Support().Min() <= FewForPrototypes);

    /// <param name="parameters"><c>[h + 1, k]</c>, the bias in the last row.</param>
    /// <param name="classes">k</param>
    private static DenseLayer OutputLayer(double[] parameters, int classes)
    {
        var units = parameters.Length / classes - 1;
        return new DenseLayer(units, [.. Enumerable.Range(0, classes)
            .SelectMany(k => Enumerable.Range(0, units).Select(unit => (float)parameters[unit * classes + k]))],
            [.. parameters[^classes..].Select(bias => (float)bias)]);
    }
}
