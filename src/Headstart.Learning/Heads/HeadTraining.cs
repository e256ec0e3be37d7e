using Headstart.Learning.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Headstart.Learning.Heads;

/// <summary>What cross-validation says about a head on this set.</summary>
/// <param name="Accuracy">Share of correct answers on images the fit did not see, mean over repeats, 0..1.</param>
/// <param name="StandardError">Of <paramref name="Accuracy"/>, over images; repeats are no independent evidence and do not shrink it.</param>
/// <param name="L2">The strength with the lowest class-balanced cross-entropy on unseen images.</param>
/// <param name="Folds">Parts a repeat.</param>
/// <param name="Repeats">Different splits.</param>
/// <param name="OutOfFold">Probabilities <c>[n, k]</c> of each image from fits that did not see it, mean over repeats.</param>
public sealed record CrossValidation(
    double Accuracy, double StandardError, double L2, int Folds, int Repeats, IReadOnlyList<float[]> OutOfFold);

/// <summary>
/// Trains linear heads: multinomial logistic regression on centred features with class-balanced weights and L2
/// (the linear probe of CLIP, Radford et al. 2021). Synchronous; the same set and seed give the same numbers bit for bit on the same machine.
/// </summary>
public static class HeadTraining
{
    /// <summary>Strengths tried, strongest first: each fit starts from the one before.</summary>
    internal static readonly double[] Strengths = [10, 3, 1, 0.3, 0.1, 0.03, 0.01, 0.003];

    private const double SelectionTolerance = 1e-4;
    private const double FinalTolerance = 1e-7;

    /// <summary>Repeated stratified cross-validation over the strengths of the penalty; works from 2 images a category.</summary>
    /// <param name="set">At least two categories with two images each.</param>
    /// <param name="seed">Decides the splits.</param>
    /// <param name="cancel">Looked at in every iteration of every fit.</param>
    /// <param name="progress">Receives the share done, 0..1.</param>
    /// <param name="repeats">Different splits; by default as many as <see cref="Repeats"/> says.</param>
    /// <exception cref="HeadTrainingException">There is nothing to learn from this set; the message says why.</exception>
    public static CrossValidation CrossValidate(LabelledFeatures set, int seed, CancellationToken cancel, IProgress<double>? progress = null,
        int? repeats = null)
    {
        ArgumentNullException.ThrowIfNull(set);
        set.Require(perCategory: 2);
        TorchRuntime.EnsureLoaded();
        var folds = Math.Min(5, set.Support().Min());
        var times = repeats ?? Repeats(set.Count);
        var random = new Random(seed);
        var scores = Strengths.Select(_ => new OutOfFoldScores(set)).ToArray();

        using var scope = NewDisposeScope();
        var features = ToTensor(set.Features);
        for (var repeat = 0; repeat < times; repeat++)
        {
            var assignment = StratifiedFolds.Assign(set.Labels, folds, random);
            for (var fold = 0; fold < folds; fold++)
            {
                Validate(set, features, assignment, fold, scores, cancel);
                progress?.Report((repeat * folds + fold + 1.0) / (times * folds));
            }
        }

        var best = Enumerable.Range(0, Strengths.Length).MinBy(i => scores[i].CrossEntropy);
        var (accuracy, error) = scores[best].Accuracy(times);
        return new CrossValidation(accuracy, error, Strengths[best], folds, times, scores[best].Probabilities(times));
    }

    /// <summary>How often a set of n images is split anew: the fewer there are, the more the split matters and the less it costs.</summary>
    public static int Repeats(int images) => Math.Clamp(600 / Math.Max(1, images), 1, 5);

    /// <summary>Fits one head to the whole set.</summary>
    /// <param name="set">At least two categories with one image each.</param>
    /// <param name="l2">Strength of the penalty, usually <see cref="CrossValidation.L2"/>; greater than 0.</param>
    /// <param name="cancel">Looked at in every iteration.</param>
    /// <exception cref="HeadTrainingException">There is nothing to learn from this set; the message says why.</exception>
    public static LinearHead Train(LabelledFeatures set, double l2, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(l2);
        set.Require(perCategory: 1);
        TorchRuntime.EnsureLoaded();
        using var scope = NewDisposeScope();
        var features = ToTensor(set.Features);
        var space = new RowSpace(features);
        var regression = new SoftmaxRegression(space.Project(features), [.. set.Labels], set.Categories.Count);
        var parameters = new double[space.Rows * set.Categories.Count];
        regression.Fit(parameters, l2, FinalTolerance, cancel);
        var (weights, bias) = space.Unfold(parameters, set.Categories.Count);
        return new LinearHead(set.Categories, set.Dimensions, weights, bias);
    }

    private static void Validate(LabelledFeatures set, Tensor features, int[] assignment, int fold,
        OutOfFoldScores[] scores, CancellationToken cancel)
    {
        using var scope = NewDisposeScope();
        int[] seen = [.. Enumerable.Range(0, set.Count).Where(i => assignment[i] != fold)];
        int[] unseen = [.. Enumerable.Range(0, set.Count).Where(i => assignment[i] == fold)];
        var training = Rows(features, seen);
        var space = new RowSpace(training);
        var inputs = space.Project(training);
        var unseenInputs = space.Project(Rows(features, unseen));
        var regression = new SoftmaxRegression(inputs, [.. seen.Select(i => set.Labels[i])], set.Categories.Count);
        var parameters = new double[space.Rows * set.Categories.Count];
        for (var i = 0; i < Strengths.Length; i++)
        {
            regression.Fit(parameters, Strengths[i], SelectionTolerance, cancel);
            scores[i].Add(unseen, SoftmaxRegression.Probabilities(unseenInputs, parameters, set.Categories.Count));
        }
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

    private static Tensor Rows(Tensor features, int[] rows)
    {
        using var indices = tensor([.. rows.Select(row => (long)row)]);
        return features.index_select(0, indices);
    }
}
