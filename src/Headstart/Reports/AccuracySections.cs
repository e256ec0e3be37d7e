using Headstart.Data;

namespace Headstart.Reports;

/// <summary>How good the version is, whether it is better than the last one, and what would make the next one better.</summary>
internal static class AccuracySections
{
    public static Html All(Report report) => $"{Accuracy(report)}{Comparison(report.Comparison)}{Help(report)}";

    private static Html? Accuracy(Report report)
    {
        var what = report.Kind.Examples();
        var folds = report.CrossValidation;
        var how = report.AccuracyFrom == AccuracySource.HeldOut
            ? $"{Html.Title(what)} that were held out, chosen by their content. The head that was judged never saw them; the one that is served learned from them too."
            : $"There are too few {what} to hold enough of them out, so each one was judged by a head that was trained without it.";
        return Html.Section("Accuracy", $"""
            <dl class="facts">
            <div><dt>{(report.MeanF1 is null ? "Right answers" : "All labels right")}</dt><dd>{Html.Percent(report.Accuracy)}</dd></div>
            <div><dt>With 95 % certainty</dt><dd>{Interval(report.AccuracyInterval)}</dd></div>
            {(report.MeanF1 is { } f1 ? (Html)$"<div><dt>Mean F1 of the labels</dt><dd>{f1:0.00}</dd></div>" : null)}
            <div><dt>Measured on</dt><dd>{Measured(report)}</dd></div>
            <div><dt>Cross-validated</dt><dd>{Html.Percent(folds.Accuracy)}<small>{folds.Images} {what} in {folds.Folds} parts{(folds.Repeats == 1 ? "" : $", {folds.Repeats} times")}</small></dd></div>
            </dl>
            <p class="soft">{how}</p>
            """);
    }

    private static Html Measured(Report report) => report.AccuracyFrom == AccuracySource.HeldOut && report.HeldOut is { } heldOut
        ? (Html)$"{heldOut.Images} {report.Kind.Examples()}<small>held out</small>" : (Html)$"{report.CrossValidation.Images} {report.Kind.Examples()}<small>left out in turn</small>";

    private static Html? Comparison(ComparisonReport? comparison)
    {
        if (comparison is null)
        {
            return null;
        }

        return Html.Section($"Against version {comparison.Version}", Html.Paragraph(comparison.Sentence));
    }

    private static Html? Help(Report report)
    {
        if (report is { Advice: null, LearningCurve: null })
        {
            return null;
        }

        return Html.Section("What would help", $"{(report.Advice is { } advice ? Html.Paragraph(advice.Sentence) : null)}{Curve(report)}");
    }

    private static Html? Curve(Report report)
    {
        if (report.LearningCurve is not { } curve || curve.Points.Count + curve.Forecasts.Count == 0)
        {
            return null;
        }

        return $"""
            <figure>{Plots.LearningCurve(curve, report.Kind.Examples())}
            <figcaption>Dots: measured with parts of the {report.Kind.Examples()}. Dashed: what to expect with more {report.Kind.Examples()} like these; the true value is in the band with 90 % certainty.</figcaption></figure>
            {Html.Table("Expected accuracy", [Html.Title(report.Kind.Examples()), "Expected accuracy", "90 % interval"], Html.Each(curve.Forecasts, f =>
                $"<tr><th scope=\"row\">{f.Images}{(f.Images == report.CrossValidation.Images ? " (as now)" : "")}</th><td>{Html.PercentOrDash(f.Accuracy)}</td><td>{Html.Range(f.Low, f.High)}</td></tr>"))}
            """;
    }

    private static string Interval(IReadOnlyList<double> interval) => interval.Count == 2 ? Html.Range(interval[0], interval[1]) : "–";
}
