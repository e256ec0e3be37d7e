using System.Globalization;
using Headstart.Data;
using Headstart.Learning.Evaluation;

namespace Headstart.Reports;

/// <summary>What the answers are worth: which categories are mixed up, what a probability means, and what is called unknown.</summary>
internal static class AnswerSections
{
    private const int LargestMatrix = 150; // a thousand categories are a million cells
    private const int FewCategories = 8;

    public static Html All(Report report) => $"{Confusion(report)}{Categories(report)}{Calibration(report.Calibration)}{Unknown(report.Unknown, report.Kind.Examples())}";

    private static Html? Confusion(Report report)
    {
        if (report.Confusion.Count == 0)
        {
            return null;
        }

        var pairs = report.ConfusedPairs.Count == 0 ? Html.Paragraph("Nothing was taken for something else.") : Html.Table("Most confused", ["Category", "Taken for", Html.Title(report.Kind.Examples())],
            Html.Each(report.ConfusedPairs, pair => $"<tr><td>{pair.Category}</td><td>{pair.PredictedAs}</td><td>{pair.Count}</td></tr>"), "words");
        return Html.Section("What is taken for what", $"""
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
            : [.. all.OrderByDescending(k => confusion[k].Sum() - confusion[k][k] + confusion.Sum(row => row[k]) - confusion[k][k]).Take(LargestMatrix).Order()];
        var cut = shown.Length == names.Count ? "" : string.Create(CultureInfo.InvariantCulture, $" Of {names.Count} categories it has the {shown.Length} with most mistakes.");
        return $"""
            <p class="soft">Each row is a category, each column an answer; a cell says how many {report.Kind.Examples()} got it. Blue is right, orange is wrong, and the
            stronger the colour, the larger the share of the row.{cut}</p>
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
        if (report.Classes.Count == 0)
        {
            return null;
        }

        var several = report.Thresholds is null ? "" : " F1 is their harmonic mean. An image may show several; each applies from its threshold on, which was chosen for the highest F1.";
        string[] columns = ["Category", "Precision", "Recall", .. report.Thresholds is null ? (string[])[] : ["F1", "Threshold"], Html.Title(report.Kind.Examples())];
        return Html.Section("Each category", $"""
            <p class="soft">Precision: of the {report.Kind.Examples()} that got this answer, the share that it was right for. Recall: of the {report.Kind.Examples()} of this category, the share that was recognised.{several}</p>
            {Html.Table("Each category", columns, Html.Each(report.Classes.Index(), c => Row(c.Item, report.Thresholds?[c.Index])))}
            {Curves(report)}
            """);
    }

    private static Html? Curves(Report report)
    {
        if (report.PrecisionRecall.Count == 0)
        {
            return null;
        }

        var cut = report.PrecisionRecall.Count == report.Classes.Count ? "" : string.Create(CultureInfo.InvariantCulture, $" The {report.PrecisionRecall.Count} categories with most mistakes are shown.");
        return $"""
            <h3>Precision over recall</h3>
            <p class="soft">A category could be answered from another probability on. To the right more of its {report.Kind.Examples()} are found, further up fewer others come along: the
            nearer to the upper right corner, the better.{cut}</p>
            <div class="pictures large">{Html.Each(report.PrecisionRecall, curve => $"""
                <figure>{Plots.PrecisionRecall(curve)}
                <figcaption><b>{curve.Category}</b>average precision {Html.Percent(curve.AveragePrecision)}</figcaption></figure>

                """)}</div>
            """;
    }

    private static Html Row(ClassMetrics of, float? threshold) => $"""
        <tr><th scope="row" title="{of.Category}">{of.Category}</th>{Share(of.Precision)}{Share(of.Recall)}{(threshold is { } from ? (Html)$"{Share(of.F1)}<td>{Html.Percent(from)}</td>" : null)}<td>{of.Support}</td></tr>

        """;

    private static Html Share(double? share) => $"<td class=\"bar\" style=\"--share:{100 * (share ?? 0):0.#}%\">{Html.PercentOrDash(share)}</td>";

    private static Html? Calibration(CalibrationReport? calibration)
    {
        if (calibration is not { Reliability.Count: > 0 })
        {
            return null;
        }

        var raw = calibration.Temperature switch
        {
            > 1.02 => "were too sure of themselves",
            < 0.98 => "were too cautious",
            _ => "were about right",
        };
        return Html.Section("What a probability means", $"""
            <p>If 90 % means nine in ten, the dots lie on the dashed line. The probabilities and the share of right answers differ by {100 * calibration.ErrorAfter:0.#} points on
            average; before correction it was {100 * calibration.ErrorBefore:0.#} (expected calibration error).</p>
            <p>The correction is one number, the temperature, here {calibration.Temperature:0.00}: without it the probabilities {raw}. It changes how sure the answers are, never which one is given.</p>
            <div class="sides"><figure>{Plots.Reliability(calibration.Reliability)}
            <figcaption>Larger dots: more answers. An orange line is how far a group is from where it should be.</figcaption></figure>
            {Html.Table("Answers by probability", ["Probability", "Right", "Answers"], Html.Each(calibration.Reliability, bin =>
                $"<tr><td>{Html.PercentOrDash(bin.Confidence)}</td><td>{Html.PercentOrDash(bin.Accuracy)}</td><td>{bin.Count}</td></tr>"))}</div>
            """);
    }

    private static Html? Unknown(UnknownReport? unknown, string what)
    {
        if (unknown is null)
        {
            return null;
        }

        var seen = unknown.HeldOutFalseAlarmRate is { } rate ? $" Of the held-out {what} {Advice.Percent(rate)} were." : "";
        var caught = unknown.ExpectedCatchRate is { } expected
            ? $"When a whole category was left out, {Advice.Percent(expected)} of its {what} were called unknown: that is what to expect of things as much like the categories as these are like each other. "
                + "Quite other things are caught more often."
            : "How many other things it catches cannot be said with so few categories.";
        return Html.Section($"{Html.Title(what)} of something else", $"""
            <p>What resembles none of the categories is called unknown. The threshold is set so that about {Html.Percent(unknown.FalseAlarmRate)} of the {what} that do belong to one are called
            unknown by mistake.{seen}</p>
            {Html.Paragraph(caught)}
            """);
    }
}
