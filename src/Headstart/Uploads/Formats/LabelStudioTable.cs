using System.Text.Json;
using Headstart.Uploads.Boxes;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Formats;

/// <summary>Label Studio, CSV, TSV and JSON-MIN: a row per annotation; the project's settings name the column with the
/// label.</summary>
internal sealed class LabelStudioTable : IAnnotationFormat
{
    private static readonly HashSet<string> About =
        ["id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement", "inner_id", "total_annotations",
            "file_upload", "comments", "sentiment_score"];

    public string Name => "Label Studio";

    public IEnumerable<ManifestRow>? Read(Annotation file)
    {
        if (file.Json is { } shape)
        {
            return shape is { IsList: true } && shape.Has("annotation_id") && (shape.Has("lead_time") || shape.Has("annotator"))
                ? Rows(file, [.. file.Parse<List<Dictionary<string, JsonElement>>>(Name).Select(Cells)]) : null;
        }

        var header = file.Rows().FirstOrDefault();
        return header is not null && header.Contains("annotation_id") && (header.Contains("lead_time") || header.Contains("annotator"))
            ? Rows(file, [.. file.Rows(known: true).Skip(1).Select(cells =>
                header.Zip(cells).GroupBy(cell => cell.First).ToDictionary(same => same.Key, same => same.First().Second))]) : null;
    }

    private IEnumerable<ManifestRow> Rows(Annotation file, List<Dictionary<string, string>> rows)
    {
        var columns = rows.SelectMany(row => row.Keys).Distinct().Where(column => !About.Contains(column)).ToList();
        var images = ColumnsWith(rows, ImageNames.LooksLikeOne);
        var image = columns.OrderBy(column => LabelWords.IsImage(column) ? 0 : 1).FirstOrDefault(images.Contains)
            ?? throw file.Broken(Name, "no column has the images");
        columns.Remove(image);
        var label = LabelColumn(file, rows, columns);
        return rows.GroupBy(row => row.GetValueOrDefault(image) ?? "").Where(task => task.Key.Length > 0).Select(task =>
        {
            var answers = task.Select(row => row.GetValueOrDefault(label) is { Length: > 0 } cell
                ? StudioValues.LabelsOf(cell) ?? [cell] : []).Where(labels => labels.Count > 0)
                .Select(labels => labels.ToHashSet()).ToList();
            var row = answers.Skip(1).Any(labels => !labels.SetEquals(answers[0]))
                ? Labelled.Not(task.Key, "annotators-disagree", StudioValues.Disagreement(answers))
                : Labelled.Row(Name, task.Key, answers.FirstOrDefault() ?? []);
            return row with
            {
                Drawn = StudioValues.Agreed([.. task.Select(answer => answer.GetValueOrDefault(label) is { Length: > 0 } cell
                    ? StudioValues.DrawingOf(cell) : Drawing.Nothing)]),
            };
        });
    }

    /// <summary>The column named like a label, or with values that only answers have; refuses if several qualify.</summary>
    private static string LabelColumn(Annotation file, List<Dictionary<string, string>> rows, List<string> columns)
    {
        var named = columns.Where(LabelWords.IsLabel).ToList();
        var answers = named.Count > 0 ? named
            : columns.FindAll(ColumnsWith(rows, cell => StudioValues.LabelsOf(cell) is { Count: > 0 }).Contains);
        return answers.Count == 1 ? answers[0] : columns.Count == 1 ? columns[0] : throw RefusedException.Invalid("invalid-annotations",
            $"{file.Quoted} is an export of Label Studio in which several columns may be the label "
            + $"({string.Join(", ", (answers.Count > 0 ? answers : columns).Take(10).Select(RequestBodies.Readable))}); name the one "
            + "that is it \"choice\", or remove the others. Nothing was added.");
    }

    /// <summary>The columns with such a cell. Rows may be many and each have other columns, so each cell is looked at once.</summary>
    private static HashSet<string> ColumnsWith(List<Dictionary<string, string>> rows, Func<string, bool> such) =>
        [.. rows.SelectMany(row => row).Where(cell => such(cell.Value)).Select(cell => cell.Key)];

    private static Dictionary<string, string> Cells(Dictionary<string, JsonElement> row) =>
        row.ToDictionary(field => field.Key, field => field.Value.ValueKind == JsonValueKind.String ? field.Value.GetString()!
            : field.Value.GetRawText());
}
