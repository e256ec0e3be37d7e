namespace Headstart.Uploads.Formats;

/// <summary>What tables call their columns.</summary>
internal static class LabelWords
{
    /// <summary>What is surely a name first: beside it an id is only a number.</summary>
    private static readonly string[] Images =
    [
        "filename", "file", "filepath", "imagefilename", "imagefile", "imagepath", "imagename", "path", "fname", "fn", "image", "images", "img",
        "imgname", "imgpath", "imageid", "imgid", "photo", "picture", "imageurl", "imageuri", "url", "id",
    ];

    private static readonly HashSet<string> Labels =
        ["category", "categories", "label", "labels", "class", "classes", "classname", "classlabel", "categoryname", "labelname", "target",
            "targets", "tag", "tags", "choice", "choices"];

    public static bool IsImage(string column) => Images.Contains(Plain(column));

    /// <summary>The column that names the image; -1 if none does.</summary>
    public static int ImageColumn(IReadOnlyList<string> header)
    {
        var ranks = header.Select(column => Array.IndexOf(Images, Plain(column))).ToList();
        return ranks.Exists(rank => rank >= 0) ? ranks.IndexOf(ranks.Where(rank => rank >= 0).Min()) : -1;
    }

    public static bool IsLabel(string column) => Labels.Contains(Plain(column));

    public static bool IsSplit(string column) => Plain(column) is "split" or "subset" or "set" or "mluse" or "usage" or "fold" or "phase";

    private static string Plain(string column) => string.Concat(column.Where(char.IsLetterOrDigit)).ToLowerInvariant();
}
