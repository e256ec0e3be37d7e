namespace Headstart.Uploads.Formats;

/// <summary>What other tools call the columns of their tables, beside <see cref="ColumnNames"/>.</summary>
internal static class LabelWords
{
    /// <summary>What is surely a name first: beside it an id is only a number.</summary>
    private static readonly string[] Images =
        ["imagefilename", "fname", "fn", "img", "imgname", "imgpath", "imageid", "imgid", "imageuri", "images", "id"];

    private static readonly HashSet<string> Labels = ["target", "targets", "choice", "choices", "classlabel", "categoryname", "labelname"];

    public static bool IsImage(string column) => Rank(column) >= 0;

    public static bool IsLabel(string column) => ColumnNames.Of(column) == Column.Category || Labels.Contains(Plain(column));

    public static bool IsSplit(string column) => ColumnNames.Of(column) == Column.Split || Plain(column) is "set" or "mluse" or "phase";

    /// <summary>The column that names the image; -1 if none does.</summary>
    public static int ImageColumn(IReadOnlyList<string> header)
    {
        var ranks = header.Select(Rank).ToList();
        return ranks.Exists(rank => rank >= 0) ? ranks.IndexOf(ranks.Where(rank => rank >= 0).Min()) : -1;
    }

    private static int Rank(string column) => ColumnNames.Of(column) switch
    {
        Column.File => 0,
        Column.Url => 1,
        _ => Array.IndexOf(Images, Plain(column)) is var at and >= 0 ? at + 2 : -1,
    };

    private static string Plain(string column) => string.Concat(column.Where(char.IsLetterOrDigit)).ToLowerInvariant();
}
