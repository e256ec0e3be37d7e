using System.Globalization;

namespace Headstart.Uploads.Files;

/// <summary>
/// Counts the files that operating systems and programs leave between those of users: thumbnails, indexes, resource forks, recycle bins,
/// hidden folders. They are left out of every upload, with one sentence about all of them.
/// </summary>
internal sealed class SystemFiles
{
    private static readonly HashSet<string> Names = new(StringComparer.OrdinalIgnoreCase)
    {
        ".DS_Store", "__MACOSX", "Icon\r", "Network Trash Folder", "Temporary Items", // macOS
        "Thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "$RECYCLE.BIN", "RECYCLER", "System Volume Information", // Windows
        "@eaDir", "#recycle", "#snapshot", "@Recycle", "@Recently-Snapshot", "SYNOINDEX_MEDIA_INFO", // network storages
        "lost+found", "__pycache__", "Picasa.ini", "ZbThumbnail.info",
    };

    private readonly Dictionary<string, int> _counts = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether the file is one of them; counts it.</summary>
    /// <param name="path">Its name with its folders.</param>
    public bool Take(string path)
    {
        if (Which(path) is not { } name)
        {
            return false;
        }

        _counts[name] = _counts.GetValueOrDefault(name) + 1;
        return true;
    }

    /// <summary>What was left out; empty if nothing was.</summary>
    public IEnumerable<string> Notices => _counts.Count == 0 ? [] :
    [
        string.Create(CultureInfo.InvariantCulture, $"{_counts.Values.Sum():N0} hidden or system ")
        + (_counts.Values.Sum() == 1 ? "file was" : "files were") + " left out: "
        + string.Join(", ", _counts.OrderByDescending(c => c.Value)
            .ThenBy(c => c.Key, StringComparer.Ordinal).Take(8).Select(c => $"{RequestBodies.Readable(c.Key)} ({c.Value:N0})"))
        + (_counts.Count > 8 ? " and others." : "."),
    ];

    /// <summary>
    /// The part of the path that shows it; null for a user's file. A file without folders was sent deliberately and counts even if its name
    /// begins with a dot.
    /// </summary>
    private static string? Which(string path)
    {
        var parts = path.Split('/', '\\');
        return parts.FirstOrDefault(part => Names.Contains(part)) is { } known ? known
            : parts[^1].StartsWith("._", StringComparison.Ordinal) ? "._*"
            : parts[^1].StartsWith("~$", StringComparison.Ordinal) ? "~$*"
            : parts.FirstOrDefault(part => parts.Length > 1 && part.Length > 1 && part[0] == '.' && part != "..");
    }
}
