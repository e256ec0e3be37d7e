using Headstart.Learning.Evaluation;
using Headstart.Learning.Heads;

namespace Headstart.Training;

/// <summary>What a version's accuracy was measured on.</summary>
public enum AccuracySource
{
    /// <summary>Images chosen by their content, judged by a head that never saw them; the one that is served learned from them too.</summary>
    HeldOut,

    /// <summary>Too few images to hold enough out: each was judged by a head trained without it.</summary>
    CrossValidation,
}

/// <summary>How good a version is, stored with it as JSON.</summary>
/// <param name="AccuracyInterval">95 % Wilson score interval.</param>
/// <param name="Classes">Precision and recall of each category, on the images that <paramref name="AccuracyFrom"/> names.</param>
/// <param name="Confusion"><c>[truth][predicted]</c> counts in the order of <paramref name="Categories"/>, on the same images.</param>
/// <param name="LeftOut">Categories with too few images to be learned; the version never answers them.</param>
/// <param name="UnreadableImages">Ids of images whose bytes could not be read.</param>
public sealed record Report(
    double Accuracy, IReadOnlyList<double> AccuracyInterval, AccuracySource AccuracyFrom, CrossValidationReport CrossValidation,
    HeldOutReport? HeldOut, IReadOnlyList<string> Categories, IReadOnlyList<ClassMetrics> Classes, IReadOnlyList<IReadOnlyList<int>> Confusion,
    IReadOnlyList<BackboneTrial> Backbones, int TrainableParameters, IReadOnlyList<string> LeftOut, IReadOnlyList<Guid> UnreadableImages,
    IReadOnlyDictionary<string, double> SecondsPerStage, ChoiceReport? Choice)
{
    private const int EnoughHeldOut = 20;

    /// <summary>What was not as it should be in the run and did not end it, such as a backbone that could not be fetched.</summary>
    public IReadOnlyList<string> Notices { get; init; } = [];

    public static Report Of(
        Dataset data, LabelledFeatures train, LabelledFeatures test, LinearHead head, CrossValidation validation,
        IReadOnlyList<BackboneTrial> backbones, ChoiceReport? choice, IReadOnlyList<Guid> unreadable)
    {
        var crossValidated = Evaluation.Of(train.Labels, [.. validation.OutOfFold.Select(Best)], data.Categories);
        var heldOut = Evaluation.Of(test.Labels, [.. test.Features.Select(f => Best(head.Probabilities(f)))], data.Categories);
        var useHeldOut = test.Labels.Count >= EnoughHeldOut && test.Labels.Distinct().Count() == data.Categories.Count;
        var shown = useHeldOut ? heldOut : crossValidated;
        return new(
            shown.Accuracy, Interval(shown), useHeldOut ? AccuracySource.HeldOut : AccuracySource.CrossValidation,
            new(crossValidated.Accuracy, Interval(crossValidated), validation.StandardError, crossValidated.Count, validation.Folds, validation.Repeats, validation.Method),
            heldOut.Count == 0 ? null : new(heldOut.Accuracy, Interval(heldOut), heldOut.Count),
            data.Categories, shown.Classes, shown.Confusion, backbones, head.TrainableParameters, data.LeftOut, unreadable, new Dictionary<string, double>(), choice);
    }

    private static int Best(float[] probabilities) => System.Numerics.Tensors.TensorPrimitives.IndexOfMax(probabilities);

    private static double[] Interval(Evaluation evaluation) => [evaluation.AccuracyInterval.Low, evaluation.AccuracyInterval.High];
}

/// <summary>Why the features are what they are, and how firmly.</summary>
/// <param name="Sentence">For people.</param>
/// <param name="Version">The earlier version whose run compared the candidates, where its choice still stands; null where this version's own run did.</param>
/// <param name="Images">How many images they were compared on.</param>
/// <param name="Stability">How many standard errors the closest rival is away from being chosen instead; null where there was none.</param>
/// <param name="Candidates">The backbones that took part, each with the first digits of its file's SHA-256.</param>
public sealed record ChoiceReport(string Sentence, int? Version, int Images, double? Stability, IReadOnlyList<string> Candidates);

/// <param name="Images">Training images, each judged by heads that did not see it.</param>
/// <param name="L2">The L2 strength that cross-validation chose.</param>
public sealed record CrossValidationReport(
    double Accuracy, IReadOnlyList<double> AccuracyInterval, double StandardError, int Images, int Folds, int Repeats, double L2);

public sealed record HeldOutReport(double Accuracy, IReadOnlyList<double> AccuracyInterval, int Images);
