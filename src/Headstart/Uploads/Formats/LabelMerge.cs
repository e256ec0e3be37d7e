using Headstart.Data;
using Headstart.Uploads.Boxes;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Formats;

/// <summary>What an archive says about one of its files.</summary>
/// <param name="Categories">null if only the split is known.</param>
/// <param name="Row">The first row about it.</param>
/// <param name="Reason">Why it is left out, explained in <paramref name="Detail"/>.</param>
internal sealed record FileAnnotation(
    IReadOnlyList<string>? Categories, Split? Split, ManifestRow Row, string? Reason = null, string? Detail = null)
{
    /// <summary>Its objects; null if nothing names any.</summary>
    public Drawing? Drawn { get; init; }

    /// <summary>Its categories, or those of its boxes.</summary>
    public IReadOnlyList<string>? Shown => Drawn?.Categories ?? Categories;
}

/// <summary>
/// Matches the rows of all annotations of an archive with its files. Labels from rows of one annotation are combined; the archive is
/// refused if annotations contradict each other, or if several files match a name.
/// </summary>
internal sealed class LabelMerge(IReadOnlyList<string> paths, ImageNames images, int maxRows)
{
    private readonly Dictionary<int, (FileAnnotation Said, string Source, Split? SideOfName)> _said = [];
    private readonly List<UploadedFile> _rest = [];
    private readonly HashSet<Split> _sidesOfNames = [];
    private int _rows;

    /// <summary>Rows about files that are not in the archive, and rows that name none.</summary>
    public IReadOnlyList<UploadedFile> Rest => _rest;

    public IEnumerable<int> Files => _said.Keys;

    /// <summary>Whether any file has labels, or a reason for having none.</summary>
    public bool HasLabels => _said.Values.Any(file => file.Said.Shown is not null || file.Said.Reason is not null);

    public bool IsEmpty => _said.Count == 0;

    /// <summary>The first annotation.</summary>
    public string Source { get; private set; } = "";

    /// <summary>Number of annotations.</summary>
    public int Sources { get; private set; }

    public FileAnnotation? this[int file] => !_said.TryGetValue(file, out var found) ? null
        : found.Said with { Split = found.Said.Split ?? (_sidesOfNames.Count > 1 ? found.SideOfName : null) };

    /// <param name="source">Path of the annotation.</param>
    /// <param name="rows">Its rows.</param>
    /// <returns>Whether it names any of the archive's files; otherwise it is about something else.</returns>
    public bool Add(string source, IEnumerable<ManifestRow> rows)
    {
        var before = _rest.Count;
        var folder = source[..(source.LastIndexOf('/') + 1)];
        var stem = Path.GetFileNameWithoutExtension(source[folder.Length..]);
        var own = new Dictionary<int, (int Parts, List<ManifestRow> Rows)>();
        var number = 0;
        foreach (var row in rows)
        {
            number++;
            if (++_rows > maxRows)
            {
                throw ManifestRow.TooMany(maxRows);
            }

            Place(row, number, source, folder, stem, own);
        }

        var side = own.Count > 1 ? SplitNames.Within(stem) : null; // such as instances_val2017
        foreach (var (file, (_, about)) in own)
        {
            Merge(file, Union(about), source, side);
        }

        if (side is { } known)
        {
            _sidesOfNames.Add(known);
        }

        if (own.Count == 0)
        {
            _rest.RemoveRange(before, _rest.Count - before);
            return false;
        }

        Source = Source.Length == 0 ? source : Source;
        Sources++;
        return true;
    }

    private void Place(ManifestRow row, int number, string source, string folder, string stem,
        Dictionary<int, (int Parts, List<ManifestRow> Rows)> own)
    {
        if ((row.Image.File ?? row.Image.FileName ?? row.Image.Url) is not { } name || row.Image.Base64 is not null
            || !SplitNames.TryRead(row.Image.Split, out _))
        {
            _rest.Add(row.Reason is not null || row.Image.File is not null ? row.Read(number, 0)
                : new UploadedFile($"row {number}", new FileContent.Unusable("no-file-named",
                    "Every row of a manifest sent with files must name one; send URLs and base64 images in a separate request.")));
            return;
        }

        var (files, parts) = images.Find(name, folder, stem);
        if (files.Count == 0 && row.OtherName is { } other)
        {
            (files, parts) = images.Find(other, folder, stem);
        }

        if (files.Count > 1)
        {
            throw RefusedException.Invalid("ambiguous-row", $"\"{RequestBodies.Readable(source)}\" names \"{RequestBodies.Readable(name)}\", "
                + $"and the archive has several such files (\"{RequestBodies.Readable(paths[files[0]])}\", "
                + $"\"{RequestBodies.Readable(paths[files[1]])}\"); name them with their folders. Nothing was added.");
        }

        if (files.Count == 0)
        {
            Miss(row);
        }
        else if (!own.TryGetValue(files[0], out var before) || before.Parts < parts)
        {
            before.Rows?.ForEach(Miss); // these mean another file of the same name
            own[files[0]] = (parts, [row]);
        }
        else if (before.Parts == parts)
        {
            before.Rows.Add(row);
        }
        else
        {
            Miss(row);
        }
    }

    private void Miss(ManifestRow row)
    {
        _ = SplitNames.TryRead(row.Image.Split, out var split);
        _rest.Add(new(RequestBodies.Readable(row.OtherName ?? row.Image.File ?? row.Image.FileName ?? row.Image.Url!),
            new FileContent.Unusable("missing-file", "The manifest names this file, but it was not sent; send it, or remove the row."),
            row.Categories, split));
    }

    private static FileAnnotation Union(List<ManifestRow> about)
    {
        var usable = about.Where(row => row.Reason is null).ToList();
        var first = usable.Count > 0 ? usable[0] : about[0];
        var split = about.Select(row => SplitNames.TryRead(row.Image.Split, out var side) ? side : null)
            .FirstOrDefault(side => side is not null);
        first = about.Find(row => row.Reason is "invalid-row" or "invalid-split") ?? first; // the others may not be all
        return first.Reason is not null ? new(null, split, first, first.Reason, first.Detail)
            : new(usable.TrueForAll(row => row.Categories is null) ? null
                : [.. usable.SelectMany(row => row.Categories ?? []).Distinct()], split, first)
            {
                Drawn = Joined(usable),
            };
    }

    private static Drawing? Joined(List<ManifestRow> rows)
    {
        var (drawn, labels) = ((Drawing?)null, (IReadOnlyList<string>?)null);
        foreach (var row in rows)
        {
            drawn = Drawing.Join(drawn, labels, row.Drawn, row.Categories);
            labels = row.Categories is { Count: > 0 } more ? more : labels;
        }

        return drawn;
    }

    private void Merge(int file, FileAnnotation said, string source, Split? sideOfName)
    {
        if (!_said.TryGetValue(file, out var before))
        {
            _said.Add(file, (said, source, sideOfName));
            return;
        }

        if (before.Said.Drawn is { } drawn && said.Drawn is { } again && !drawn.IsSameAs(again))
        {
            throw RefusedException.Invalid("contradiction", $"\"{RequestBodies.Readable(paths[file])}\" has other boxes in "
                + $"\"{RequestBodies.Readable(before.Source)}\" than in \"{RequestBodies.Readable(source)}\"; leave one of the two out. "
                + "Nothing was added.");
        }

        if (before.Said.Shown is { } one && said.Shown is { } other && !one.ToHashSet().SetEquals(other))
        {
            throw Contradiction(file, before.Source, string.Join(", ", one), source, string.Join(", ", other));
        }

        if (before.Said.Split is { } there && said.Split is { } here && there != here)
        {
            throw Contradiction(file, before.Source, there.ToString().ToLowerInvariant(), source, here.ToString().ToLowerInvariant());
        }

        var (better, worse) = before.Said.Shown is null && (said.Shown is not null || before.Said.Reason is null)
            ? (said, before.Said) : (before.Said, said);
        better = better is { Shown: null, Reason: null } && worse.Reason is not null ? worse : better;
        _said[file] = (better with { Split = before.Said.Split ?? said.Split, Drawn = before.Said.Drawn ?? said.Drawn }, before.Source,
            before.SideOfName ?? sideOfName);
    }

    private RefusedException Contradiction(int file, string one, string says, string other, string itSays) =>
        RefusedException.Invalid("contradiction", $"\"{RequestBodies.Readable(paths[file])}\" is {RequestBodies.Readable(says)} in "
            + $"\"{RequestBodies.Readable(one)}\" and {RequestBodies.Readable(itSays)} in \"{RequestBodies.Readable(other)}\"; correct one, or "
            + "leave one of the two out. Nothing was added.");
}
