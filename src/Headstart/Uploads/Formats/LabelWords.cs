using Headstart.Uploads.Tables;

namespace Headstart.Uploads.Formats;

/// <summary>Other tools' names for the columns of tables, in addition to <see cref="ColumnNames"/>.</summary>
internal static class LabelWords
{
    /// <summary>Certain names first: next to one of them, an id is only a number.</summary>
    private static readonly string[] Images =
        ["imagefilename", "fname", "fn", "img", "imgname", "imgpath", "imageid", "imgid", "imageuri", "images", "id"];

    private static readonly HashSet<string> Labels = ["target", "targets", "choice", "choices", "classlabel", "categoryname", "labelname"];

    /// <summary>Columns with users' remarks on an example, which are not categories.</summary>
    private static readonly HashSet<string> Remarks =
    [
        "caption", "description", "comment", "comments", "note", "notes", "remark", "imageurl", "publicdomain", "imagequality", "author",
        "prediction", "predictions",
    ];

    public static bool IsImage(string column) => Rank(column) >= 0;

    public static bool IsLabel(string column) => ColumnNames.Of(column) == Column.Category || Labels.Contains(Plain(column));

    public static bool IsSplit(string column) => ColumnNames.Of(column) == Column.Split || Plain(column) is "set" or "mluse" or "phase";

    /// <summary>The column with the image's name; -1 if there is none.</summary>
    public static int ImageColumn(IReadOnlyList<string> header)
    {
        var ranks = header.Select(Rank).ToList();
        return ranks.Exists(rank => rank >= 0) ? ranks.IndexOf(ranks.Where(rank => rank >= 0).Min()) : -1;
    }

    /// <summary>Finds the label among fields named by users: the only field, or the only one named like a label.</summary>
    /// <param name="file">The file with the fields.</param>
    /// <param name="fields">Names of the fields with values, possibly repeated.</param>
    /// <returns>null if there are none.</returns>
    /// <exception cref="RefusedException">Several fields qualify.</exception>
    public static string? OnlyLabel(Annotation file, IEnumerable<string> fields)
    {
        var names = fields.Distinct().Where(field => !Remarks.Contains(Plain(field))).ToList();
        return names.Count == 0 ? null : names is [var only] ? only : names.FindAll(IsLabel) is [var called] ? called
            : throw RefusedException.Invalid("invalid-annotations", $"{file.Quoted} has several fields that may be the category "
                + $"({string.Join(", ", names.Take(10).Select(RequestBodies.Readable))}); leave one of them, or call it \"category\". "
                + "Nothing was added.");
    }

    /// <summary>Whether a field says that the annotator rejected the row, as in Prodigy: then its label is one that the example does not
    /// have.</summary>
    public static bool IsRefusal(string field, string value) => Plain(field) == "answer"
        && value.Trim().ToLowerInvariant() is "reject" or "ignore";

    /// <summary>Reason and sentence for such a row.</summary>
    public const string RefusedReason = "refused-answer", Refused = "The annotator rejected or skipped this row (answer), so it "
        + "does not label the example; answer it, or leave it out.";

    private static int Rank(string column) => ColumnNames.Of(column) switch
    {
        Column.File => 0,
        Column.Url => 1,
        _ => Array.IndexOf(Images, Plain(column)) is var at and >= 0 ? at + 2 : -1,
    };

    private static string Plain(string column) => string.Concat(column.Where(char.IsLetterOrDigit)).ToLowerInvariant();
}
