using Headstart.Data;

namespace Headstart.Reports;

/// <summary>How the version was trained, and on what.</summary>
internal static class RunSections
{
    public static Html All(Report report, IReadOnlyDictionary<Guid, Picture> pictures) =>
        $"{Balance(report.Balance, report.Kind.Nouns())}{Backbones(report)}{Head(report)}{Seconds(report)}{Notices(report, pictures)}";

    private static Html? Balance(BalanceReport? balance, string what)
    {
        if (balance is null)
        {
            return null;
        }

        return Html.Section("Balance", balance.SmallestImages == balance.LargestImages ? (Html)$"<p>Every category has {balance.LargestImages} {what}.</p>" : (Html)$"""
            <p>The largest category, {balance.Largest}, has {balance.LargestImages} {what}, {balance.Ratio:0.##} times as many as the smallest, {balance.Smallest}, with {balance.SmallestImages}.</p>
            """);
    }

    private static Html? Backbones(Report report)
    {
        if (report.Backbones.Count == 0)
        {
            return null;
        }

        string[] columns =
        [
            "Backbone", "Accuracy", "± one standard error", "Log loss", Html.Title(report.Kind.Nouns()),
            $"ms per {report.Kind.Noun()}",
        ];
        return Html.Section("Backbones tried", $"""
            {(report.Choice is { } choice ? Html.Paragraph(choice.Sentence) : null)}
            {Html.Table("Backbones", columns, Html.Each(report.Backbones, Row))}
            """);
    }

    private static Html Row(BackboneTrial trial) => $"""
        <tr{(trial.Chosen ? (Html)$" class=\"chosen\"" : null)}><th scope="row" title="{trial.Id}">{trial.Id}{(trial.Chosen ? " (chosen)" : "")}</th>
        <td>{Html.PercentOrDash(trial.Accuracy)}</td><td>{Html.PercentOrDash(trial.StandardError)}</td>
        <td>{Loss(trial.LogLoss)}</td><td>{(trial.Images > 0 ? (Html)$"{trial.Images}" : (Html)$"–")}</td><td>{(trial.MsPerImage < 1 ? (Html)$"{trial.MsPerImage:0.0##}" : (Html)$"{trial.MsPerImage:0.0}")}</td></tr>

        """;

    private static Html Loss(double? loss) => loss is { } known ? (Html)$"{known:0.000}" : (Html)$"–";

    private static Html? Head(Report report) => Html.Section("Head", $"""
        {(report.Head is { } head ? Html.Paragraph(head.Sentence) : null)}<p>Trainable parameters: {report.TrainableParameters}.</p>
        """);

    private static Html? Seconds(Report report) => report.SecondsPerStage.Count == 0 ? null
        : Html.Section("Time", Html.Table("Seconds per stage", ["Stage", "Seconds"],
        Html.Each(report.SecondsPerStage, stage => $"<tr><th scope=\"row\">{stage.Key}</th><td>{stage.Value:0.0}</td></tr>")));

    private static Html? Notices(Report report, IReadOnlyDictionary<Guid, Picture> pictures)
    {
        if (report.Notices.Count + report.LeftOut.Count + report.Leaks.Count + report.UnreadableImages.Count == 0)
        {
            return null;
        }

        const string leftOut = "Categories with nothing to learn from; the version never predicts them";
        var leaks = $"Training {report.Kind.Nouns()} left out, because they look like {report.Kind.Nouns()} given as test";
        return Html.Section("Notices", $"""
            {List(null, report.Notices)}{List(leftOut, report.LeftOut)}{List(leaks, report.Leaks.Select(Name))}
            {List($"Unreadable {report.Kind.Nouns()}", report.UnreadableImages.Select(Name))}
            """);

        string Name(Guid id) => pictures.GetValueOrDefault(id) is { } picture
            ? picture.Text is { } text ? TextMarks.Shortened(text) : picture.FileName : $"{id}, deleted since";
    }

    private static Html? List(string? title, IEnumerable<string> items)
    {
        if (!items.Any())
        {
            return null;
        }

        return $"{(title is null ? null : (Html)$"<h3>{title}</h3>")}<ul>{Html.Each(items, item => $"<li>{item}</li>")}</ul>";
    }
}
