namespace Headstart.Uploads.Formats;

/// <summary>
/// The lists in an archive that name numbered classes. Tools write one into each folder that they label, in an order of its own, so a file
/// means the list in its folder or in the nearest one around it.
/// </summary>
/// <param name="maxNames">More are refused, to bound memory.</param>
internal sealed class ClassNames(int maxNames)
{
    private const string Anywhere = "/"; // no folder is called so

    private readonly Dictionary<string, (string List, IReadOnlyList<string> Names, string? Other)> _lists = new(StringComparer.Ordinal);
    private int _count;

    /// <summary>Remembers the first list of each folder, and whether another one there differs.</summary>
    public void Add(Annotation list, IReadOnlyList<string> names)
    {
        names = _lists.TryGetValue(Anywhere, out var first) && first.Names.SequenceEqual(names) ? first.Names : names;
        _count += names == first.Names ? 0 : names.Count;
        if (_count > maxNames)
        {
            throw RefusedException.TooLarge("too-many-rows", $"The lists of classes have more than {maxNames:N0} names "
                + "(Headstart:Uploads:MaxRows); send the archive in parts.");
        }

        foreach (var folder in (string[])[list.Folder, Anywhere])
        {
            if (!_lists.TryAdd(folder, (list.Quoted, names, null)) && _lists[folder] is { Other: null } known
                && !known.Names.SequenceEqual(names))
            {
                _lists[folder] = known with { Other = list.Quoted };
            }
        }
    }

    /// <summary>The names that the numbers in a file stand for; null if the archive has no list.</summary>
    /// <exception cref="RefusedException">Lists differ, and their places do not say which of them counts.</exception>
    public IReadOnlyList<string>? For(Annotation file)
    {
        var folder = file.Folder;
        while (folder.Length > 0 && !_lists.ContainsKey(folder))
        {
            folder = folder[..(folder.LastIndexOf('/', folder.Length - 2) + 1)];
        }

        return !_lists.TryGetValue(folder, out var found) && !_lists.TryGetValue(Anywhere, out found) ? null
            : found.Other is null ? found.Names
            : throw RefusedException.Invalid("contradiction", $"{found.List} and {found.Other} name the classes differently, and it is not "
                + $"certain which of them {file.Quoted} means; leave one of the two out, or put each into the folder of its labels. "
                + "Nothing was added.");
    }
}
