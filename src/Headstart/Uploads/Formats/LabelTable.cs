using System.Text.Json;
using Headstart.Uploads.Boxes;
using Headstart.Uploads.Files;
using Headstart.Uploads.Tables;

namespace Headstart.Uploads.Formats;

/// <summary>
/// A table with a column for the image and one for its label: the metadata of a Hugging Face imagefolder
/// (https://huggingface.co/docs/datasets/image_dataset), Kaggle's <c>id,label</c>, fastai's <c>fname,label</c>. Instead of a label column
/// it may have a column per label, with 1 for those that apply, as in Roboflow's <c>_classes.csv</c>.
/// </summary>
internal sealed class LabelTable : IAnnotationFormat
{
    private static readonly string[] Yes = ["1", "1.0", "true"], No = ["0", "0.0", "-1", "false"];

    public string Name => "The table";

    public IEnumerable<ManifestRow>? Read(Annotation file)
    {
        var rows = RowsOf(file);
        if (rows.FirstOrDefault() is not { Length: > 1 } header || rows.Skip(1).FirstOrDefault() is null)
        {
            return null;
        }

        var (image, split) = (LabelWords.ImageColumn(header), Array.FindIndex(header, LabelWords.IsSplit));
        split = split >= 0 ? split : Array.FindIndex(header, column => LabelCells.Side(column, "1") is not null);
        if (image < 0)
        {
            return null;
        }

        if (LabelColumn(file, header, rows) is not (var label and >= 0))
        {
            return OneColumnEach(header, rows, image, split);
        }

        rows = RowsOf(file, known: true);
        var answer = Array.FindIndex(header, column => LabelWords.IsRefusal(column, "reject"));
        var boxes = BoxColumns.Find(header);
        foreach (var cells in boxes is null ? [] : rows.Skip(1))
        {
            boxes!.Look(column => Cell(cells, column));
        }

        return rows.Skip(1).Where(cells => Cell(cells, image).Length > 0)
            .Select(cells => answer >= 0 && LabelWords.IsRefusal(header[answer], Cell(cells, answer))
                ? Labelled.Not(Cell(cells, image), LabelWords.RefusedReason, LabelWords.Refused)
                : Unreadable(header, cells, image, split)
                ?? Labelled.Row(Name, Cell(cells, image), LabelCells.Of(Cell(cells, label)), SideOf(header, cells, split)) with
                {
                    Drawn = boxes?.Read(Cell(cells, label), column => Cell(cells, column)),
                });
    }

    /// <summary>The only column named like a label, or the only one of several that contains more than numbers; -1 if none.</summary>
    private static int LabelColumn(Annotation file, string[] header, IEnumerable<string[]> rows)
    {
        var named = Enumerable.Range(0, header.Length).Where(column => LabelWords.IsLabel(header[column])).ToList();
        var words = named.Count < 2 ? named
            : named.Where(column => rows.Skip(1).Any(cells => !double.TryParse(Cell(cells, column), out _))).ToList();
        return words is [var only] ? only : named.Count == 0 ? -1 : throw RefusedException.Invalid("invalid-annotations",
            $"{file.Quoted} has several columns that may be the category ({string.Join(", ", named.Select(column =>
                RequestBodies.Readable(header[column])))}); leave one of them. Nothing was added.");
    }

    /// <summary>null unless all other columns contain only 1 or 0.</summary>
    private static IEnumerable<ManifestRow>? OneColumnEach(string[] header, IEnumerable<string[]> rows, int image, int split)
    {
        var labels = Enumerable.Range(0, header.Length).Where(column => column != image && column != split).ToList();
        return labels.Count > 1 && rows.Skip(1).All(cells => labels.TrueForAll(column => Is(Yes, cells, column) || Is(No, cells, column)))
            ? rows.Skip(1).Where(cells => Cell(cells, image).Length > 0).Select(cells =>
            {
                var shown = labels.Where(column => Is(Yes, cells, column)).Select(column => header[column]).ToList();
                return Unreadable(header, cells, image, split) ?? (shown.Count == 0
                    ? Labelled.None(Cell(cells, image), SideOf(header, cells, split))
                    : Labelled.Row("", Cell(cells, image), shown, SideOf(header, cells, split)));
            }) : null;
    }

    /// <summary>A row of which a part would be lost, to be left out; null if it can be read.</summary>
    private static ManifestRow? Unreadable(string[] header, string[] cells, int image, int split)
    {
        var (row, side) = (new NewImage(File: Cell(cells, image)), SideOf(header, cells, split));
        return LabelCells.Surplus(cells, header.Length) is { } surplus ? ManifestRow.Unreadable(row, "invalid-row", surplus)
            : SplitNames.TryRead(side, out _) || side.ToLowerInvariant() is "unassigned" or "none" ? null
            : ManifestRow.Unreadable(row, "invalid-split", $"The split \"{RequestBodies.Readable(side)}\" is unknown: write train, val or "
                + $"test, or rename the column \"{RequestBodies.Readable(header[split])}\" if it is something else.");
    }

    /// <summary>The rows of a table, or the objects of a list or of lines, with the first object's properties as columns.</summary>
    private IEnumerable<string[]> RowsOf(Annotation file, bool known = false)
    {
        if (file.Json is not { } shape)
        {
            return file.Rows(known);
        }

        if (shape is { IsList: false, IsLines: false } && file.Path.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            return []; // a single object is not a table of images
        }

        var header = shape.Names.ToArray();
        var objects = shape.IsList ? file.Parse<List<Dictionary<string, JsonElement>>>(Name)
            : file.Lines<Dictionary<string, JsonElement>>(Name);
        return objects
            .Select(row => header.Select(name => row.TryGetValue(name, out var cell) ? Text(cell) : "").ToArray()).Prepend(header);
    }

    private static string SideOf(string[] header, string[] cells, int split) =>
        split < 0 ? "" : LabelCells.Side(header[split], Cell(cells, split)) ?? LabelCells.Value(Cell(cells, split));

    private static string Text(JsonElement cell) => cell.ValueKind switch
    {
        JsonValueKind.String => cell.GetString()!,
        JsonValueKind.Null => "",
        _ => cell.GetRawText(),
    };

    private static bool Is(string[] values, string[] cells, int column) =>
        values.Contains(Cell(cells, column), StringComparer.OrdinalIgnoreCase);

    private static string Cell(string[] cells, int column) => column >= 0 && column < cells.Length ? cells[column] : "";
}
