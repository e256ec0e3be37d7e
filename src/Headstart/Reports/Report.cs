using Headstart.Data;
using Headstart.Learning.Evaluation;
using Headstart.Learning.Heads;

namespace Headstart.Reports;

/// <summary>What a version's accuracy was measured on.</summary>
public enum AccuracySource
{
    /// <summary>Images chosen by their content, judged by a head that never saw them; the one that is served learned from them too.</summary>
    HeldOut,

    /// <summary>Too few images to hold enough out: each was judged by a head trained without it.</summary>
    CrossValidation,
}

/// <summary>How good a version is and what would make it better, stored with it as JSON.</summary>
public sealed record Report
{
    /// <summary>The categories of an example as one text.</summary>
    internal static string NamesOf(IEnumerable<string> categories) => categories.Any() ? string.Join(", ", categories) : "none";

    /// <summary>How good, how sure, and what would help most, in one or two sentences.</summary>
    public string Sentence { get; init; } = "";

    public required double Accuracy { get; init; }

    /// <summary>95 % Wilson score interval.</summary>
    public required IReadOnlyList<double> AccuracyInterval { get; init; }

    public required AccuracySource AccuracyFrom { get; init; }

    public required CrossValidationReport CrossValidation { get; init; }

    public HeldOutReport? HeldOut { get; init; }

    public required IReadOnlyList<string> Categories { get; init; }

    /// <summary>Of the model; what the report calls images are texts in a text model.</summary>
    public ModelKind Kind { get; init; }

    /// <summary>With several labels an image, the mean of the F1 of all of them; accuracy is the share of images whose labels are all right then. Else null.</summary>
    public double? MeanF1 { get; init; }

    /// <summary>With several labels an image, the probability from which on each of <see cref="Categories"/> applies: that of the highest F1. Else null.</summary>
    public IReadOnlyList<float>? Thresholds { get; init; }

    /// <summary>Precision and recall of each category, on the images that <see cref="AccuracyFrom"/> names.</summary>
    public required IReadOnlyList<ClassMetrics> Classes { get; init; }

    /// <summary>What each category's answers would be worth from other probabilities on, on the same images: those of most mistakes first, at most 24.</summary>
    public IReadOnlyList<PrecisionRecallCurve> PrecisionRecall { get; init; } = [];

    /// <summary><c>[truth][predicted]</c> counts in the order of <see cref="Categories"/>, on the same images; empty with several labels an image.</summary>
    public required IReadOnlyList<IReadOnlyList<int>> Confusion { get; init; }

    /// <summary>What is most often taken for something else, on the same images; at most five.</summary>
    public IReadOnlyList<ConfusedPair> ConfusedPairs { get; init; } = [];

    /// <summary>The images in the cells of <see cref="Confusion"/> beside its diagonal, the surest mistakes first; at most 1,000. Empty with several labels an image.</summary>
    public IReadOnlyList<HardImageReport> Mistakes { get; init; } = [];

    public CalibrationReport? Calibration { get; init; }

    public UnknownReport? Unknown { get; init; }

    /// <summary>null where there are too few images to leave some of them out.</summary>
    public LearningCurveReport? LearningCurve { get; init; }

    /// <summary>The images that would help most; null where none would help much, or it is not known.</summary>
    public AdviceReport? Advice { get; init; }

    public BalanceReport? Balance { get; init; }

    /// <summary>
    /// Labels that are probably wrong, the most probable first: a PATCH of the image with its right <c>category</c>, or with
    /// <c>"confirmed": true</c> where the label is right after all, takes it from the next report. At most 100.
    /// </summary>
    public IReadOnlyList<SuspectReport> Suspects { get; init; } = [];

    /// <summary>About how many labels are wrong, by confident learning.</summary>
    public int ExpectedLabelErrors { get; init; }

    /// <summary>Images whose own category was found least probable by heads that had not learned from them.</summary>
    public IReadOnlyList<HardImageReport> Hardest { get; init; } = [];

    /// <summary>Ids of images that show the same thing twice, in groups; each group was kept on one side of every split.</summary>
    public IReadOnlyList<IReadOnlyList<Guid>> Duplicates { get; init; } = [];

    /// <summary>Against the version that was published before; null for the first one.</summary>
    public ComparisonReport? Comparison { get; init; }

    public required IReadOnlyList<BackboneTrial> Backbones { get; init; }

    public ChoiceReport? Choice { get; init; }

    /// <summary>How the head was fitted; null in reports of earlier versions of Headstart.</summary>
    public HeadReport? Head { get; init; }

    public required int TrainableParameters { get; init; }

    /// <summary>Categories with too few images to be learned; the version never answers them.</summary>
    public IReadOnlyList<string> LeftOut { get; init; } = [];

    /// <summary>Ids of images whose bytes could not be read.</summary>
    public IReadOnlyList<Guid> UnreadableImages { get; init; } = [];

    /// <summary>What was not as it should be in the run and did not end it, such as a backbone that could not be fetched.</summary>
    public IReadOnlyList<string> Notices { get; init; } = [];

    public IReadOnlyDictionary<string, double> SecondsPerStage { get; init; } = new Dictionary<string, double>();
}

/// <summary>Why the features are what they are, and how firmly.</summary>
/// <param name="Sentence">For people.</param>
/// <param name="Version">The earlier version whose run compared the candidates, where its choice still stands; null where this version's own run did.</param>
/// <param name="Images">How many images they were compared on.</param>
/// <param name="Stability">How many standard errors the closest rival is away from being chosen instead; null where there was none.</param>
/// <param name="Candidates">The backbones that took part, each with the first digits of its file's SHA-256.</param>
public sealed record ChoiceReport(string Sentence, int? Version, int Images, double? Stability, IReadOnlyList<string> Candidates);

/// <param name="Images">Training images, each judged by heads that did not see it.</param>
public sealed record CrossValidationReport(
    double Accuracy, IReadOnlyList<double> AccuracyInterval, double StandardError, int Images, int Folds, int Repeats);

public sealed record HeldOutReport(double Accuracy, IReadOnlyList<double> AccuracyInterval, int Images);

/// <param name="Kind">What cross-validation found best for so many images.</param>
/// <param name="Strength">Of its regularisation.</param>
/// <param name="Sentence">Why it has as many parameters as it has.</param>
public sealed record HeadReport(HeadKind Kind, double Strength, string Sentence);

/// <summary>Whether 90 % means nine in ten.</summary>
/// <param name="Temperature">What the logits are divided by, found on images that heads had not learned from.</param>
/// <param name="ErrorBefore">Expected calibration error without it, 0 to 1, on the images that the accuracy was measured on.</param>
/// <param name="ErrorAfter">With it, as served.</param>
/// <param name="Reliability">As served: answers in groups of about the same confidence.</param>
public sealed record CalibrationReport(double Temperature, double ErrorBefore, double ErrorAfter, IReadOnlyList<ReliabilityBin> Reliability);

/// <summary>How well images of none of the categories are told.</summary>
/// <param name="FalseAlarmRate">Share of images of the categories that the threshold was set to call unknown.</param>
/// <param name="Threshold">Least cosine to the nearest category's mean direction.</param>
/// <param name="HeldOutFalseAlarmRate">Share of the held-out images that were called unknown; null without any.</param>
/// <param name="ExpectedCatchRate">
/// Share of images that were called unknown when their whole category was left out: what to expect of things as much like the
/// categories as these are like each other. Quite other things are caught more often. null with two categories or fewer.
/// </param>
public sealed record UnknownReport(double FalseAlarmRate, double Threshold, double? HeldOutFalseAlarmRate, double? ExpectedCatchRate);

/// <param name="Points">Measured, with parts of the training images.</param>
/// <param name="Forecasts">What a power law through the points says of more images, with its 90 % interval.</param>
public sealed record LearningCurveReport(IReadOnlyList<CurvePoint> Points, IReadOnlyList<Forecast> Forecasts);

/// <param name="Category">Of which images are missed most.</param>
/// <param name="Images">So many more.</param>
/// <param name="Gain">Accuracy that they should be worth, 0 to 1.</param>
/// <param name="GainInterval">90 %.</param>
public sealed record AdviceReport(string Category, int Images, double Gain, IReadOnlyList<double> GainInterval, string Sentence);

/// <param name="Ratio">Images of the largest category for each of the smallest.</param>
public sealed record BalanceReport(string Smallest, int SmallestImages, string Largest, int LargestImages, double Ratio);

/// <param name="Probability">Of the category that the image has.</param>
/// <param name="SuggestedProbability">Of the one that heads which had not learned from it suggest.</param>
/// <param name="SuggestedCategories">
/// With several labels an image: those that it should more probably have, to be sent in a PATCH as <c>categories</c>. The probabilities are then
/// those of the most doubtful one, as it is and the other way. Else null.
/// </param>
public sealed record SuspectReport(
    Guid ImageId, string Category, string Suggested, double Probability, double SuggestedProbability, IReadOnlyList<string>? SuggestedCategories = null);

/// <param name="Predicted">What it was taken for.</param>
/// <param name="Probability">Of its own category.</param>
public sealed record HardImageReport(Guid ImageId, string Category, string Predicted, double Probability);

public sealed record ConfusedPair(string Category, string PredictedAs, int Count);

/// <param name="Version">The version that was published when this one was made.</param>
/// <param name="Images">Held-out images that both were asked about.</param>
/// <param name="Difference">Accuracy of this one less that of the other, -1 to 1; null where they were not compared.</param>
/// <param name="DifferenceInterval">90 %, by paired bootstrap.</param>
/// <param name="Published">Whether this one took the other's place.</param>
/// <param name="Sentence">Why.</param>
public sealed record ComparisonReport(
    int Version, int Images, double? Difference, IReadOnlyList<double>? DifferenceInterval, bool Published, string Sentence);
