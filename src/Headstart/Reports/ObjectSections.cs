using System.Globalization;
using Headstart.Learning.Detection;
using Headstart.Predictions;

namespace Headstart.Reports;

/// <summary>How well a detection model finds objects, and images with boxes worth checking.</summary>
internal static class ObjectSections
{
    private const int MostCurves = 24;

    public static Html All(Report report, ObjectsReport objects, IReadOnlyDictionary<Guid, Picture> pictures) => $"""
        {Accuracy(report, objects)}{AccuracySections.Comparison(report.Comparison)}{Categories(objects)}{Errors(objects)}{Sizes(objects)}
        {AccuracySections.Help(report)}{Suspects(objects, pictures)}{Hardest(objects, pictures)}
        """;

    private static Html? Accuracy(Report report, ObjectsReport objects)
    {
        var how = report.AccuracyFrom == AccuracySource.HeldOut
            ? "Measured on held-out images, which the evaluated head was not trained on. The served head is also trained on those whose "
                + "split nobody chose."
            : "There are too few held-out images, so each of the others was evaluated by a head trained without it (cross-validation).";
        return Html.Section("Accuracy", $"""
            <dl class="facts">
            <div><dt>Mean average precision, overlap of 0.5</dt><dd>{Html.Percent(objects.Map50.Value)}<small>95 % interval: {Html.Range(objects.Map50.Low, objects.Map50.High)}</small></dd></div>
            <div><dt>Mean average precision, overlaps from 0.5 to 0.95</dt><dd>{Html.Percent(objects.Map.Value)}<small>95 % interval: {Html.Range(objects.Map.Low, objects.Map.High)}</small></dd></div>
            <div><dt>Measured on</dt><dd>{objects.Images} images<small>{(report.AccuracyFrom == AccuracySource.HeldOut ? "held out" : "cross-validation")}</small></dd></div>
            <div><dt>Calibration error</dt><dd>{Html.Percent(objects.CalibrationError)}</dd></div>
            </dl>
            <p class="soft">{how} Average precision is the area below the curve of precision and recall. Overlap is the common part of
            two boxes divided by their union.</p>
            """);
    }

    private static Html? Categories(ObjectsReport objects)
    {
        string[] columns = ["Category", "Average precision", "Precision", "Recall", "Threshold", "Objects"];
        var drawn = objects.Categories.Where(category => category.Curve.Count > 0).OrderBy(category => category.At50).Take(MostCurves);
        return Html.Section("Metrics per category", $"""
            <p class="soft">Precision: the share of found objects that are correct. Recall: the share of objects that are found. Both at the
            probability threshold at which F1, their harmonic mean, is highest on these images.</p>
            {Html.Table("Metrics per category", columns, Html.Each(objects.Categories, Row))}
            <h3>Precision–recall curves</h3>
            <p class="soft">Precision and recall of each category for every probability threshold. The dot is where F1 is highest.</p>
            <div class="pictures large">{Html.Each(drawn, category => $"""
                <figure>{Plots.PrecisionRecall(category)}
                <figcaption><b>{category.Name}</b>average precision {Html.PercentOrDash(category.At50)}</figcaption></figure>

                """)}</div>
            """);
    }

    private static Html Row(DetectedCategory category) => $"""
        <tr><th scope="row" title="{category.Name}">{category.Name}</th>{Bar(category.At50)}{Bar(category.Precision)}{Bar(category.Recall)}<td>{Html.Percent(category.Threshold)}</td><td>{category.Boxes}</td></tr>

        """;

    private static Html Bar(double? share) =>
        $"<td class=\"bar\" style=\"--share:{100 * (share ?? 0):0.#}%\">{Html.PercentOrDash(share)}</td>";

    private static Html? Errors(ObjectsReport objects)
    {
        var errors = objects.Errors;
        (string What, int Count)[] rows =
        [
            ("found where they are", errors.Right), ("missed", errors.Missed), ("found in the wrong place", errors.WrongPlace),
            ("found as another category", errors.WrongCategory), ("found twice", errors.Twice),
            ("found where nothing is", errors.Background),
        ];
        return Html.Section("Right and wrong", Html.Table("Right and wrong", ["Objects", "Count"],
            Html.Each(rows, row => $"<tr><th scope=\"row\">{row.What}</th><td>{row.Count}</td></tr>")));
    }

    private static Html? Sizes(ObjectsReport objects) => objects.BySize.Count == 0 ? null
        : Html.Section("By size", $"""
            <p class="soft">Small objects are less than a sixteenth of the image's longer side, large ones a quarter or more.</p>
            {Html.Table("By size", ["Size", "Average precision", "Recall", "Objects"], Html.Each(objects.BySize, size =>
                $"<tr><th scope=\"row\">{size.Name}</th>{Bar(size.At50)}{Bar(size.Recall)}<td>{size.Boxes}</td></tr>"))}
            """);

    private static Html? Suspects(ObjectsReport objects, IReadOnlyDictionary<Guid, Picture> pictures) => objects.Suspects.Count == 0 ? null
        : Html.Section("Boxes that may be wrong", $"""
            <p>Heads not trained on these images disagree with their boxes; check these first. Blue: the labelled box. Orange, dashed: the
            predicted box.</p>
            <div class="pictures boxed">{Html.Each(objects.Suspects.Take(ReportPictures.MostSuspects), suspect => Figure(
                pictures.GetValueOrDefault(suspect.ImageId), suspect.Is is { } box ? [box] : [], suspect.Suggested is { } other ? [other] : [],
                $"<b>{Question(suspect)}</b>"))}</div>
            {(objects.Suspects.Count > ReportPictures.MostSuspects ? Html.Paragraph($"And {objects.Suspects.Count - ReportPictures.MostSuspects} more.") : null)}
            """);

    public static string Question(SuspectBoxReport suspect) => suspect.Kind switch
    {
        BoxSuspicion.Missing => $"{suspect.Suggested!.Category} without a box?",
        BoxSuspicion.WrongCategory => $"{suspect.Is!.Category} → {suspect.Suggested!.Category}?",
        BoxSuspicion.Sloppy => $"{suspect.Is!.Category}: does the box fit?",
        _ => $"{suspect.Is!.Category}: is it there?",
    };

    private static Html? Hardest(ObjectsReport objects, IReadOnlyDictionary<Guid, Picture> pictures) => objects.Hardest.Count == 0 ? null
        : Html.Section("Hardest images", $"""
            <p>Heads not trained on these images made the most mistakes in them. Blue: labelled boxes. Orange, dashed: predicted boxes.</p>
            <div class="pictures boxed">{Html.Each(objects.Hardest, image => Figure(pictures.GetValueOrDefault(image.ImageId), image.Truth,
                image.Found, $"<b>{Counted(image.Missed, "missed")}, {Counted(image.Wrong, "wrong")}</b>"))}</div>
            """);

    private static string Counted(int count, string what) => string.Create(CultureInfo.InvariantCulture, $"{count} {what}");

    private static Html Figure(Picture? picture, IReadOnlyList<TrueObject> truth, IReadOnlyList<FoundObject> found, Html caption)
    {
        if (picture is null)
        {
            return $"<figure><div class=\"nothing\">deleted since</div><figcaption>{caption}</figcaption></figure>\n";
        }

        if (picture.Thumbnail is not { } data)
        {
            return $"<figure><div class=\"nothing\">cannot be read</div><figcaption>{caption}<br>{picture.FileName}</figcaption></figure>\n";
        }

        var (width, height) = picture.Width >= picture.Height ? (1_000, 1_000 * picture.Height / Math.Max(1, picture.Width))
            : (1_000 * picture.Width / Math.Max(1, picture.Height), 1_000);
        return $"""
            <figure><svg viewBox="0 0 {Plain(width)} {Plain(height)}" role="img" aria-label="{picture.FileName}, {truth.Count} boxes, {found.Count} found">
            <image href="{data}" width="{Plain(width)}" height="{Plain(height)}" preserveAspectRatio="none"/>
            {Html.Each(truth, box => Rectangle("truth", box.Box, width, height, box.Difficult ? $"{box.Category}, difficult" : box.Category))}
            {Html.Each(found, box => Rectangle("found", box.Box, width, height, $"{box.Category} {Advice.Percent(box.Probability)}"))}
            </svg><figcaption>{caption}{picture.FileName}</figcaption></figure>

            """;
    }

    private static Html Rectangle(string look, RelativeBox box, int width, int height, string title) => $"""
        <rect class="{look}" x="{box.X * width:0.#}" y="{box.Y * height:0.#}" width="{box.Width * width:0.#}" height="{box.Height * height:0.#}"><title>{title}</title></rect>
        """;

    private static string Plain(int number) => number.ToString(CultureInfo.InvariantCulture);
}
