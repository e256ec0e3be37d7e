using Headstart.Data;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Archives;

/// <summary>
/// The sides (train, test) that folders give images: all folders at one depth are named like sides, as in train/images/a.jpg or
/// images/train/a.jpg.
/// </summary>
internal sealed class SideFolders
{
    private const int MostAround = 20; // folders around the sides

    private readonly int _depth;

    /// <param name="files">Paths of the files that decide. Those that are in no folder or, by their names, no images do not count.</param>
    public SideFolders(IEnumerable<string> files)
    {
        var all = files.Where(path => !FolderNames.IsNoImage(path)).Select(FoldersOf).Where(folders => folders.Length > 0).ToList();
        _depth = Enumerable.Range(0, MostAround + 1).FirstOrDefault(depth =>
            all.TrueForAll(folders => folders.Length > depth && SplitNames.IsName(folders[depth])), -1);
    }

    /// <summary>The side of the file at this path; null if its folders say none.</summary>
    public Split? Of(string path) =>
        _depth >= 0 && FoldersOf(path) is var folders && _depth < folders.Length ? SplitNames.Of(folders[_depth]) : null;

    /// <summary>Refuses images in any other test folder, because test examples must not be learned from.</summary>
    /// <param name="labelled">Paths of the images whose side nothing else says.</param>
    public void RefuseHidden(IEnumerable<string> labelled)
    {
        if (labelled.FirstOrDefault(path => Of(path) is null && FoldersOf(path).Any(folder => SplitNames.Of(folder) == Split.Test))
            is { } hidden)
        {
            throw RefusedException.Invalid("unclear-folders", $"\"{RequestBodies.Readable(hidden)}\" is in a folder named like a split of a "
                + "data set, but other images with labels are in no such folder beside it. Put all of them into folders train and test "
                + "(train/…, test/…), or add a labels.csv with the header file,category,split. Nothing was added.");
        }
    }

    /// <summary>A file of which only the name is known, for a model whose folders are not categories.</summary>
    public UploadedFile Named(string name) => SafePath.Parts(name) is null ? new(RequestBodies.Readable(name), SafePath.Refused.Refused!)
        : new(RequestBodies.Readable(name), FolderLabels.ContentOf(name), [], Of(name));

    private static string[] FoldersOf(string path) => SafePath.Parts(path) is { } parts ? parts[..^1] : [];
}
