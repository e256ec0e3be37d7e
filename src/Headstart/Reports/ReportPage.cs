using System.Globalization;
using Headstart.Data;

namespace Headstart.Reports;

/// <summary>
/// A report as a self-contained HTML page to read, print and share. It has no script and loads nothing; a policy inside the page enforces
/// this when a browser opens the saved file.
/// </summary>
internal static class ReportPage
{
    public const string Policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

    public static string Of(Model model, ModelVersion version, Report report, IReadOnlyDictionary<Guid, Picture> pictures)
    {
        var made = version.CreatedAt.ToString("d MMMM yyyy, HH:mm", CultureInfo.InvariantCulture);
        var published = version.Number == model.PublishedVersion ? ", the published one" : "";
        Html style = new(PageStyle.Css.Length, 0);
        style.AppendLiteral(PageStyle.Css);
        Html page = $"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="{Policy}">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{model.Name}, version {version.Number}</title>
            <style>
            {style}
            </style>
            </head>
            <body><main>
            <header><h1>{model.Name}</h1>
            <p>Version {version.Number}{published}, made on {made} UTC</p>
            <p class="answer">{report.Sentence}</p></header>
            {(report.Detection is { } objects ? ObjectSections.All(report, objects, pictures) : (Html)$"{AccuracySections.All(report)}{ConfusionSections.All(report)}")}{ImageSections.All(report, pictures)}{RunSections.All(report, pictures)}
            </main></body>
            </html>

            """;
        return page.ToString();
    }
}
