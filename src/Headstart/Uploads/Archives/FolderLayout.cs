using Headstart.Data;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Archives;

/// <summary>
/// Finds the level of folders that contains the categories, and where the splits are. The model's existing categories decide first; an
/// uncertain layout is refused as a whole.
/// </summary>
internal sealed class FolderLayout
{
    private const string Cure = "Put each category's images into a folder named after it, alone (cats/…, dogs/…) or in folders train and "
        + "test (train/cats/…, test/cats/…), or add a labels.csv with the header file,category.";

    private const int MostAround = 20; // enclosing folders; more are refused, to bound the time

    private readonly HashSet<string> _known;
    private readonly List<string[]> _folders;
    private int _depth; // of the categories, below the enclosing folders

    /// <param name="folders">The folders of each image, outermost first.</param>
    /// <param name="categories">The names of the model's categories.</param>
    /// <exception cref="RefusedException">It is not certain which folders are the categories.</exception>
    public FolderLayout(IEnumerable<string[]> folders, IEnumerable<string> categories)
    {
        (_folders, _known) = ([.. folders], [.. categories]);
        FindCategories();
        RefuseHiddenSides();
    }

    /// <summary>Whether splits contain the categories: <c>train/cats/a.jpg</c>.</summary>
    public bool SideAbove { get; private set; }

    /// <summary>Whether categories contain splits: <c>cats/train/a.jpg</c>.</summary>
    public bool SideBelow { get; private set; }

    /// <summary>Descends from the outermost folders to the level of the categories.</summary>
    private void FindCategories()
    {
        for (_depth = 0; ; _depth++)
        {
            var level = Level();
            if (level.Count == 0)
            {
                return; // no image is in a folder
            }

            var sides = level.Keys.Where(SplitNames.IsName).ToList();
            if (sides.Count > 0 && !IsSideLevel(level, sides))
            {
                break; // these are categories
            }

            if (sides.Count > 0)
            {
                SideAbove = true;
                _depth++;
                break;
            }

            if (level.Count > 1 || level.Keys.All(_known.Contains) || !Encloses(level))
            {
                break;
            }
        }

        RefuseDoubtfulCategories();
    }

    /// <summary>Whether folders, some of them named like splits, are splits; if not, they are categories.</summary>
    private bool IsSideLevel(Dictionary<string, Below> level, List<string> sides)
    {
        var (all, deeper) = (sides.Count == level.Count, level.Values.Any(below => below.Folders.Count > 0));
        if (all && deeper)
        {
            return true;
        }

        if (sides.TrueForAll(_known.Contains))
        {
            return false;
        }

        if (all)
        {
            throw Refused($"{List(sides)} {(sides.Count == 1 ? "is named like a split" : "are splits")} of a data set, not "
                + $"{(sides.Count == 1 ? "a category" : "categories")}, and no folder in {(sides.Count == 1 ? "it" : "them")} names "
                + $"a category. {Cure} {IfCategory(sides)}");
        }

        // Trains are also a category: beside cars and buses, each with its images.
        var others = level.Keys.Except(sides).ToList();
        return sides is ["train" or "Train" or "TRAIN"] && !deeper ? false
            : throw Refused($"{List(sides)} {(sides.Count == 1 ? "is" : "are")} named like a split of a data set, but the "
                + $"{(others.Count == 1 ? "other folder" : "other folders")}, {List(others)}, {(others.Count == 1 ? "is" : "are")} not. "
                + $"{Cure} {IfCategory(sides)}");
    }

    /// <summary>Whether the only folder of a level contains the categories.</summary>
    private bool Encloses(Dictionary<string, Below> level)
    {
        var (name, below) = level.First();
        if (below.Folders.Count == 0)
        {
            return false;
        }

        if (_depth == MostAround)
        {
            throw TooDeep();
        }

        // One folder around the categories is usual. Several nested ones could also be a category with subfolders.
        if (below.Folders.All(SplitNames.IsName))
        {
            return !_known.Contains(name);
        }

        return below.Folders.All(_known.Contains) || LeadsToSides() || (_depth == 0 && (below.Folders.Count > 1 || !below.HasFiles)) ? true
            : throw TooDeep();
    }

    private RefusedException TooDeep() => RefusedException.Invalid("too-deep", "The files are in "
        + $"\"{RequestBodies.Readable(string.Join('/', _folders[0].Take(_depth + 2)))}\", but only one folder may enclose the category "
        + "folders; create the archive in the folder that contains them.");

    /// <summary>Whether there are only single folders above a level of splits.</summary>
    private bool LeadsToSides()
    {
        for (var depth = _depth + 1; depth <= MostAround; depth++)
        {
            var names = _folders.Where(folders => folders.Length > depth).Select(folders => folders[depth]).Distinct().ToList();
            if (names.Count != 1 || SplitNames.IsName(names[0]))
            {
                return names.Count > 0 && names.TrueForAll(SplitNames.IsName) && _folders.Exists(folders => folders.Length > depth + 1);
            }
        }

        return false;
    }

    private void RefuseDoubtfulCategories()
    {
        var level = Level();
        var names = level.Keys.ToList();
        if (names.Count == 0 || names.TrueForAll(_known.Contains))
        {
            SideBelow = !SideAbove && SidesBelow(level);
            return;
        }

        if (names.FindAll(name => !_known.Contains(name) && FolderNames.IsUnsorted(name)) is
            { Count: > 0 } unsorted)
        {
            throw Refused($"{List(unsorted)} {(unsorted.Count == 1 ? "is" : "are")} named like images that nobody has sorted yet, and "
                + $"would be {(unsorted.Count == 1 ? "a category" : "categories")}; leave {(unsorted.Count == 1 ? "it" : "them")} out. "
                + IfCategory(unsorted));
        }

        var within = names.Where(name => !_known.Contains(name) && SplitNames.Within(name) is not null).ToList();
        if (within.Select(SplitNames.Within).Distinct().Count() > 1)
        {
            throw Refused($"The names of {List(within)} contain the names of splits, so it is not certain what is a split and what a "
                + $"category. {Cure}");
        }

        if (SideAbove && names.Exists(name => SplitNames.IsName(name) && !_known.Contains(name)))
        {
            throw Refused($"{List([.. names.Where(SplitNames.IsName)])} is named like a split, but is inside another one. {Cure}");
        }

        var doubtful = names.FindAll(name => !_known.Contains(name));
        if (names.Count > 1 && doubtful.FindAll(FolderNames.IsContainer) is { Count: > 0 } containers)
        {
            throw Refused($"{List(containers)} {(containers.Count == 1 ? "is" : "are")} named like folders for images of every kind or "
                + $"their annotations, so it is not certain what the categories are. {Cure} {IfCategory(containers)}");
        }

        if (doubtful.Count == names.Count && doubtful.TrueForAll(FolderNames.IsPart))
        {
            throw Refused($"{List(doubtful)} {(doubtful.Count == 1 ? "is" : "are")} named like a part of a data set, a day, or the folder "
                + $"of a camera, which says nothing about what images show. {Cure} {IfCategory(doubtful)}");
        }

        if (names is [var only] && !_known.Contains(only))
        {
            if (FolderNames.IsContainer(only))
            {
                throw Refused($"The only folder with images is \"{RequestBodies.Readable(only)}\", which says nothing about what they show. "
                    + $"{Cure} {IfCategory(names)}");
            }

            if (SideAbove && level[only] is { HasFiles: false })
            {
                throw RefusedException.Invalid("too-deep", $"In each split there is only the folder \"{RequestBodies.Readable(only)}\", "
                    + $"with more folders in it, so it is not certain which of them are the categories. {Cure}");
            }
        }

        SideBelow = !SideAbove && SidesBelow(level);
    }

    /// <summary>Whether the folders inside the categories are splits: <c>cats/train/a.jpg</c>.</summary>
    private static bool SidesBelow(Dictionary<string, Below> level) =>
        level.Values.SelectMany(below => below.Folders).ToList() is { Count: > 0 } below && below.TrueForAll(SplitNames.IsName);

    /// <summary>Refuses test folders anywhere else, because test examples must not be learned from, however deep they are.</summary>
    private void RefuseHiddenSides()
    {
        foreach (var folders in _folders)
        {
            var from = DepthIn(folders) + (SideBelow ? 2 : 1);
            if (from < folders.Length && Array.FindIndex(folders, from, folder => SplitNames.Of(folder) == Split.Test) is >= 0 and var at)
            {
                throw Refused($"The folder \"{RequestBodies.Readable(string.Join('/', folders[..(at + 1)]))}\" is named like a split of a "
                    + $"data set, but is not directly above or inside the category folders. {Cure}");
            }
        }
    }

    /// <summary>The depth of the category in these folders: a split may be repeated, as in train/train/cats.</summary>
    public int DepthIn(string[] folders)
    {
        var depth = _depth;
        while (SideAbove && depth < folders.Length && !_known.Contains(folders[depth]) && SplitNames.Of(folders[depth]) is { } side
            && side == SplitNames.Of(folders[depth - 1]) && folders.Length > depth + 1)
        {
            depth++;
        }

        return depth;
    }

    private Dictionary<string, Below> Level()
    {
        var level = new Dictionary<string, Below>(StringComparer.Ordinal);
        foreach (var folders in _folders)
        {
            var depth = DepthIn(folders);
            if (folders.Length > depth)
            {
                if (!level.TryGetValue(folders[depth], out var below))
                {
                    level.Add(folders[depth], below = new());
                }

                below.Add(folders, depth + 1);
            }
        }

        return level;
    }

    private static RefusedException Refused(string sentence) => RefusedException.Invalid("unclear-folders", sentence.TrimEnd());

    private static string IfCategory(List<string> names) => $"If {(names.Count == 1 ? "it is a category" : "they are categories")}, add "
        + $"{(names.Count == 1 ? "it" : "them")} to the model first (PATCH the model).";

    private static string List(List<string> names) =>
        string.Join(", ", names.Order(StringComparer.Ordinal).Take(5).Select(name => $"\"{RequestBodies.Readable(name)}\""))
            + (names.Count > 5 ? $" and {names.Count - 5} more" : "");

    /// <summary>The contents of a folder.</summary>
    private sealed class Below
    {
        public HashSet<string> Folders { get; } = [];

        /// <summary>Whether it contains files directly.</summary>
        public bool HasFiles { get; private set; }

        public void Add(string[] folders, int depth)
        {
            HasFiles |= folders.Length == depth;
            if (folders.Length > depth)
            {
                Folders.Add(folders[depth]);
            }
        }
    }
}
