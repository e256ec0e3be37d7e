using Headstart.Data;

namespace Headstart.Reports;

/// <summary>The version's accuracy, its comparison with the published one, and what would improve it.</summary>
internal static class AccuracySections
{
    public static Html All(Report report) => $"{Accuracy(report)}{Comparison(report.Comparison)}{Words(report.Words)}{Help(report)}";

    private static Html? Accuracy(Report report)
    {
        var what = report.Kind.Nouns();
        var folds = report.CrossValidation;
        if (report.Accuracy is not { } accuracy)
        {
            return Html.Section("Accuracy", Html.Paragraph(report.Sentence));
        }

        var parts = $"{folds.Images} {what} in {folds.Folds} folds{(folds.Repeats == 1 ? "" : $", {folds.Repeats} times")}";
        var how = report.AccuracyFrom == AccuracySource.HeldOut
            ? $"Measured on held-out {what}, which the evaluated head was not trained on. The served head is also trained on those whose "
                + "split nobody chose."
            : $"There are too few held-out {what}, so each of the others was evaluated by a head trained without it and its look-alikes "
                + "(cross-validation).";
        return Html.Section("Accuracy", $"""
            <dl class="facts">
            <div><dt>{(report.MeanF1 is null ? "Accuracy" : "All labels correct")}</dt><dd>{Html.Percent(accuracy)}</dd></div>
            <div><dt>95 % interval</dt><dd>{Interval(report.AccuracyInterval)}</dd></div>
            {(report.MeanF1 is { } f1 ? (Html)$"<div><dt>Mean F1 of the labels</dt><dd>{f1:0.00}</dd></div>" : null)}
            <div><dt>Measured on</dt><dd>{Measured(report)}</dd></div>
            {(folds.Accuracy is { } crossValidated ? (Html)$"<div><dt>Cross-validated</dt><dd>{Html.Percent(crossValidated)}<small>{parts}</small></dd></div>" : null)}
            </dl>
            <p class="soft">{how}</p>
            """);
    }

    private static Html Measured(Report report) => report.AccuracyFrom == AccuracySource.HeldOut && report.HeldOut is { } heldOut
        ? (Html)$"{heldOut.Images} {report.Kind.Nouns()}<small>held out</small>"
        : (Html)$"{report.CrossValidation.Images} {report.Kind.Nouns()}<small>cross-validation</small>";

    internal static Html? Comparison(ComparisonReport? comparison)
    {
        if (comparison is null)
        {
            return null;
        }

        return Html.Section($"Compared with version {comparison.Version}", Html.Paragraph(comparison.Sentence));
    }

    private static Html? Words(WordsReport? words)
    {
        if (words is null)
        {
            return null;
        }

        return Html.Section("Categories in words", $"""
            {Html.Table("Words", ["Category", "Words", "Reliance"], Html.Each(words.Prompts, prompt =>
                $"<tr><th scope=\"row\">{prompt.Category}</th><td>{prompt.Prompt}</td><td>{Html.PercentOrDash(prompt.Belief)}</td></tr>"))}
            <p class="soft">Read by {words.Backbone}. If the head relies little on the words, the images do not show what they say: describe
            the category in other words.</p>
            """);
    }

    internal static Html? Help(Report report)
    {
        if (report is { Advice: null, LearningCurve: null })
        {
            return null;
        }

        return Html.Section("Learning curve", $"{(report.Advice is { } advice ? Html.Paragraph(advice.Sentence) : null)}{Curve(report)}");
    }

    private static Html? Curve(Report report)
    {
        if (report.LearningCurve is not { } curve || curve.Points.Count + curve.Forecasts.Count == 0)
        {
            return null;
        }

        var (what, measure) = (report.Kind.Nouns(), report.Measure);
        return $"""
            <figure>{Plots.LearningCurve(curve, what, measure)}
            <figcaption>Dots: {measure} measured with part of the {what}. Dashed line: expected {measure} with more {what} like these, with
            its 90 % interval.</figcaption></figure>
            {Html.Table($"Expected {measure}", [Html.Title(what), $"Expected {measure}", "90 % interval"], Html.Each(curve.Forecasts, f =>
                $"<tr><th scope=\"row\">{f.Images}{(f.Images == report.CrossValidation.Images ? " (now)" : "")}</th>"
                    + $"<td>{Html.PercentOrDash(f.Accuracy)}</td><td>{Html.Range(f.Low, f.High)}</td></tr>"))}
            """;
    }

    private static string Interval(IReadOnlyList<double>? interval) => interval?.Count == 2 ? Html.Range(interval[0], interval[1]) : "–";
}
