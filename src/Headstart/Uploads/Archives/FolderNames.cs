using System.Text.RegularExpressions;

namespace Headstart.Uploads.Archives;

/// <summary>Names of folders and files that say nothing about the images. They are categories only if the model has them.</summary>
internal static partial class FolderNames
{
    private static readonly HashSet<string> Containers = new(StringComparer.OrdinalIgnoreCase)
    {
        "images", "image", "imgs", "img", "pictures", "photos", "jpegimages", "data", "dataset", "datasets", "files", "labels",
        "annotations", "masks", "mask", "segmentation", "segmentations", "segmentationclass", "segmentationobject", "groundtruth",
        "ground_truth", "gt", "originals", "all", "samples", "export", "exports", "upload", "uploads", "raw", "ann",
    };

    private static readonly HashSet<string> NoImages = new(StringComparer.OrdinalIgnoreCase)
    {
        ".txt", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".md", ".html", ".pdf", ".log", ".ini", ".cfg", ".names",
        ".py", ".ipynb", ".docx", ".xlsx", ".parquet", ".pkl", ".npy", ".db", ".zip", ".rar", ".7z", ".tar", ".gz",
    };

    private static readonly HashSet<string> Unsorted = new(StringComparer.OrdinalIgnoreCase)
    {
        "unlabeled", "unlabelled", "notlabeled", "notlabelled", "unsorted", "unsup", "unclassified", "uncategorized", "uncategorised",
        "unannotated", "untagged", "tolabel", "tosort", "todo",
    };

    /// <summary>Whether a folder contains the images of all categories, or accompanies them.</summary>
    public static bool IsContainer(string folder) => Containers.Contains(folder);

    /// <summary>Whether a folder contains unsorted files: beside categories it would be taken for one.</summary>
    public static bool IsUnsorted(string folder) => Unsorted.Contains(string.Concat(folder.Where(char.IsLetter)));

    /// <summary>Whether a folder is a numbered part, a date, a camera's folder (100CANON), or unnamed.</summary>
    public static bool IsPart(string folder) => Parts().IsMatch(folder);

    /// <summary>Whether a file, by its extension, describes others, so that its folder is not a category.</summary>
    public static bool IsNoImage(string file) => NoImages.Contains(Path.GetExtension(file));

    [GeneratedRegex(@"^((fold|split|part|batch|chunk|shard|session)[ _-]?\d+|\d{4}[-_.]?\d\d[-_.]?\d\d|\d\d[-_.]\d\d[-_.]\d{4}"
        + @"|\d{3}(canon|apple|andro|_pana|nikon|nd\d{3}|msdcf|olymp|_fuji|gopro|media)"
        + @"|(new folder|neuer ordner|nouveau dossier)( ?\(\d+\))?)$",
        RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex Parts();
}
