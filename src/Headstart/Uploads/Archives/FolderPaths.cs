using Headstart.Data;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Archives;

/// <summary>
/// The paths of an archive's files below the folders that enclose all of them, and the side (train, test) that the first folder names.
/// </summary>
internal sealed class FolderPaths
{
    private readonly string[] _around; // folders around everything that are no sides
    private readonly bool _sides; // the folders in them are sides

    /// <param name="names">Of all files. Those that are in no folder, such as a README, do not count.</param>
    public FolderPaths(IEnumerable<string> names)
    {
        var folders = names.Select(SafePath.Parts).Where(parts => parts is { Length: > 1 }).Select(parts => parts![..^1]).ToList();
        _around = folders.Count == 0 ? [] : [.. folders[0].TakeWhile((folder, depth) => !SplitNames.IsName(folder)
            && folders.TrueForAll(one => one.Length > depth && one[depth] == folder))];
        var level = folders.Where(one => one.Length > _around.Length).Select(one => one[_around.Length]).Distinct().ToList();
        _sides = level.Count > 0 && level.TrueForAll(SplitNames.IsName);
    }

    /// <summary>The path below the folders around everything.</summary>
    public string Below(string name) => string.Join('/', PartsBelow(name));

    /// <summary>The side that the first folder says.</summary>
    public Split? SideOf(string name) => _sides && PartsBelow(name) is [var side, _, ..] ? SplitNames.Of(side) : null;

    /// <summary>A file of which only the name is known, for a model whose folders are not categories.</summary>
    public UploadedFile Named(string name) => SafePath.Parts(name) is null ? new(RequestBodies.Readable(name), SafePath.Refused.Refused!)
        : new(RequestBodies.Readable(name), FolderLabels.ContentOf(name), [], SideOf(name));

    private string[] PartsBelow(string name) => SafePath.Parts(name) is not { } parts ? [name]
        : parts.Length > _around.Length && parts.AsSpan().StartsWith(_around) ? parts[_around.Length..] : parts;
}
