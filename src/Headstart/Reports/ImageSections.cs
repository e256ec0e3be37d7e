using Headstart.Data;

namespace Headstart.Reports;

/// <summary>Images worth checking, with pictures of those that still exist.</summary>
internal static class ImageSections
{
    public static Html All(Report report, IReadOnlyDictionary<Guid, Picture> pictures) =>
        $"{Suspects(report, pictures)}{Hardest(report, pictures)}{Flaws(report, pictures)}{Duplicates(report, pictures)}";

    private static Html? Suspects(Report report, IReadOnlyDictionary<Guid, Picture> pictures)
    {
        if (report.Suspects.Count == 0)
        {
            return null;
        }

        var count = report.ExpectedLabelErrors switch
        {
            0 => "Probably all labels are correct; check these first.",
            1 => "About one label is probably wrong; check these first.",
            var n => $"About {n} labels are probably wrong; check these first.",
        };
        return Html.Section("Labels that may be wrong", $"""
            <p>{count} The probabilities come from heads not trained on the {report.Kind.Noun()}.</p>
            <div class="pictures">{Html.Each(report.Suspects.Take(ReportPictures.MostSuspects), suspect => Figure(pictures.GetValueOrDefault(suspect.ImageId), heat: false, $"labelled {suspect.Category}", $"""
                <b>{suspect.Category} → {suspect.Suggested}?</b>{suspect.Suggested} {Html.Percent(suspect.SuggestedProbability)},
                    {suspect.Category} {Html.Percent(suspect.Probability)}{Since(pictures.GetValueOrDefault(suspect.ImageId),
                    suspect.Category)}
                """))}</div>
            {Others(report, pictures)}
            """);
    }

    private static Html? Others(Report report, IReadOnlyDictionary<Guid, Picture> pictures) =>
        report.Suspects.Count <= ReportPictures.MostSuspects ? null
        : Html.Table("More labels that may be wrong", [report.Kind.IsText() ? "Text" : "File", "Labelled", "Suggested", "Probability"], Html.Each(report.Suspects.Skip(ReportPictures.MostSuspects), suspect => $"""
            <tr><th scope="row">{Name(suspect.ImageId, pictures)}</th><td>{suspect.Category}</td><td>{suspect.Suggested}</td><td>{Html.PercentOrDash(suspect.SuggestedProbability)}</td></tr>
            """), "words");

    private static Html? Hardest(Report report, IReadOnlyDictionary<Guid, Picture> pictures)
    {
        if (report.Hardest.Count == 0)
        {
            return null;
        }

        var marked = report.Hardest.Any(image => pictures.GetValueOrDefault(image.ImageId)?.Words is { Count: > 0 });
        var heat = marked ? " Colours show how words affect the predicted category: blue supports it, orange opposes it."
            : report.Hardest.Any(image => pictures.GetValueOrDefault(image.ImageId)?.Heat is not null)
            ? " Colours show which areas support the predicted category: red most, then yellow, green and blue." : "";
        return Html.Section($"Hardest {report.Kind.Nouns()}", $"""
            <p>Heads not trained on these {report.Kind.Nouns()} found their own category least probable.{heat}</p>
            <div class="pictures large">{Html.Each(report.Hardest, image => Figure(pictures.GetValueOrDefault(image.ImageId), heat: true, $"labelled {image.Category}", $"""
                <b>{image.Category}</b>{Outcome(image)}, {image.Category} {Html.Percent(image.Probability)}{Since(
                    pictures.GetValueOrDefault(image.ImageId), image.Category)}
                """))}</div>
            """);
    }

    private static string Outcome(HardImageReport image) =>
        image.Predicted == image.Category ? "correct" : $"predicted as {image.Predicted}";

    private static Html? Flaws(Report report, IReadOnlyDictionary<Guid, Picture> pictures) => report.Flaws.Count == 0 ? null
        : Html.Section("Images worth a look", $"""
            <p>Measured at upload. They were used nevertheless: delete those that do not show what they should.</p>
            <div class="groups">{Html.Each(report.Flaws, flaw => $"""
                <div><p>{FlawWords.Of(flaw.Flaw)}: {flaw.Images}</p>{Group(flaw.ImageIds, flaw.Images, pictures)}</div>
                """)}</div>
            """);

    private static Html? Duplicates(Report report, IReadOnlyDictionary<Guid, Picture> pictures)
    {
        if (report.Duplicates.Count == 0)
        {
            return null;
        }

        var more = report.Duplicates.Count - ReportPictures.MostGroups;
        return Html.Section("Near duplicates", $"""
            <p>{report.Duplicates.Count} {(report.Duplicates.Count == 1 ? "group" : "groups")} of nearly identical {report.Kind.Nouns()}.
            Where it can, a group is either trained on or held out as a whole, so near duplicates do not inflate the accuracy.</p>
            <div class="groups">{Html.Each(report.Duplicates.Take(ReportPictures.MostGroups), group => Group(group, group.Count, pictures))}</div>{(more > 0 ? Html.Paragraph($"And {more} more.") : null)}
            """);
    }

    private static Html Group(IReadOnlyList<Guid> group, int count, IReadOnlyDictionary<Guid, Picture> pictures)
    {
        var more = count > ReportPictures.MostOfGroup ? Html.Paragraph($"And {count - ReportPictures.MostOfGroup} more in this group.")
            : null;
        return $"""
            <div><div class="pictures">{Html.Each(group.Take(ReportPictures.MostOfGroup), id => Figure(pictures.GetValueOrDefault(id), heat: false, pictures.GetValueOrDefault(id)?.Category ?? "", $"{pictures.GetValueOrDefault(id)?.Category}"))}</div>{more}</div>
            """;
    }

    private static Html Figure(Picture? picture, bool heat, string what, Html caption)
    {
        if (picture is null)
        {
            return $"<figure><div class=\"nothing\">deleted since</div><figcaption>{caption}</figcaption></figure>\n";
        }

        if (picture.Text is { } text)
        {
            return $"""
                <figure class="text"><blockquote dir="auto">{TextMarks.Of(text, picture.Words ?? [])}</blockquote><figcaption>{caption}</figcaption></figure>

                """;
        }

        Html image = (heat ? picture.Heat ?? picture.Thumbnail : picture.Thumbnail) is { } data
            ? (Html)$"<img src=\"{data}\" alt=\"{picture.FileName}, {what}\">" : (Html)$"<div class=\"nothing\">cannot be read</div>";
        return $"<figure>{image}<figcaption>{caption}<br>{picture.FileName}</figcaption></figure>\n";
    }

    /// <summary>What happened to the image after the report.</summary>
    private static string Since(Picture? picture, string category) => picture switch
    {
        null => "",
        _ when picture.Category != category => $"; now {picture.Category}",
        { Confirmed: true } => "; now confirmed",
        _ => "",
    };

    private static string Name(Guid image, IReadOnlyDictionary<Guid, Picture> pictures) => pictures.GetValueOrDefault(image) switch
    {
        null => "deleted since",
        { Text: { } text } => TextMarks.Shortened(text),
        var picture => picture.FileName,
    };
}
