using Headstart.Data;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Archives;

/// <summary>
/// The paths of files below the folders that enclose everything. Names are only parsed, never used as paths; backslashes, which Windows
/// writes, count as slashes.
/// </summary>
internal sealed class FolderPaths
{
    private readonly string[] _around; // folders around everything that are no sides
    private readonly bool _sides; // the folders in them are sides

    /// <param name="names">Of all files. Those that are in no folder, such as a README, do not count.</param>
    public FolderPaths(IEnumerable<string> names)
    {
        var folders = names.Select(Parts).Where(parts => parts is { Length: > 1 }).Select(parts => parts![..^1]).ToList();
        _around = folders.Count == 0 ? [] : [.. folders[0].TakeWhile((folder, depth) => !SplitNames.IsName(folder)
            && folders.TrueForAll(one => one.Length > depth && one[depth] == folder))];
        var level = folders.Where(one => one.Length > _around.Length).Select(one => one[_around.Length]).Distinct().ToList();
        _sides = level.Count > 0 && level.TrueForAll(SplitNames.IsName);
    }

    public static FileLabels Unsafe { get; } = FileLabels.Not("unsafe-name",
        "The name points outside the archive; create the archive in the folder that contains the categories, for example with "
            + "zip -r photos.zip cats dogs.");

    /// <summary>A name without empty and "." parts; null if it points outside the archive.</summary>
    public static string[]? Parts(string name)
    {
        var parts = name.Split('/', '\\');
        return parts.Contains("..") || (parts.Length > 1 && parts[0].Length == 0) || (parts[0].Length == 2 && parts[0][1] == ':')
            || parts.All(part => part is "" or ".") ? null : [.. parts.Where(part => part is not ("" or "."))];
    }

    /// <summary>The path below the folders around everything.</summary>
    public string Below(string name) => string.Join('/', PartsBelow(name));

    /// <summary>The side that the first folder says.</summary>
    public Split? SideOf(string name) => _sides && PartsBelow(name) is [var side, _, ..] ? SplitNames.Of(side) : null;

    /// <summary>A file of which only the name is known, for a model whose folders are not categories.</summary>
    public UploadedFile Named(string name) => Parts(name) is null ? new(RequestBodies.Readable(name), Unsafe.Refused!)
        : new(RequestBodies.Readable(name), FolderLabels.ContentOf(name), [], SideOf(name));

    private string[] PartsBelow(string name) => Parts(name) is not { } parts ? [name]
        : parts.Length > _around.Length && parts.AsSpan().StartsWith(_around) ? parts[_around.Length..] : parts;
}
