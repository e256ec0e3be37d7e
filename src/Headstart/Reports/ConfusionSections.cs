using System.Globalization;
using Headstart.Data;
using Headstart.Learning.Evaluation;

namespace Headstart.Reports;

/// <summary>Confusion matrix, metrics per category, calibration, and unknown images or texts.</summary>
internal static class ConfusionSections
{
    private const int LargestMatrix = 150; // a thousand categories are a million cells
    private const int FewCategories = 8;

    public static Html All(Report report) =>
        $"{Confusion(report)}{Categories(report)}{Calibration(report.Calibration)}{Unknown(report.Unknown, report.Kind.Nouns())}";

    private static Html? Confusion(Report report)
    {
        if (report.Confusion.Count == 0)
        {
            return null;
        }

        var pairs = report.ConfusedPairs.Count == 0 ? Html.Paragraph("No category was confused with another.")
            : Html.Table("Most confused", ["Category", "Predicted as", Html.Title(report.Kind.Nouns())],
            Html.Each(report.ConfusedPairs, pair => $"<tr><td>{pair.Category}</td><td>{pair.PredictedAs}</td><td>{pair.Count}</td></tr>"),
            "words");
        return Html.Section("Confusion matrix", $"""
            {Matrix(report)}
            <h3>Most often confused</h3>
            {pairs}
            """);
    }

    private static Html Matrix(Report report)
    {
        var (confusion, names) = (report.Confusion, report.Categories);
        var all = Enumerable.Range(0, names.Count);
        int[] shown = names.Count <= LargestMatrix ? [.. all]
            : [.. all.OrderByDescending(k => confusion[k].Sum() - confusion[k][k] + confusion.Sum(row => row[k]) - confusion[k][k])
                .Take(LargestMatrix).Order()];
        var cut = shown.Length == names.Count ? "" : string.Create(CultureInfo.InvariantCulture, $" It shows the {shown.Length} "
            + $"categories with the most mistakes, of {names.Count}.");
        return $"""
            <p class="soft">Rows are true categories, columns are predicted ones; each cell is a number of {report.Kind.Nouns()}. Blue is
            correct, orange is wrong; a stronger colour is a larger share of the row.{cut}</p>
            <div class="wide matrix{(shown.Length > FewCategories ? " many" : "")}" role="region" aria-label="Confusion matrix" tabindex="0"><table>
            <thead><tr><td></td>{Html.Each(shown, k => $"<th scope=\"col\" title=\"{names[k]}\"><span>{names[k]}</span></th>")}</tr></thead>
            <tbody>{Html.Each(shown, truth => $"<tr><th scope=\"row\" title=\"{names[truth]}\">{names[truth]}</th>{Html.Each(shown, predicted => Cell(confusion[truth], truth, predicted))}</tr>\n")}</tbody>
            </table></div>
            """;
    }

    private static Html Cell(IReadOnlyList<int> row, int truth, int predicted)
    {
        if (row[predicted] == 0)
        {
            return $"<td></td>";
        }

        var share = (double)row[predicted] / row.Sum();
        var colour = truth == predicted ? "37 99 235" : "234 88 12";
        return $"<td style=\"background:rgb({colour} / {0.08 + 0.5 * share:0.##})\">{row[predicted]}</td>";
    }

    private static Html? Categories(Report report)
    {
        if (report.Classes.Count == 0 || report.Accuracy is null)
        {
            return null;
        }

        var several = report.Thresholds is null ? ""
            : " F1 is the harmonic mean of both. An image may have several categories; each applies if its probability reaches its "
                + "threshold, which was chosen for the highest F1.";
        string[] columns = ["Category", "Precision", "Recall", .. report.Thresholds is null ? (string[])[] : ["F1", "Threshold"],
            Html.Title(report.Kind.Nouns())];
        return Html.Section("Metrics per category", $"""
            <p class="soft">Precision: the share of {report.Kind.Nouns()} predicted as this category that belong to it. Recall: the share
            of {report.Kind.Nouns()} of this category that are predicted as it.{several}</p>
            {Html.Table("Metrics per category", columns, Html.Each(report.Classes.Index(), c => Row(c.Item, report.Thresholds?[c.Index])))}
            {Curves(report)}
            """);
    }

    private static Html? Curves(Report report)
    {
        if (report.PrecisionRecall.Count == 0)
        {
            return null;
        }

        var cut = report.PrecisionRecall.Count == report.Classes.Count ? ""
            : string.Create(CultureInfo.InvariantCulture, $" Shown: the {report.PrecisionRecall.Count} categories with the most mistakes.");
        return $"""
            <h3>Precision–recall curves</h3>
            <p class="soft">Precision and recall of each category for every probability threshold. Closer to the upper right corner is
            better.{cut}</p>
            <div class="pictures large">{Html.Each(report.PrecisionRecall, curve => $"""
                <figure>{Plots.PrecisionRecall(curve)}
                <figcaption><b>{curve.Category}</b>average precision {Html.Percent(curve.AveragePrecision)}</figcaption></figure>

                """)}</div>
            """;
    }

    private static Html Row(ClassMetrics of, float? threshold) => $"""
        <tr><th scope="row" title="{of.Category}">{of.Category}</th>{Share(of.Precision)}{Share(of.Recall)}{(threshold is { } from ? (Html)$"{Share(of.F1)}<td>{Html.Percent(from)}</td>" : null)}<td>{of.Support}</td></tr>

        """;

    private static Html Share(double? share) =>
        $"<td class=\"bar\" style=\"--share:{100 * (share ?? 0):0.#}%\">{Html.PercentOrDash(share)}</td>";

    private static Html? Calibration(CalibrationReport? calibration)
    {
        if (calibration is not { Reliability.Count: > 0 })
        {
            return null;
        }

        var raw = calibration.Temperature switch
        {
            > 1.02 => "were overconfident",
            < 0.98 => "were underconfident",
            _ => "were well calibrated",
        };
        return Html.Section("Calibration", $"""
            <p>If nine in ten predictions with 90 % are correct, and so on, the dots lie on the dashed line. On average, probability and
            accuracy differ by {100 * calibration.ErrorAfter:0.#} percentage points; before calibration by
            {100 * calibration.ErrorBefore:0.#} (expected calibration error).</p>
            <p>Calibration divides the logits by one number, the temperature, here {calibration.Temperature:0.00}. Without it the
            probabilities {raw}. It changes the probabilities, never the predicted category.</p>
            <div class="sides"><figure>{Plots.Reliability(calibration.Reliability)}
            <figcaption>Larger dots: more predictions. Orange lines: the distance from perfect calibration.</figcaption></figure>
            {Html.Table("Predictions by probability", ["Probability", "Correct", "Predictions"], Html.Each(calibration.Reliability, bin =>
                $"<tr><td>{Html.PercentOrDash(bin.Confidence)}</td><td>{Html.PercentOrDash(bin.Accuracy)}</td><td>{bin.Count}</td></tr>"))}</div>
            """);
    }

    private static Html? Unknown(UnknownReport? unknown, string what)
    {
        if (unknown is null)
        {
            return null;
        }

        var seen = unknown.HeldOutFalseAlarmRate is { } rate ? $" Of the held-out {what}, {Advice.Percent(rate)} were." : "";
        var caught = unknown.ExpectedCatchRate is { } expected
            ? $"When a whole category was left out of training, {Advice.Percent(expected)} of its {what} were marked unknown. Expect "
                + $"that rate for {what} as similar to the categories as these are to each other; very different {what} are detected "
                + "more often."
            : $"With so few categories, the detection rate of unknown {what} cannot be estimated.";
        return Html.Section($"Unknown {what}", $"""
            <p>{Html.Title(what)} that resemble none of the categories are marked unknown. The threshold is set so that about
            {Html.Percent(unknown.FalseAlarmRate)} of the {what} that belong to a category are marked unknown by mistake.{seen}</p>
            {Html.Paragraph(caught)}
            """);
    }
}
