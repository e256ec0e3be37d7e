using Headstart.Uploads.Files;

namespace Headstart.Uploads.Archives;

/// <summary>
/// Takes the folders of an archive, or of a folder dropped on the page, as categories:
/// <c>[folders around everything/][train|test/]category/[train|test/][more/]file</c>. Splits are never categories; see
/// <see cref="FolderLayout"/>.
/// </summary>
internal sealed class FolderLabels : ArchiveLabels
{
    private readonly FolderLayout _layout;

    /// <param name="categories">The names of the model's categories.</param>
    /// <exception cref="RefusedException">It is not certain which folders are the categories.</exception>
    public FolderLabels(IReadOnlyList<ArchiveFile> files, IReadOnlyCollection<string> categories)
        : this([.. files.Select(file => file.Name)], categories) => Examples = files;

    /// <param name="names">Names of all files.</param>
    /// <param name="categories">The names of the model's categories.</param>
    /// <exception cref="RefusedException">It is not certain which folders are the categories.</exception>
    public FolderLabels(IReadOnlyList<string> names, IReadOnlyCollection<string> categories)
    {
        _layout = new(names.Where(name => !FolderNames.IsNoImage(name)).Select(SafePath.Parts)
            .Where(parts => parts is { Length: > 1 }).Select(parts => FoldersOf(parts!)), categories);
    }

    public override IReadOnlyList<ArchiveFile> Examples { get; } = [];

    public override FileLabels Of(ArchiveFile file) => Of(file.Name);

    /// <summary>What the folders of a file say about it.</summary>
    public FileLabels Of(string name)
    {
        if (SafePath.Parts(name) is not { } parts)
        {
            return SafePath.Refused;
        }

        var folders = FoldersOf(parts);
        var depth = _layout.DepthIn(folders);
        if (folders.Length <= depth)
        {
            return FileLabels.Not("missing-category", _layout.SideAbove && folders.Length == depth && depth > 0
                ? $"The file is in the split \"{RequestBodies.Readable(folders[^1])}\", but in no category folder; move it into one, or "
                    + "add a labels.csv with the header file,category."
                : "The file is not in a category folder; move it into one, or add a labels.csv with the header file,category.");
        }

        var side = _layout.SideAbove ? SplitNames.Of(folders[depth - 1])
            : _layout.SideBelow && folders.Length > depth + 1 ? SplitNames.Of(folders[depth + 1]) : null;
        return new([RequestBodies.Readable(parts[depth])], side);
    }

    /// <summary>A file of which only the name is known.</summary>
    public UploadedFile Named(string name)
    {
        var place = Of(name);
        return new(RequestBodies.Readable(name), place.Refused ?? ContentOf(name), place.Categories, place.Split);
    }

    /// <summary>What a name says about the content of a file that has not been sent.</summary>
    public static FileContent ContentOf(string name) => !FolderNames.IsNoImage(name) ? new FileContent.Unread()
        : new FileContent.Unusable("unsupported-format", $"By its name, {RequestBodies.Readable(Path.GetFileName(name))} is not an image.");

    /// <summary>As the names of categories are compared, because macOS writes é as two characters.</summary>
    private static string[] FoldersOf(string[] parts) => [.. parts[..^1].Select(Names.Clean)];
}
