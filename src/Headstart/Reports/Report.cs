using Headstart.Data;
using Headstart.Learning.Evaluation;
using Headstart.Learning.Heads;
using Headstart.Learning.Imaging;

namespace Headstart.Reports;

/// <summary>How a version's accuracy was measured.</summary>
public enum AccuracySource
{
    /// <summary>
    /// On held-out images, selected by content and evaluated by a head not trained on them; the served head is trained on all images.
    /// </summary>
    HeldOut,

    /// <summary>By cross-validation, for too few images to hold out: each was evaluated by a head trained without it.</summary>
    CrossValidation,
}

/// <summary>How accurate a version is and what would improve it, stored with it as JSON.</summary>
public sealed record Report
{
    /// <summary>The categories of an example as one string.</summary>
    internal static string NamesOf(IEnumerable<string> categories) => categories.Any() ? string.Join(", ", categories) : "none";

    /// <summary>The accuracy, its certainty and what would improve it most, in one or two sentences.</summary>
    public string Sentence { get; init; } = "";

    /// <summary>0 to 1; null if it cannot be measured, and then so are its interval and source: <see cref="Sentence"/> says why.</summary>
    public required double? Accuracy { get; init; }

    /// <summary>95 % Wilson score interval, for the number of different images: look-alikes count once.</summary>
    public required IReadOnlyList<double>? AccuracyInterval { get; init; }

    public required AccuracySource? AccuracyFrom { get; init; }

    /// <summary>
    /// Categories that the accuracy says nothing about, because all their images show one scene or there is only one; they are still
    /// learned and predicted.
    /// </summary>
    public IReadOnlyList<string> Unmeasured { get; init; } = [];

    public required CrossValidationReport CrossValidation { get; init; }

    public HeldOutReport? HeldOut { get; init; }

    public required IReadOnlyList<string> Categories { get; init; }

    /// <summary>The kind of the model; in a text model, read "texts" wherever the report says images.</summary>
    public ModelKind Kind { get; init; }

    /// <summary>
    /// In a multi-label model, the mean F1 of all labels; accuracy is then the share of images whose labels are all correct. Otherwise
    /// null.
    /// </summary>
    public double? MeanF1 { get; init; }

    /// <summary>
    /// In a multi-label model, the probability at which each of <see cref="Categories"/> applies, chosen for the highest F1. Otherwise
    /// null.
    /// </summary>
    public IReadOnlyList<float>? Thresholds { get; init; }

    /// <summary>Precision and recall of each category, measured as <see cref="AccuracyFrom"/> says.</summary>
    public required IReadOnlyList<ClassMetrics> Classes { get; init; }

    /// <summary>Precision–recall curves on the same images, for the categories with the most mistakes first; at most 24.</summary>
    public IReadOnlyList<PrecisionRecallCurve> PrecisionRecall { get; init; } = [];

    /// <summary>
    /// Confusion matrix on the same images: <c>[truth][predicted]</c> counts in the order of <see cref="Categories"/>; empty in a
    /// multi-label model.
    /// </summary>
    public required IReadOnlyList<IReadOnlyList<int>> Confusion { get; init; }

    /// <summary>The most confused pairs of categories on the same images; at most five.</summary>
    public IReadOnlyList<ConfusedPair> ConfusedPairs { get; init; } = [];

    /// <summary>
    /// The misclassified images of <see cref="Confusion"/>, the most confident mistakes first; at most 1,000. Empty in a multi-label model.
    /// </summary>
    public IReadOnlyList<HardImageReport> Mistakes { get; init; } = [];

    /// <summary>
    /// In a detection model, how well objects are found; the accuracy is then <c>map50</c>, and <see cref="Classes"/> count objects.
    /// Otherwise null.
    /// </summary>
    public ObjectsReport? Detection { get; init; }

    /// <summary>Name of the measure in <see cref="Accuracy"/>.</summary>
    internal string Measure => Detection is null ? "accuracy" : "mean average precision";

    public CalibrationReport? Calibration { get; init; }

    public UnknownReport? Unknown { get; init; }

    /// <summary>null if there are too few images for a learning curve.</summary>
    public LearningCurveReport? LearningCurve { get; init; }

    /// <summary>The images that would improve accuracy most; null if none would help much, or if it is unknown.</summary>
    public AdviceReport? Advice { get; init; }

    public BalanceReport? Balance { get; init; }

    /// <summary>
    /// Labels that are probably wrong, the most probable first; at most 100. To remove an image from the next report, PATCH it with its
    /// correct <c>category</c>, or with <c>"confirmed": true</c> if its label is correct.
    /// </summary>
    public IReadOnlyList<SuspectReport> Suspects { get; init; } = [];

    /// <summary>Estimated number of wrong labels, by confident learning.</summary>
    public int ExpectedLabelErrors { get; init; }

    /// <summary>Images whose own category was least probable to heads not trained on them.</summary>
    public IReadOnlyList<HardImageReport> Hardest { get; init; } = [];

    /// <summary>Ids of near-duplicate images, in groups; each was kept on one side of every split, as far as that was possible.</summary>
    public IReadOnlyList<IReadOnlyList<Guid>> Duplicates { get; init; } = [];

    /// <summary>Ids of training images that were not learned from, because they look like an image sent as test.</summary>
    public IReadOnlyList<Guid> Leaks { get; init; } = [];

    /// <summary>Comparison with the version published before; null for the first version.</summary>
    public ComparisonReport? Comparison { get; init; }

    public required IReadOnlyList<BackboneTrial> Backbones { get; init; }

    public ChoiceReport? Choice { get; init; }

    /// <summary>How the head was trained; null in reports of earlier Headstart releases.</summary>
    public HeadReport? Head { get; init; }

    /// <summary>The words that the version started from, or consists of if it has seen no image; null if it has read
    /// none.</summary>
    public WordsReport? Words { get; init; }

    public required int TrainableParameters { get; init; }

    /// <summary>Categories with nothing to learn from, for example only images sent as test; the version never predicts them.</summary>
    public IReadOnlyList<string> LeftOut { get; init; } = [];

    /// <summary>Ids of images whose bytes could not be read.</summary>
    public IReadOnlyList<Guid> UnreadableImages { get; init; } = [];

    /// <summary>Images that look like bad examples, such as blurred ones, by flaw. A flaw of more than a fifth of all images is considered
    /// normal for the data and not listed.</summary>
    public IReadOnlyList<FlawReport> Flaws { get; init; } = [];

    /// <summary>Problems in the run that did not end it, such as a failed backbone download.</summary>
    public IReadOnlyList<string> Notices { get; init; } = [];

    public IReadOnlyDictionary<string, double> SecondsPerStage { get; init; } = new Dictionary<string, double>();
}

/// <summary>Why these features were chosen, and how stable the choice is.</summary>
/// <param name="Sentence">The reason as a sentence.</param>
/// <param name="Version">The earlier version whose choice was reused; null if this version's own run compared the candidates.</param>
/// <param name="Images">Number of images that the candidates were compared on.</param>
/// <param name="Stability">Distance of the closest rival from being chosen instead, in standard errors; null without a rival.</param>
/// <param name="Candidates">The compared backbones, each with the first digits of its file's SHA-256.</param>
public sealed record ChoiceReport(string Sentence, int? Version, int Images, double? Stability, IReadOnlyList<string> Candidates);

/// <param name="Accuracy">0 to 1; null if it cannot be measured, and then so are its interval and error.</param>
/// <param name="Images">Number of training images that it was measured on, each by heads not trained on it.</param>
/// <param name="Folds">0 if no category has two images.</param>
public sealed record CrossValidationReport(
    double? Accuracy, IReadOnlyList<double>? AccuracyInterval, double? StandardError, int Images, int Folds, int Repeats);

public sealed record HeldOutReport(double Accuracy, IReadOnlyList<double> AccuracyInterval, int Images);

/// <param name="Kind">The kind of head that cross-validation found best.</param>
/// <param name="Strength">Strength of its regularisation.</param>
/// <param name="Sentence">Why this head was chosen, and what its parameters are.</param>
public sealed record HeadReport(HeadKind Kind, double Strength, string Sentence);

/// <param name="Backbone">The text half of the image-text pair that read them.</param>
/// <param name="Prompts">The words of each category.</param>
public sealed record WordsReport(string Backbone, IReadOnlyList<CategoryPrompt> Prompts);

/// <param name="Category">Its name.</param>
/// <param name="Prompt">Its description, or a sentence with its name.</param>
/// <param name="Belief">How much the head relies on these words, 0 to 1: low if the images do not show what they say, so that other words
/// may be better. null if no image has confirmed or contradicted them.</param>
public sealed record CategoryPrompt(string Category, string Prompt, double? Belief);

/// <summary>Calibration: whether nine in ten predictions with 90 % are correct.</summary>
/// <param name="Temperature">The number that divides the logits, fitted on images that the heads were not trained on.</param>
/// <param name="ErrorBefore">Expected calibration error before calibration, 0 to 1, on the images that the accuracy was measured
/// on.</param>
/// <param name="ErrorAfter">Expected calibration error after calibration, as served.</param>
/// <param name="Reliability">The predictions as served, in groups of similar confidence.</param>
public sealed record CalibrationReport(double Temperature, double ErrorBefore, double ErrorAfter,
    IReadOnlyList<ReliabilityBin> Reliability);

/// <summary>How well images that belong to no category are detected.</summary>
/// <param name="FalseAlarmRate">Share of images of the categories that the threshold is set to mark unknown by mistake.</param>
/// <param name="Threshold">Minimum cosine similarity to the nearest category's mean direction.</param>
/// <param name="HeldOutFalseAlarmRate">Share of the held-out images marked unknown; null without held-out images.</param>
/// <param name="ExpectedCatchRate">
/// Share of images marked unknown when their whole category was left out of training. Expect this rate for images as similar to the
/// categories as these are to each other; very different ones are detected more often. null with two categories or fewer.
/// </param>
public sealed record UnknownReport(double FalseAlarmRate, double Threshold, double? HeldOutFalseAlarmRate, double? ExpectedCatchRate);

/// <param name="Points">Accuracy measured with parts of the training images.</param>
/// <param name="Forecasts">Expected accuracy with more images, from a power law fitted to the points, with its 90 % interval.</param>
public sealed record LearningCurveReport(IReadOnlyList<CurvePoint> Points, IReadOnlyList<Forecast> Forecasts);

/// <param name="Category">The category that needs more images most.</param>
/// <param name="Images">Number of images to add.</param>
/// <param name="Gain">Expected gain in accuracy, 0 to 1.</param>
/// <param name="GainInterval">90 % interval of the gain.</param>
public sealed record AdviceReport(string Category, int Images, double Gain, IReadOnlyList<double> GainInterval, string Sentence);

/// <param name="Ratio">Images of the largest category divided by those of the smallest.</param>
public sealed record BalanceReport(string Smallest, int SmallestImages, string Largest, int LargestImages, double Ratio);

/// <param name="Probability">Probability of the image's current category.</param>
/// <param name="SuggestedProbability">Probability of the suggested category, from heads not trained on the image.</param>
/// <param name="SuggestedCategories">In a multi-label model: the labels that the image probably should have, to be sent as
/// <c>categories</c> in a PATCH. The probabilities are then those of the most doubtful label, as it is and flipped. Otherwise null.
/// </param>
public sealed record SuspectReport(
    Guid ImageId, string Category, string Suggested, double Probability, double SuggestedProbability,
    IReadOnlyList<string>? SuggestedCategories = null);

/// <param name="Images">How many images have it.</param>
/// <param name="ImageIds">The first 100 of them.</param>
public sealed record FlawReport(ImageFlaws Flaw, int Images, IReadOnlyList<Guid> ImageIds);

/// <param name="Predicted">The predicted category.</param>
/// <param name="Probability">Probability of its own category.</param>
public sealed record HardImageReport(Guid ImageId, string Category, string Predicted, double Probability);

public sealed record ConfusedPair(string Category, string PredictedAs, int Count);

/// <param name="Version">The version that was published when this one was made.</param>
/// <param name="Images">Number of held-out images that both versions predicted.</param>
/// <param name="Difference">This version's accuracy minus the other's, -1 to 1; null if they were not compared.</param>
/// <param name="DifferenceInterval">90 % interval of the difference, by paired bootstrap.</param>
/// <param name="Published">Whether this version replaced the other.</param>
/// <param name="Sentence">Why it was published or not.</param>
public sealed record ComparisonReport(
    int Version, int Images, double? Difference, IReadOnlyList<double>? DifferenceInterval, bool Published, string Sentence);
