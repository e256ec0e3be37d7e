using System.Globalization;
using Headstart.Data;
using Headstart.Learning.Evaluation;
using Headstart.Learning.Heads;
using Headstart.Reports;
using Headstart.Versions;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Training;

/// <summary>The results at the end of a run.</summary>
/// <param name="Evaluated">A calibrated head trained on the training images only.</param>
/// <param name="Raw">The same head before calibration.</param>
/// <param name="Temperature">The calibration temperature between the two.</param>
/// <param name="Curve">The learning curve; null if there are too few images.</param>
/// <param name="Confirmed">Images whose label a person confirmed.</param>
public sealed record Findings(
    Dataset Data, Examples Examples, VersionFeatures Features, CrossValidation Validation, Head Evaluated, Head Raw, double Temperature,
    LearningCurve? Curve, IReadOnlySet<Guid> Confirmed);

/// <summary>Writes the report: how accurate a version is, how certain that is, and what would improve it.</summary>
public static class ReportWriter
{
    public static Report Write(Findings found)
    {
        ArgumentNullException.ThrowIfNull(found);
        var what = found.Data.Kind.Examples();
        var (train, test, categories) = (found.Examples.Train, found.Examples.Test, found.Data.Categories);
        var calibrated = found.Validation.Calibrated(found.Temperature, train.Tags is null);
        var crossValidated = Evaluation.Of(Truth(train), ImageFindings.Answers(train, calibrated), categories, train.Tags is null);
        var evaluated = test.Features.Select(f => found.Evaluated.Probabilities(f)).ToList();
        var heldOut = Evaluation.Of(Truth(test), [.. test.Features.Select(f => found.Evaluated.Answer(f))], categories, train.Tags is null);
        var useHeldOut = test.Count >= EnoughHeldOut && test.Support().Min() > 0;
        var shown = useHeldOut ? heldOut : crossValidated;
        var advice = found.Curve is null ? null : Advice.Of(found.Curve, crossValidated, train, what);
        var (suspects, errors) = ImageFindings.Suspects(found, calibrated);
        double? meanF1 = train.Tags is null ? null : shown.Classes.Average(c => c.F1 ?? 0);
        return new()
        {
            Sentence = $"{Sentence(shown, meanF1, what)} {advice?.Sentence ?? Advice.Nothing(found.Curve, train.Count, what)}",
            Accuracy = shown.Accuracy,
            AccuracyInterval = Interval(shown),
            AccuracyFrom = useHeldOut ? AccuracySource.HeldOut : AccuracySource.CrossValidation,
            CrossValidation = new(crossValidated.Accuracy, Interval(crossValidated), found.Validation.StandardError, crossValidated.Count,
                found.Validation.Folds, found.Validation.Repeats),
            HeldOut = heldOut.Count == 0 ? null : new(heldOut.Accuracy, Interval(heldOut), heldOut.Count),
            Categories = categories,
            Kind = found.Data.Kind,
            Classes = shown.Classes,
            PrecisionRecall = useHeldOut ? Curves(test, evaluated, shown) : Curves(train, calibrated, shown),
            MeanF1 = meanF1,
            Thresholds = found.Evaluated.Thresholds,
            Confusion = shown.Confusion,
            ConfusedPairs = Pairs(shown, categories),
            Mistakes = useHeldOut ? ImageFindings.Mistakes(test, found.Examples.TestIds, evaluated)
            : ImageFindings.Mistakes(train, found.Examples.TrainIds, calibrated),
            Calibration = useHeldOut
                ? Calibrate(found, test, [.. test.Features.Select(f => found.Raw.Probabilities(f))], evaluated)
                : Calibrate(found, train, found.Validation.OutOfFold, calibrated),
            Unknown = Unknown(train, test),
            LearningCurve = found.Curve is null ? null
            : new(found.Curve.Points, [.. ((double[])[1, 1.5, 2, 4]).Select(times => found.Curve.At(times * train.Count))]),
            Advice = advice,
            Balance = Balance(found.Examples.All),
            Suspects = suspects,
            ExpectedLabelErrors = errors,
            Hardest = ImageFindings.Hardest(found, calibrated),
            Duplicates = found.Examples.Duplicates,
            Backbones = [],
            Head = Head(found),
            TrainableParameters = found.Evaluated.TrainableParameters,
            LeftOut = found.Data.LeftOut,
            UnreadableImages = found.Examples.Unreadable,
        };
    }

    private static int[][] Truth(LabelledFeatures set) => [.. Enumerable.Range(0, set.Count).Select(set.LabelsOf)];

    private static string Sentence(Evaluation shown, double? meanF1, string what)
    {
        var interval = $"({Advice.Percent(shown.AccuracyInterval.Low)} to {Advice.Percent(shown.AccuracyInterval.High)} with 95 % "
            + "confidence)";
        return meanF1 is not { } f1 ? $"{Advice.Percent(shown.Accuracy)} correct on {shown.Count} {what} not used for training {interval}."
            : string.Create(CultureInfo.InvariantCulture, $"All labels correct for {Advice.Percent(shown.Accuracy)} of {shown.Count} "
                + $"{what} not used for training {interval}; mean F1 of the labels: {f1:0.00}.");
    }

    private static double[] Interval(Evaluation evaluation) => [evaluation.AccuracyInterval.Low, evaluation.AccuracyInterval.High];

    private static ConfusedPair[] Pairs(Evaluation evaluation, IReadOnlyList<string> categories) =>
    [
        .. evaluation.Confusion.SelectMany((row, truth) => row.Select((count, predicted) => (truth, predicted, count)))
            .Where(cell => cell.truth != cell.predicted && cell.count > 0).OrderByDescending(cell => cell.count).Take(MostConfusedPairs)
            .Select(cell => new ConfusedPair(categories[cell.truth], categories[cell.predicted], cell.count)),
    ];

    private static PrecisionRecallCurve[] Curves(LabelledFeatures set, IReadOnlyList<float[]> probabilities, Evaluation evaluation)
    {
        var truth = Truth(set);
        return
        [
            .. Enumerable.Range(0, set.Categories.Count).OrderByDescending(k => evaluation.Mistakes[k]).Take(MostCurves)
                .Select(k => PrecisionRecallCurve.Of(set.Categories[k], [.. probabilities.Select(p => p[k])],
                    [.. truth.Select(labels => labels.Contains(k))]))
                .OfType<PrecisionRecallCurve>(),
        ];
    }

    private static CalibrationReport Calibrate(Findings found, LabelledFeatures set, IReadOnlyList<float[]> before,
        IReadOnlyList<float[]> after)
    {
        var (choices, right) = set.Choices(after);
        var bins = Calibration.Reliability(choices, right);
        return new(Math.Round(found.Temperature, 4), Calibration.Error(Calibration.Reliability(set.Choices(before).Probabilities, right)),
            Calibration.Error(bins), bins);
    }

    private static UnknownReport Unknown(LabelledFeatures train, LabelledFeatures test)
    {
        var region = NoveltyDetector.Of(train);
        var caught = new List<bool>();
        if (train.Categories.Count > 2)
        {
            var step = Math.Max(1, train.Categories.Count / MostLeftOut);
            foreach (var left in Enumerable.Range(0, train.Categories.Count).Where(k => k % step == 0).Take(MostLeftOut))
            {
                var others = NoveltyDetector.Of(train.Some(
                    [.. Enumerable.Range(0, train.Count).Where(i => !train.LabelsOf(i).Contains(left))]));
                caught.AddRange(Enumerable.Range(0, train.Count).Where(i => train.LabelsOf(i) is [var only] && only == left)
                    .Select(i => others.IsUnknown(train.Features[i])));
            }
        }

        return new(FalseAlarms, region.Threshold, test.Count == 0 ? null : Share(test.Features.Select(f => region.IsUnknown(f))),
            caught.Count == 0 ? null : Share(caught));
    }

    private static double Share(IEnumerable<bool> values) => values.Average(value => value ? 1.0 : 0);

    private static BalanceReport Balance(LabelledFeatures all)
    {
        var support = all.Support();
        var (smallest, largest) = (Array.IndexOf(support, support.Min()), Array.IndexOf(support, support.Max()));
        return new(all.Categories[smallest], support[smallest], all.Categories[largest], support[largest],
            Math.Round((double)support[largest] / Math.Max(1, support[smallest]), 2));
    }

    private static HeadReport Head(Findings found)
    {
        var method = found.Validation.Method;
        var (features, categories) = (found.Features.Length, found.Data.Categories.Count);
        const string best = "did best in cross-validation.";
        var what = method.Kind switch
        {
            HeadKind.Prototypes => $"Prototypes, which suit very few {found.Data.Kind.Examples()}, {best} The head has one weight for "
                + $"each of {features} features and one bias for each of {categories} categories",
            HeadKind.Logistic => $"Logistic regression {best} The head has one weight for each of {features} features and one bias for "
                + $"each of {categories} categories",
            _ => $"A hidden layer of {found.Evaluated.Hidden!.Outputs} units {best} Each unit has a weight for each of {features} "
                + $"features, and each of {categories} categories has a weight for each unit",
        };
        return new(method.Kind, method.Strength, $"{what}: {found.Evaluated.TrainableParameters} trained parameters. {found.Features.Id} "
            + "itself is not trained.");
    }
}
