namespace Headstart.Uploads.Archives;

/// <summary>
/// Refuses names that point outside the archive. Names are only parsed, never used as paths; backslashes, which Windows writes, count as
/// slashes.
/// </summary>
internal static class SafePath
{
    public static FileLabels Refused { get; } = FileLabels.Not("unsafe-name",
        "The name points outside the archive; create the archive in the folder that contains the categories, for example with "
            + "zip -r photos.zip cats dogs.");

    /// <summary>The folders and the file of a name, without empty and "." parts; null if it points outside the archive.</summary>
    public static string[]? Parts(string name)
    {
        var parts = name.Split('/', '\\');
        return parts.Contains("..") || (parts.Length > 1 && parts[0].Length == 0) || (parts[0].Length == 2 && parts[0][1] == ':')
            || parts.All(part => part is "" or ".") ? null : [.. parts.Where(part => part is not ("" or "."))];
    }
}
