using System.Globalization;
using Headstart.Data;
using Headstart.Learning.Evaluation;
using Headstart.Learning.Heads;
using Headstart.Learning.Words;
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
    LearningCurve? Curve, IReadOnlySet<Guid> Confirmed)
{
    /// <summary>The words of the categories.</summary>
    public CategoryWords Words { get; init; } = CategoryWords.None;
}

/// <summary>Writes the report: how accurate a version is, how certain that is, and what would improve it.</summary>
public static class ReportWriter
{
    public static Report Write(Findings found)
    {
        ArgumentNullException.ThrowIfNull(found);
        var what = found.Data.Kind.Nouns();
        var (train, test, categories, validation) = (found.Examples.Train, found.Examples.Test, found.Data.Categories, found.Validation);
        var exclusive = train.Tags is null;
        var calibrated = validation.Calibrated(found.Temperature, exclusive);
        int[] measured = [.. validation.Measured.Select(i => validation.Tested[i])];
        var (judged, judgedIds) = (train.Some(measured), (List<Guid>)[.. measured.Select(i => found.Examples.TrainIds[i])]);
        List<float[]> judgements = [.. validation.Measured.Select(i => calibrated[i])];
        var crossValidated = Evaluation.Of(Truth(judged), ImageFindings.Answers(judged, judgements), categories, exclusive)
            .Counting(Different(judged));
        var evaluated = test.Features.Select(f => found.Evaluated.Probabilities(f)).ToList();
        var heldOut = Evaluation.Of(Truth(test), [.. test.Features.Select(f => found.Evaluated.Answer(f))], categories, exclusive)
            .Counting(Different(test));
        var useHeldOut = test.Support().Min() > 0 && (test.Count >= EnoughHeldOut || validation.Accuracy is null);
        var known = useHeldOut || validation.Accuracy is not null;
        var shown = useHeldOut ? heldOut : crossValidated;
        var caveat = useHeldOut ? null : Caveat.Of(train, found.Data.Kind);
        var advice = found.Curve is null ? null : Advice.Of(found.Curve, crossValidated, train, what);
        var (suspects, errors) = ImageFindings.Suspects(found, calibrated);
        double? meanF1 = exclusive || !known ? null : shown.Classes.Average(c => c.F1);
        var more = caveat is not null && advice is null ? caveat
            : $"{(caveat is null ? "" : $"{caveat} ")}{advice?.Sentence ?? Advice.Nothing(found.Curve, train.Count, what)}";
        return new()
        {
            Sentence = $"{(known ? Sentence(shown, meanF1, what) : "The accuracy is unknown.")} {more}",
            Accuracy = known ? shown.Accuracy : null,
            AccuracyInterval = known ? Interval(shown) : null,
            AccuracyFrom = useHeldOut ? AccuracySource.HeldOut : known ? AccuracySource.CrossValidation : null,
            Unmeasured = useHeldOut ? [] : Caveat.Unmeasured(train),
            CrossValidation = validation.Accuracy is null
                ? new(null, null, null, 0, validation.Folds, validation.Repeats)
                : new(crossValidated.Accuracy, Interval(crossValidated), validation.StandardError, crossValidated.Count,
                    validation.Folds, validation.Repeats),
            HeldOut = heldOut.Count == 0 ? null : new(heldOut.Accuracy, Interval(heldOut), heldOut.Count),
            Categories = categories,
            Kind = found.Data.Kind,
            Classes = shown.Classes,
            PrecisionRecall = useHeldOut ? Curves(test, evaluated, shown) : Curves(judged, judgements, shown),
            MeanF1 = meanF1,
            Thresholds = found.Evaluated.Thresholds,
            Confusion = known ? shown.Confusion : [],
            ConfusedPairs = Pairs(shown, categories),
            Mistakes = useHeldOut ? ImageFindings.Mistakes(test, found.Examples.TestIds, evaluated)
            : ImageFindings.Mistakes(judged, judgedIds, judgements),
            Calibration = useHeldOut
                ? Calibrate(found, test, [.. test.Features.Select(f => found.Raw.Probabilities(f))], evaluated)
                : known ? Calibrate(found, judged, [.. validation.Measured.Select(i => validation.OutOfFold[i])], judgements) : null,
            Unknown = Unknown(train, test),
            LearningCurve = found.Curve is null ? null
            : new(found.Curve.Points, [.. ((double[])[1, 1.5, 2, 4]).Select(times => found.Curve.At(times * train.Count))]),
            Advice = advice,
            Balance = Balance(categories, found.Examples.All.Support()),
            Suspects = suspects,
            ExpectedLabelErrors = errors,
            Hardest = ImageFindings.Hardest(found, calibrated),
            Duplicates = found.Examples.Duplicates,
            Leaks = found.Examples.Leaks,
            Backbones = [],
            Head = Head(found),
            Words = Words(found),
            TrainableParameters = found.Evaluated.TrainableParameters,
            LeftOut = found.Data.LeftOut,
            UnreadableImages = found.Examples.Unreadable,
        };
    }

    private static int Different(LabelledFeatures set) => set.Groups?.Distinct().Count() ?? set.Count;

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

    /// <returns>null if the detector calls nothing unknown.</returns>
    private static UnknownReport? Unknown(LabelledFeatures train, LabelledFeatures test)
    {
        var region = NoveltyDetector.Of(train);
        if (!region.Decides)
        {
            return null;
        }

        var caught = new List<bool>();
        if (train.Categories.Count > 2)
        {
            var step = Math.Max(1, train.Categories.Count / MostLeftOut);
            foreach (var left in Enumerable.Range(0, train.Categories.Count).Where(k => k % step == 0).Take(MostLeftOut))
            {
                int[] rest = [.. Enumerable.Range(0, train.Count).Where(i => !train.LabelsOf(i).Contains(left))];
                if (rest.All(i => train.LabelsOf(i).Length == 0))
                {
                    continue; // it accompanies every other one: without it no category is left
                }

                var others = NoveltyDetector.Of(train.Some(rest));
                caught.AddRange(Enumerable.Range(0, train.Count).Where(i => train.LabelsOf(i) is [var only] && only == left)
                    .Select(i => others.IsUnknown(train.Features[i])));
            }
        }

        return new(FalseAlarms, region.Threshold, test.Count == 0 ? null : Share(test.Features.Select(f => region.IsUnknown(f))),
            caught.Count == 0 ? null : Share(caught));
    }

    private static double Share(IEnumerable<bool> values) => values.Average(value => value ? 1.0 : 0);

    internal static BalanceReport Balance(IReadOnlyList<string> categories, int[] support)
    {
        var (smallest, largest) = (Array.IndexOf(support, support.Min()), Array.IndexOf(support, support.Max()));
        return new(categories[smallest], support[smallest], categories[largest], support[largest],
            Math.Round((double)support[largest] / Math.Max(1, support[smallest]), 2));
    }

    /// <returns>null unless the head began with words.</returns>
    private static WordsReport? Words(Findings found)
    {
        if (found.Validation.Method.Kind != HeadKind.Words)
        {
            return null;
        }

        var recipe = ((ImageFeatures)found.Features).Recipe;
        var belief = CategoryWords.Belief(found.Examples.All);
        return new(found.Words.Pairs.First(pair => recipe.Backbones.Contains(pair.Images)).Texts.Id,
            [.. found.Data.Categories.Select((name, k) => new CategoryPrompt(name, found.Words.Prompts[k], Math.Round(belief[k], 3)))]);
    }

    private static HeadReport Head(Findings found)
    {
        var method = found.Validation.Method;
        var (features, categories) = (found.Features.Length, found.Data.Categories.Count);
        var best = found.Validation.Measured.Count == 0 ? "is the default if heads cannot be compared."
            : "did best in cross-validation.";
        var what = method.Kind switch
        {
            HeadKind.Prototypes or HeadKind.Logistic or HeadKind.Words => (method.Kind switch
            {
                HeadKind.Prototypes => "Linear discriminant analysis",
                HeadKind.Words => "Logistic regression that begins with the words of the categories",
                _ => "Logistic regression",
            }) + $" {best} The head has one weight for each of {features} features and one bias for each of {categories} categories",
            _ => $"A hidden layer of {found.Evaluated.Hidden!.Outputs} units {best} Each unit has a weight for each of {features} "
                + $"features, and each of {categories} categories has a weight for each unit",
        };
        return new(method.Kind, method.Strength, $"{what}: {found.Evaluated.TrainableParameters} trained parameters. {found.Features.Id} "
            + "itself is not trained.");
    }
}
