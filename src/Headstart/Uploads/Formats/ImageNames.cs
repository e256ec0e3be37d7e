using System.Text.RegularExpressions;

namespace Headstart.Uploads.Formats;

/// <summary>
/// Finds the file of an archive that a tool means: tools name images with folders of another computer, as URLs, with a random prefix, or
/// without extension.
/// </summary>
/// <param name="paths">Paths of the files, with slashes.</param>
internal sealed partial class ImageNames(IReadOnlyList<string> paths)
{
    private readonly ILookup<string, int> _byName = Enumerable.Range(0, paths.Count)
        .ToLookup(i => NameOf(paths[i]), StringComparer.OrdinalIgnoreCase);

    private readonly ILookup<string, int> _byStem = Enumerable.Range(0, paths.Count)
        .ToLookup(i => StemOf(NameOf(paths[i])), StringComparer.OrdinalIgnoreCase);

    private readonly HashSet<string> _folders = [.. paths.SelectMany(path => path.Split('/')[..^1])];

    /// <summary>The file, and how well it matches: the number of equal parts of the path. Several files if nothing tells them
    /// apart.</summary>
    /// <param name="reference">The tool's name of the image.</param>
    /// <param name="folder">Folder of the annotation, with a trailing slash.</param>
    /// <param name="hint">A folder that decides between several files.</param>
    public (IReadOnlyList<int> Files, int Parts) Find(string reference, string folder, string? hint)
    {
        var parts = PartsOf(reference);
        if (parts.Length == 0)
        {
            return ([], 0);
        }

        var found = Candidates(parts[^1]).Select(file => (File: file, Parts: Common(paths[file], parts, folder)))
            .Where(file => file.Parts > 0).ToList();
        if (found.Count > 1 && found.Exists(file => Below(file.File, folder)))
        {
            found.RemoveAll(file => !Below(file.File, folder));
        }

        if (found.Count > 1)
        {
            var best = found.Max(file => file.Parts);
            found.RemoveAll(file => file.Parts < best);
        }

        if (found.Count > 1 && hint is not null && found.Where(file => InFolder(file.File, hint)).ToList() is [var only])
        {
            found = [only];
        }

        return (found.ConvertAll(file => file.File), found.Count > 0 ? found[0].Parts : 0);
    }

    /// <summary>Whether a file has exactly this name, including its extension.</summary>
    public bool Has(string name) => _byName.Contains(LastPart(name));

    public bool HasStem(string stem) => _byStem.Contains(stem);

    /// <summary>The last part of a path or URL.</summary>
    public static string LastPart(string reference) => PartsOf(reference) is [.., var last] ? last : "";

    /// <summary>The name of a file without the eight digits that Label Studio puts before it.</summary>
    public static string WithoutUploadNumber(string name) => Prefix().IsMatch(name) ? name[9..] : name;

    /// <summary>Whether the text may be the name of an image.</summary>
    public static bool LooksLikeOne(string text) => text.Length < 2_000 && Ending().IsMatch(text.Split('?')[0]) || Upload().IsMatch(text);

    private IEnumerable<int> Candidates(string name) =>
        _byName.Contains(name) ? _byName[name]
        : _byName.Contains(WithoutUploadNumber(name)) ? _byName[WithoutUploadNumber(name)]
        : _byStem[name];

    /// <summary>Number of equal parts from the end; 0 if the tool means the same name in another folder of this archive.</summary>
    private int Common(string path, string[] parts, string folder)
    {
        if (string.Equals(path, folder + string.Join('/', parts), StringComparison.Ordinal))
        {
            return int.MaxValue; // exactly the path, relative to the annotation
        }

        var there = path.Split('/');
        var common = 1;
        while (common < there.Length && common < parts.Length && there[^(common + 1)] == parts[^(common + 1)])
        {
            common++;
        }

        return common == 1 && parts.Length > 1 && _folders.Contains(parts[^2]) ? 0 : common;
    }

    private bool Below(int file, string folder) => paths[file].StartsWith(folder, StringComparison.Ordinal);

    private bool InFolder(int file, string name) =>
        paths[file].Split('/').SkipLast(1).Contains(name, StringComparer.OrdinalIgnoreCase);

    private static string NameOf(string path) => path[(path.LastIndexOf('/') + 1)..];

    private static string StemOf(string name) => name.LastIndexOf('.') is var dot and > 0 ? name[..dot] : name;

    /// <summary>The folders and the name of a path or URL, without parts that belong to another computer.</summary>
    private static string[] PartsOf(string reference)
    {
        var scheme = Scheme().Match(reference);
        if (reference.Contains("/data/local-files/?d=", StringComparison.Ordinal))
        {
            reference = Unescaped(reference[(reference.IndexOf("?d=", StringComparison.Ordinal) + 3)..]);
        }
        else if (scheme.Success)
        {
            reference = Unescaped(reference[scheme.Length..].Split('?', '#')[0]);
        }
        else if (reference.StartsWith("/data/", StringComparison.Ordinal))
        {
            reference = Unescaped(reference.Split('?')[0]);
        }

        string[] parts = [.. reference.Split('/', '\\').Where(part => part is not ("" or "."))];
        return [.. parts.Skip(Array.LastIndexOf(parts, "..") + 1)];
    }

    private static string Unescaped(string text) => Uri.UnescapeDataString(text);

    /// <summary>Including the host or bucket.</summary>
    [GeneratedRegex("^[a-z][a-z0-9+.-]*://[^/]*/?", RegexOptions.IgnoreCase)]
    private static partial Regex Scheme();

    [GeneratedRegex(@"\.(jpe?g|jfif|png|gif|bmp|webp|tiff?|avif|hei[cf]|jp2|jxl)$", RegexOptions.IgnoreCase)]
    private static partial Regex Ending();

    [GeneratedRegex("^[0-9a-f]{8}-.")]
    private static partial Regex Prefix();

    [GeneratedRegex("^(/data/(upload|local-files)/|gs://|s3://)")]
    private static partial Regex Upload();
}
