using Headstart.Data;
using Headstart.Operations;

namespace Headstart.Uploads;

/// <summary>What the name of an entry says: the path below the wrapping folder, its category and its side. A refusal where it cannot be said.</summary>
internal sealed record ZipPlace(string Path, string? Category, Split? Split, string? Reason = null, string? Detail = null);

/// <summary>
/// Reads categories out of the names in an archive: <c>[wrapping folder/][train|val|test/]category/[more/]file</c>. Names are only read, never
/// used as paths; the two separators are the same, as Windows writes the other one.
/// </summary>
internal sealed class ZipFolders
{
    private readonly string? _wrapper; // one folder around everything
    private readonly bool _sides; // train and test lie above the categories
    private readonly bool _tooDeep; // further folders lie around everything, so that nobody knows which ones are the categories

    /// <param name="names">Of all entries.</param>
    /// <param name="manifest">Whether the categories are in a manifest, so that a side may hold files directly.</param>
    public ZipFolders(IEnumerable<string> names, bool manifest)
    {
        // Only what lies in folders counts: a file at the top, such as a README, is no category.
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

        if (seen.Only is { } only && below[only].Folders.Count > 0 && !Sides.IsName(only))
        {
            (_wrapper, seen) = (only, below[only]);
        }

        _sides = seen.Folders.Count > 0 && seen.Folders.All(Sides.IsName) && (seen.Deeper || manifest);
        _tooDeep = !_sides && !manifest && _wrapper is not null && seen is { Only: not null, HasFiles: false };
    }

    /// <summary>A name without empty parts and those that stay where they are; null for one that leads out of the archive.</summary>
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
                "The name leads out of the archive; make the archive in the folder that holds the categories, as zip -r photos.zip cats dogs does.");
        }

        if (parts.Length > 1 && parts[0] == _wrapper)
        {
            parts = parts[1..];
        }

        var path = string.Join('/', parts);
        Split? side = null;
        _ = _sides && parts.Length > 1 && Sides.TryRead(parts[0], out side);
        var folders = parts[(side is null ? 0 : 1)..^1];
        return _tooDeep
            ? new(path, null, side, "too-deep", $"The file lies in \"{string.Join('/', name.Split('/', '\\')[..^1])}\": only one folder may lie around "
                + "those that are the categories; make the archive in the folder that holds them.")
            : new(path, folders.FirstOrDefault() is { } folder ? RequestBodies.Readable(folder) : null, side);
    }

    /// <summary>The folders at one depth, all of them below the same ones.</summary>
    private sealed class Level
    {
        public HashSet<string> Folders { get; } = [];

        /// <summary>Whether folders lie in these.</summary>
        public bool Deeper { get; private set; }

        /// <summary>Whether files lie in these themselves.</summary>
        public bool HasFiles { get; private set; }

        /// <summary>The folder that everything lies in.</summary>
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
