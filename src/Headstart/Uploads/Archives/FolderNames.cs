using System.Text.RegularExpressions;

namespace Headstart.Uploads.Archives;

/// <summary>Names of folders and files that say nothing about what images show. A category of such a name must be the model's already.
/// </summary>
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

    /// <summary>A folder that holds the images of all categories, or what belongs to them.</summary>
    public static bool IsContainer(string folder) => Containers.Contains(folder);

    /// <summary>A folder of what nobody has sorted: beside categories it would be one.</summary>
    public static bool IsUnsorted(string folder) => Unsorted.Contains(string.Concat(folder.Where(char.IsLetter)));

    /// <summary>A part that is only numbered, a day, the folder of a camera (100CANON), or one that nobody has named.</summary>
    public static bool IsPart(string folder) => Parts().IsMatch(folder);

    /// <summary>A file that describes others, by its extension, so that its folder is no category.</summary>
    public static bool IsNoImage(string file) => NoImages.Contains(Path.GetExtension(file));

    [GeneratedRegex(@"^((fold|split|part|batch|chunk|shard|session)[ _-]?\d+|\d{4}[-_.]?\d\d[-_.]?\d\d|\d\d[-_.]\d\d[-_.]\d{4}"
        + @"|\d{3}(canon|apple|andro|_pana|nikon|nd\d{3}|msdcf|olymp|_fuji|gopro|media)"
        + @"|(new folder|neuer ordner|nouveau dossier)( ?\(\d+\))?)$",
        RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex Parts();
}
