using System.Globalization;
using Headstart.Learning.Detection;
using Headstart.Learning.Evaluation;
using Headstart.Reports;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Training;

/// <summary>The results at the end of a detection run.</summary>
/// <param name="Items">The training examples, then the held-out ones.</param>
/// <param name="Result">The result, with one answer for each item.</param>
/// <param name="Confirmed">Images whose boxes a person confirmed.</param>
internal sealed record FoundObjects(Dataset Data, Examples Examples, IReadOnlyList<Dataset.Item> Items, DetectionResult Result,
    IReadOnlySet<Guid> Confirmed);

/// <summary>Writes the report of a detection model.</summary>
internal static class ObjectsReportWriter
{
    private const double Few = 30; // boxes of a category; below this number, adding more is the best advice

    public static Report Write(FoundObjects found)
    {
        var (data, examples, items, result, confirmed) = found;
        var report = result.Report;
        var (accuracy, heldOut) = (report.At50, !report.CrossValidated);
        double[] interval = [accuracy.Low, accuracy.High];
        var unreadable = items.Where((_, i) => result.Answers[i] is null).Select(item => item.ExampleId);
        var learned = result.Curve?.Points[^1].Images ?? 0;
        return new()
        {
            Sentence = $"{Sentence(report)} {Advice(report)}{More(result.Curve, learned)}",
            Accuracy = accuracy.Value,
            AccuracyInterval = interval,
            AccuracyFrom = heldOut ? AccuracySource.HeldOut : AccuracySource.CrossValidation,
            CrossValidation = heldOut ? new(null, null, null, 0, 0, 0) : new(accuracy.Value, interval, null, report.Pictures, 0, 1),
            HeldOut = heldOut ? new(accuracy.Value, interval, report.Pictures) : null,
            Categories = data.Categories,
            Kind = data.Kind,
            Classes = [.. report.Categories.Select(Class)],
            Confusion = [],
            Thresholds = result.Head.Thresholds,
            MeanF1 = report.Categories.Average(category => Class(category).F1),
            LearningCurve = result.Curve is not { } curve ? null
                : new(curve.Points, [.. ((double[])[1, 1.5, 2, 4]).Select(times => curve.At(times * learned))]),
            Balance = ReportWriter.Balance(data.Categories, examples.All.Support()),
            Duplicates = examples.Duplicates,
            Leaks = examples.Leaks,
            Backbones = [],
            TrainableParameters = result.Head.TrainableParameters,
            LeftOut = data.LeftOut,
            UnreadableImages = [.. examples.Unreadable, .. unreadable],
            Detection = new(report.Pictures, report.At50, report.At50To95, report.Categories, report.Errors, report.Sizes,
                report.CalibrationError, Hardest(), [.. Suspects().Take(MostSuspects)]),
        };

        IEnumerable<SuspectBoxReport> Suspects() => result.Suspects
            .Where(suspect => !confirmed.Contains(items[suspect.Example].ExampleId))
            .Select(suspect => new SuspectBoxReport(items[suspect.Example].ExampleId, suspect.Kind,
                suspect.Box is { } box ? TrueObject.Of(items[suspect.Example].Boxes![box], data.Categories) : null,
                suspect.Suggested is { } other ? FoundObject.Of(other, data.Categories) : null));

        List<HardObjectsReport> Hardest()
        {
            int[] unseen = [.. Enumerable.Range(0, items.Count).Where(i => result.Unseen[i] && result.Answers[i] is not null)];
            float[] thresholds = [.. report.Categories.Select(category => category.Threshold)];
            return
            [
                .. HardestPictures.Of([.. unseen.Select(i => items[i].Boxes!)], [.. unseen.Select(i => result.Answers[i]!)], thresholds,
                    MostHardest).Select(hard => new HardObjectsReport(items[unseen[hard.Picture]].ExampleId,
                        [.. items[unseen[hard.Picture]].Boxes!.Select(box => TrueObject.Of(box, data.Categories))],
                        [.. result.Answers[unseen[hard.Picture]]!.Objects.Where(o => o.Probability >= thresholds[o.Category])
                            .Select(o => FoundObject.Of(o, data.Categories))], hard.Missed, hard.Wrong)),
            ];
        }
    }

    private static ClassMetrics Class(DetectedCategory category) =>
        new(category.Name, category.Boxes, category.Precision, category.Recall);

    private static string Sentence(DetectionReport report)
    {
        var (right, all) = (report.Errors.Right, report.Categories.Sum(category => category.Boxes));
        return string.Create(CultureInfo.InvariantCulture, $"Mean average precision {Percent(report.At50.Value)} at an overlap of 0.5 ")
            + $"({Percent(report.At50.Low)} to {Percent(report.At50.High)} with 95 % confidence), on {report.Pictures} images not used for "
            + $"training: {right} of {all} objects were found where they are.";
    }

    /// <summary>What would help most against the most frequent mistake.</summary>
    private static string Advice(DetectionReport report)
    {
        var errors = report.Errors;
        var weakest = report.Categories.Where(category => category.At50 is not null).MinBy(category => category.At50);
        return weakest is { At50: < 0.9, Boxes: var boxes } && boxes < Few && report.Categories.Count > 1
            ? $"{weakest.Name} is found worst ({Percent(weakest.At50.Value)}): add images that show it."
            : new[] { errors.Missed, errors.WrongPlace, errors.WrongCategory, errors.Twice, errors.Background } switch
            {
                var counts when counts.Max() == 0 => "More images from real use will tell how well it does elsewhere.",
                var counts when counts.Max() == errors.Missed => "Most mistakes are missed objects: add images that show them small or "
                    + "partly hidden, and look for objects that lack a box.",
                var counts when counts.Max() == errors.Background => "Most mistakes are objects found where none are: add images without "
                    + "objects.",
                var counts when counts.Max() == errors.WrongPlace => "Most mistakes are boxes that fit badly: draw boxes close to the "
                    + "objects.",
                var counts when counts.Max() == errors.WrongCategory => "Most mistakes are wrong categories: add images of the categories "
                    + "that are confused.",
                _ => "Most mistakes are objects that were found twice: add images in which they stand close together.",
            };
    }

    /// <summary>What twice as many images would gain; empty without a curve.</summary>
    private static string More(LearningCurve? curve, int images) => curve?.Gain(images, 2 * images) switch
    {
        null => "",
        var (gain, low, high) when gain >= WorthSaying => string.Create(CultureInfo.InvariantCulture, $" Twice as many images should "
            + $"raise mean average precision by about {100 * gain:0.#} percentage points ({100 * low:0.#} to {100 * high:0.#})."),
        _ => " More images like these would hardly raise mean average precision.",
    };

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.#} %");
}
