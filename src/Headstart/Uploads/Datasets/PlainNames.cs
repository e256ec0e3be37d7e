namespace Headstart.Uploads.Datasets;

/// <summary>Converts users' names to names of files and folders that every file system and archiver accepts.</summary>
internal static class PlainNames
{
    private const int MaxLength = 60;

    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "CON", "PRN", "AUX", "NUL", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8", "COM9",
        "LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9",
    };

    /// <summary>Without characters that are special in a file system; never empty, hidden or reserved.</summary>
    public static string OfFile(string name)
    {
        var plain = string.Concat(name.Trim().Select(sign => char.IsControl(sign) || "<>:\"/\\|?*".Contains(sign, StringComparison.Ordinal)
            ? '_' : sign));
        plain = (plain.Length <= MaxLength ? plain : plain[..(MaxLength - (char.IsHighSurrogate(plain[MaxLength - 1]) ? 1 : 0))])
            .TrimEnd('.', ' ');
        return plain.Length == 0 || !char.IsLetterOrDigit(plain, 0) || Reserved.Contains(plain.Split('.')[0]) ? "x" + plain : plain;
    }

    /// <summary>A folder for each name; all differ, even without regard to case.</summary>
    public static Dictionary<string, string> OfFolders(IEnumerable<string> names)
    {
        var (folders, taken) = (new Dictionary<string, string>(), new HashSet<string>(StringComparer.OrdinalIgnoreCase));
        foreach (var name in names)
        {
            var (plain, number) = (OfFile(name), 1);
            var folder = plain;
            while (!taken.Add(folder))
            {
                folder = $"{plain} ({++number})";
            }

            folders.Add(name, folder);
        }

        return folders;
    }
}
