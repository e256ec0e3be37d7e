using Headstart.Uploads.Tables;

namespace Headstart.Uploads.Formats;

/// <summary>What other tools call the columns of their tables, beside <see cref="ColumnNames"/>.</summary>
internal static class LabelWords
{
    /// <summary>What is surely a name first: beside it an id is only a number.</summary>
    private static readonly string[] Images =
        ["imagefilename", "fname", "fn", "img", "imgname", "imgpath", "imageid", "imgid", "imageuri", "images", "id"];

    private static readonly HashSet<string> Labels = ["target", "targets", "choice", "choices", "classlabel", "categoryname", "labelname"];

    /// <summary>What users write about an example that is no category of it.</summary>
    private static readonly HashSet<string> Remarks =
    [
        "caption", "description", "comment", "comments", "note", "notes", "remark", "imageurl", "publicdomain", "imagequality", "author",
        "prediction", "predictions",
    ];

    public static bool IsImage(string column) => Rank(column) >= 0;

    public static bool IsLabel(string column) => ColumnNames.Of(column) == Column.Category || Labels.Contains(Plain(column));

    public static bool IsSplit(string column) => ColumnNames.Of(column) == Column.Split || Plain(column) is "set" or "mluse" or "phase";

    /// <summary>The column that names the image; -1 if none does.</summary>
    public static int ImageColumn(IReadOnlyList<string> header)
    {
        var ranks = header.Select(Rank).ToList();
        return ranks.Exists(rank => rank >= 0) ? ranks.IndexOf(ranks.Where(rank => rank >= 0).Min()) : -1;
    }

    /// <summary>Which of the fields that users name is the label: the only one, or the only one that is called so.</summary>
    /// <param name="file">Has the fields.</param>
    /// <param name="fields">That have values; a name may come several times.</param>
    /// <returns>null if there are none.</returns>
    /// <exception cref="RefusedException">It may be several.</exception>
    public static string? OnlyLabel(Annotation file, IEnumerable<string> fields)
    {
        var names = fields.Distinct().Where(field => !Remarks.Contains(Plain(field))).ToList();
        return names.Count == 0 ? null : names is [var only] ? only : names.FindAll(IsLabel) is [var called] ? called
            : throw RefusedException.Invalid("invalid-annotations", $"{file.Quoted} has several fields that may be the category "
                + $"({string.Join(", ", names.Take(10).Select(RequestBodies.Readable))}); leave one of them, or call it \"category\". "
                + "Nothing was added.");
    }

    /// <summary>Whether a field says that its row was refused, as Prodigy writes it: then its label is one that the example does not
    /// have.</summary>
    public static bool IsRefusal(string field, string value) => Plain(field) == "answer"
        && value.Trim().ToLowerInvariant() is "reject" or "ignore";

    /// <summary>The reason and the sentence for such a row.</summary>
    public const string RefusedReason = "refused-answer", Refused = "The row says that its annotator has refused or skipped it "
        + "(answer), so it says nothing of what the example shows; answer it, or leave it out.";

    private static int Rank(string column) => ColumnNames.Of(column) switch
    {
        Column.File => 0,
        Column.Url => 1,
        _ => Array.IndexOf(Images, Plain(column)) is var at and >= 0 ? at + 2 : -1,
    };

    private static string Plain(string column) => string.Concat(column.Where(char.IsLetterOrDigit)).ToLowerInvariant();
}
