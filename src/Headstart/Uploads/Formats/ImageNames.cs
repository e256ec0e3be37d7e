using System.Text.RegularExpressions;

namespace Headstart.Uploads.Formats;

/// <summary>
/// Finds the file of an archive that a tool means: tools name images with folders of another computer, as URLs, with a random prefix, or
/// without extension. Names are compared as <see cref="Names.Clean"/> leaves them, because macOS writes é as two characters.
/// </summary>
internal sealed partial class ImageNames
{
    private const int MaxNamesakes = 1_000; // compared for one row; more are ambiguous, to bound the time

    private readonly string[] _paths;
    private readonly ILookup<string, int> _byPath, _byName, _byStem;
    private readonly HashSet<string> _folders;
    private readonly Dictionary<IEnumerable<int>, ILookup<string, int>> _byFolder = []; // of names that very many files have

    /// <param name="paths">Paths of the files, with slashes.</param>
    public ImageNames(IEnumerable<string> paths)
    {
        _paths = [.. paths.Select(CleanPath)];
        _byPath = Index(path => path, StringComparer.Ordinal);
        _byName = Index(NameOf, StringComparer.OrdinalIgnoreCase);
        _byStem = Index(path => Names.Clean(StemOf(NameOf(path))), StringComparer.OrdinalIgnoreCase);
        _folders = [.. _paths.SelectMany(path => path.Split('/')[..^1])];
    }

    /// <summary>The file, and how well it matches: the number of equal parts of the path. Several files if nothing tells them
    /// apart.</summary>
    /// <param name="reference">The tool's name of the image.</param>
    /// <param name="folder">Folder of the annotation, with a trailing slash.</param>
    /// <param name="hint">A folder that decides between several files.</param>
    public (IReadOnlyList<int> Files, int Parts) Find(string reference, string folder, string? hint)
    {
        string[] parts = [.. PartsOf(reference).Select(Names.Clean)];
        if (parts.Length == 0)
        {
            return ([], 0);
        }

        folder = CleanPath(folder);
        if (_byPath[folder + string.Join('/', parts)].ToList() is { Count: > 0 } exact) // relative to the annotation
        {
            return (exact, int.MaxValue);
        }

        var candidates = Candidates(parts).Take(MaxNamesakes + 1).ToList();
        if (candidates.Count > MaxNamesakes)
        {
            return (candidates, 1);
        }

        var found = candidates.Select(file => (File: file, Parts: Common(_paths[file], parts)))
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

        if (found.Count > 1 && hint is not null && found.Where(file => InFolder(file.File, Names.Clean(hint))).ToList() is [var only])
        {
            found = [only];
        }

        return (found.ConvertAll(file => file.File), found.Count > 0 ? found[0].Parts : 0);
    }

    /// <summary>Whether a file has exactly this name, including its extension.</summary>
    public bool Has(string name) => _byName.Contains(Names.Clean(LastPart(name)));

    public bool HasStem(string stem) => _byStem.Contains(Names.Clean(stem));

    /// <summary>The last part of a path or URL.</summary>
    public static string LastPart(string reference) => PartsOf(reference) is [.., var last] ? last : "";

    /// <summary>The name of a file without the eight digits that Label Studio puts before it.</summary>
    public static string WithoutUploadNumber(string name) => Prefix().IsMatch(name) ? name[9..] : name;

    /// <summary>Whether the text may be the name of an image.</summary>
    public static bool LooksLikeOne(string text) => text.Length < 2_000 && Ending().IsMatch(text.Split('?')[0]) || Upload().IsMatch(text);

    private ILookup<string, int> Index(Func<string, string> key, StringComparer comparer) =>
        Enumerable.Range(0, _paths.Length).ToLookup(file => key(_paths[file]), comparer);

    /// <summary>The files of this name; of very many, such as the frames of videos, only those in a folder of the same name.</summary>
    private IEnumerable<int> Candidates(string[] parts)
    {
        var name = parts[^1];
        var files = _byName.Contains(name) ? _byName[name]
            : _byName.Contains(WithoutUploadNumber(name)) ? _byName[WithoutUploadNumber(name)]
            : _byStem[name];
        if (parts.Length == 1 || files.Count() <= MaxNamesakes || !_folders.Contains(parts[^2]))
        {
            return files;
        }

        if (!_byFolder.TryGetValue(files, out var inFolders))
        {
            _byFolder.Add(files, inFolders = files.ToLookup(file => _paths[file].Split('/').ElementAtOrDefault(^2) ?? ""));
        }

        return inFolders[parts[^2]];
    }

    /// <summary>Number of equal parts from the end; 0 if the tool means the same name in another folder of this archive.</summary>
    private int Common(string path, string[] parts)
    {
        var rest = path.AsSpan();
        var common = 1;
        while (common < parts.Length && rest.LastIndexOf('/') is var end and > 0
            && rest[..end] is var folders && folders[(folders.LastIndexOf('/') + 1)..].SequenceEqual(parts[^(common + 1)]))
        {
            rest = folders;
            common++;
        }

        return common == 1 && parts.Length > 1 && _folders.Contains(parts[^2]) ? 0 : common;
    }

    private bool Below(int file, string folder) => _paths[file].StartsWith(folder, StringComparison.Ordinal);

    private bool InFolder(int file, string name) =>
        $"/{_paths[file]}".Contains($"/{name}/", StringComparison.OrdinalIgnoreCase);

    private static string CleanPath(string path) => string.Join('/', path.Split('/').Select(Names.Clean));

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
