using Headstart.Uploads.Files;

namespace Headstart.Uploads.Archives;

/// <summary>The paths of an archive's files below the folders that enclose all of them.</summary>
internal sealed class FolderPaths
{
    private readonly string[] _around; // folders around everything that are no sides

    /// <param name="names">Of all files. Those that are in no folder, such as a README, do not count.</param>
    public FolderPaths(IEnumerable<string> names)
    {
        var folders = names.Select(SafePath.Parts).Where(parts => parts is { Length: > 1 }).Select(parts => parts![..^1]).ToList();
        _around = folders.Count == 0 ? [] : [.. folders[0].TakeWhile((folder, depth) => !SplitNames.IsName(folder)
            && folders.TrueForAll(one => one.Length > depth && one[depth] == folder))];
    }

    /// <summary>The path below the folders around everything.</summary>
    public string Below(string name) => string.Join('/', PartsBelow(name));

    private string[] PartsBelow(string name) => SafePath.Parts(name) is not { } parts ? [name]
        : parts.Length > _around.Length && parts.AsSpan().StartsWith(_around) ? parts[_around.Length..] : parts;
}
