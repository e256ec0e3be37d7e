using Headstart.Data;
using Headstart.Operations;

namespace Headstart.Uploads;

/// <summary>The path of an entry below the wrapping folder, its category and its split; or why the entry is refused.</summary>
internal sealed record ZipPlace(string Path, string? Category, Split? Split, string? Reason = null, string? Detail = null);

/// <summary>
/// Reads categories from the entry names in an archive: <c>[wrapping folder/][train|val|test/]category/[more/]file</c>. Names are only
/// parsed, never used as paths; backslashes, which Windows writes, count as slashes.
/// </summary>
internal sealed class ZipFolders
{
    private readonly string? _wrapper; // one folder around everything
    private readonly bool _sides; // split folders such as train and test above the categories
    private readonly bool _tooDeep; // more than one wrapping folder, so it is unclear which folders are the categories

    /// <param name="names">Of all entries.</param>
    /// <param name="manifest">Whether a manifest has the categories, so that a split folder may contain files directly.</param>
    public ZipFolders(IEnumerable<string> names, bool manifest)
    {
        // Only files in folders count: a file at the top level, such as a README, has no category.
        var seen = new Level();
        var below = new Dictionary<string, Level>();
        foreach (var folders in names.Select(Parts).Where(parts => parts is { Length: > 1 }).Select(parts => parts![..^1]))
        {
            seen.Add(folders);
            if (!below.TryGetValue(folders[0], out var level))
            {
                below.Add(folders[0], level = new());
            }

            level.Add(folders[1..]);
        }

        if (seen.Only is { } only && below[only].Folders.Count > 0 && !SplitNames.IsName(only))
        {
            (_wrapper, seen) = (only, below[only]);
        }

        _sides = seen.Folders.Count > 0 && seen.Folders.All(SplitNames.IsName) && (seen.Deeper || manifest);
        _tooDeep = !_sides && !manifest && _wrapper is not null && seen is { Only: not null, HasFiles: false };
    }

    /// <summary>A name without empty and "." parts; null if it points outside the archive.</summary>
    public static string[]? Parts(string name)
    {
        var parts = name.Split('/', '\\');
        return parts.Contains("..") || (parts.Length > 1 && parts[0].Length == 0) || (parts[0].Length == 2 && parts[0][1] == ':')
            ? null
            : [.. parts.Where(part => part is not ("" or "."))];
    }

    public ZipPlace PlaceOf(string name)
    {
        if (Parts(name) is not { Length: > 0 } parts)
        {
            return new(name, null, null, "unsafe-name",
                "The name points outside the archive; create the archive in the folder that contains the categories, for example with "
                    + "zip -r photos.zip cats dogs.");
        }

        if (parts.Length > 1 && parts[0] == _wrapper)
        {
            parts = parts[1..];
        }

        var path = string.Join('/', parts);
        Split? side = null;
        _ = _sides && parts.Length > 1 && SplitNames.TryRead(parts[0], out side);
        var folders = parts[(side is null ? 0 : 1)..^1];
        return _tooDeep
            ? new(path, null, side, "too-deep", $"The file is in \"{string.Join('/', name.Split('/', '\\')[..^1])}\", but only one "
                + "folder may enclose the category folders; create the archive in the folder that contains them.")
            : new(path, folders.FirstOrDefault() is { } folder ? RequestBodies.Readable(folder) : null, side);
    }

    /// <summary>The folders at one depth of the archive.</summary>
    private sealed class Level
    {
        public HashSet<string> Folders { get; } = [];

        /// <summary>Whether these folders contain folders.</summary>
        public bool Deeper { get; private set; }

        /// <summary>Whether these folders contain files directly.</summary>
        public bool HasFiles { get; private set; }

        /// <summary>The folder that contains everything.</summary>
        public string? Only => Folders.Count == 1 ? Folders.First() : null;

        public void Add(string[] folders)
        {
            if (folders.Length > 0)
            {
                Folders.Add(folders[0]);
                Deeper |= folders.Length > 1;
                HasFiles |= folders.Length == 1;
            }
        }
    }
}
