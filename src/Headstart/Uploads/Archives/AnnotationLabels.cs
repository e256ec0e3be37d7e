using System.Text;
using Headstart.Data;
using Headstart.Uploads.Datasets;
using Headstart.Uploads.Files;
using Headstart.Uploads.Formats;
using Headstart.Uploads.Tables;

namespace Headstart.Uploads.Archives;

/// <summary>
/// Reads what the files of an archive show from annotations of another tool. Takes only what is certain: annotations that name the
/// archive's images in an unknown format make the archive refused before anything is stored.
/// </summary>
internal sealed class AnnotationLabels : ArchiveLabels
{
    private const int RowsLookedAt = 200; // rows read of an unknown table

    private static readonly HashSet<string> Readable = new(StringComparer.OrdinalIgnoreCase)
    {
        ".csv", ".tsv", ".tab", ".txt", ".json", ".jsonl", ".ndjson", ".manifest", ".xml", ".yaml", ".yml", ".names", ".labels", ".data",
    };

    private static readonly HashSet<string> Unreadable = new(StringComparer.OrdinalIgnoreCase)
    {
        ".parquet", ".arrow", ".feather", ".tfrecord", ".tfrecords", ".xlsx", ".xls", ".ods", ".numbers", ".npz", ".pkl", ".mat", ".h5",
    };

    private static readonly HashSet<string> OfLabels = new(StringComparer.OrdinalIgnoreCase)
    {
        "metadata", "labels", "annotations", "manifest",
    };

    private readonly HashSet<ArchiveFile> _annotations = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<ArchiveFile, int> _files = new(ReferenceEqualityComparer.Instance);
    private readonly List<string> _paths = []; // paths of the files
    private readonly ImageNames _images;
    private readonly LabelMerge _said;
    private readonly ModelKind _kind;
    private IReadOnlyList<ArchiveFile> _examples;
    private FolderLabels? _folders;
    private readonly bool _foldersTell; // whether folders say what images show: several, or one named like a category
    private SideFolders _sides = new([]);
    private long _bytes; // unpacked

    private AnnotationLabels(IReadOnlyList<ArchiveFile> files, ModelKind kind, IReadOnlyCollection<string> categories, int maxRows)
    {
        _kind = kind;
        foreach (var file in files.Where(file => !IsText(file) && SafePath.Parts(file.Name) is not null))
        {
            _files.Add(file, _paths.Count);
            _paths.Add(PathOf(file));
        }

        _images = new(_paths);
        _said = new(_paths, _images, maxRows);
        var folders = _paths.Where(ImageNames.LooksLikeOne).Select(path => path.Split('/').ElementAtOrDefault(^2)).Distinct().ToList();
        _foldersTell = folders.Count > 1 || (folders is [{ } only] && categories.Contains(Names.Clean(only)));
        _examples = files;
    }

    /// <summary>Whether the annotations say what the files show; otherwise the folders do.</summary>
    public bool HasLabels => _said.HasLabels;

    public override IReadOnlyList<ArchiveFile> Examples => _examples;

    public override IReadOnlyList<UploadedFile> Missing => _said.Rest;

    public override IReadOnlyList<string> Notices => !HasLabels ? []
        : [$"What the images show was read from \"{RequestBodies.Readable(_said.Source)}\""
            + $"{(_said.Sources > 1 ? $" and {_said.Sources - 1:N0} more like it" : "")}, not from the folders."];

    /// <exception cref="RefusedException">It is not certain what the images show.</exception>
    public static async Task<AnnotationLabels> ReadAsync(IReadOnlyList<ArchiveFile> files, ModelKind kind,
        IReadOnlyCollection<string> categories, UploadSettings limits, CancellationToken cancel)
    {
        var labels = new AnnotationLabels(files, kind, categories, limits.MaxRows);
        var texts = files.Where(file => IsText(file) && SafePath.Parts(file.Name) is not null).ToList();
        labels.RefuseUnknown(await labels.ReadTextsAsync(texts, limits, cancel));
        labels._annotations.UnionWith(texts.Where(file => IsCompanion(PathOf(file))
            || Path.GetFileName(file.Name) is "metadata.json" or "meta.json")); // these name no images, or were refused
        labels._annotations.UnionWith(files.Where(file => file.Name.EndsWith(".md", StringComparison.OrdinalIgnoreCase)));
        labels._examples = [.. files.Where(file => !labels._annotations.Contains(file))];
        labels.FindSides();
        return labels;
    }

    /// <summary>The folders with the splits of lists, for an archive without labels.</summary>
    public ArchiveLabels OrFolders(FolderLabels folders)
    {
        _folders = folders;
        return _said.IsEmpty ? folders : this;
    }

    public override FileLabels Of(ArchiveFile file)
    {
        var said = _files.TryGetValue(file, out var number) ? _said[number] : null;
        if (_folders?.Of(file) is { } place)
        {
            return place with { Split = said?.Split ?? place.Split };
        }

        return SafePath.Parts(file.Name) is null ? SafePath.Refused
            : said?.Drawn is { } drawn ? new(null, said.Split ?? _sides.Of(_paths[number]), Row: NamedBy(said)) { Drawn = drawn }
            : said is { Categories: { } categories } ? new(categories, said.Split ?? _sides.Of(_paths[number]))
            : said is { Reason: { } reason } ? FileLabels.Not(reason, said.Detail!)
            : _kind.HasBoxes() && !IsMask(file) ? new(null, said?.Split ?? (_files.ContainsKey(file) ? _sides.Of(_paths[number]) : null),
                Row: NamedBy(said))
            : FileLabels.Not("not-in-manifest", $"\"{RequestBodies.Readable(_said.Source)}\" does not name this file; label it there, "
                + "or leave that file out to use the folders as categories.");
    }

    /// <summary>The row if it says more about a file, as in our own data sets; in a row with a URL, the name is only the file's
    /// name.</summary>
    private static NewImage? NamedBy(FileAnnotation? said) => said?.Row.Image is { Url: null } row ? row : null;

    /// <summary>Reads the texts one at a time; memory holds one.</summary>
    /// <returns>About the first text in an unknown format, as the beginning of a sentence; null if there is none.</returns>
    private async Task<string?> ReadTextsAsync(List<ArchiveFile> texts, UploadSettings limits, CancellationToken cancel)
    {
        var classes = await ClassNamesAsync(texts, limits, cancel);
        var (unknown, boxes, empty, notes) = ((string?)null, false, new List<ArchiveFile>(), new List<string>());
        foreach (var text in texts)
        {
            if (await ContentAsync(text, limits, cancel) is not { } file)
            {
                continue;
            }

            var named = _images.HasStem(Path.GetFileNameWithoutExtension(file.Name));
            var beside = named && file.Path.EndsWith(".txt", StringComparison.OrdinalIgnoreCase);
            if (beside && file.Bytes.Span.Trim(" \t\r\n"u8).IsEmpty)
            {
                empty.Add(text);
            }
            else if (beside && YoloLabels.AreBoxes(file.Bytes.Span))
            {
                boxes |= Take(text, file, [YoloLabels.Row(file, classes).For(_kind)]);
            }
            else if (file.Name.Contains("submission", StringComparison.OrdinalIgnoreCase))
            {
                _annotations.Add(text); // Kaggle's form to fill in, whose labels are dummies
            }
            else if ((SideLists.Read(file, _images, classes) ?? AnnotationFormats.Read(file, _kind)) is not { } rows
                || !Take(text, file, rows))
            {
                unknown ??= !IsCompanion(file.Path) && NamesImages(file) ? $"{file.Quoted} names images of the archive" : null;
                notes.AddRange(named ? [$"{file.Quoted} is named like an image and may label it"] : []);
            }
        }

        if (boxes)
        {
            // Empty texts: these images show no objects.
            empty.ForEach(text => Take(text, new(PathOf(text), []), [YoloLabels.Row(new(PathOf(text), []), classes).For(_kind)]));
        }

        // Texts beside each image do not matter if folders separate categories; in a single folder they may be all there is.
        return unknown ?? (notes.Count > 1 && !_foldersTell ? notes[0] : null);
    }

    private bool Take(ArchiveFile text, Annotation file, IEnumerable<ManifestRow> rows) =>
        _said.Add(file.Path, rows) && _annotations.Add(text);

    private void RefuseUnknown(string? unknown)
    {
        if (!HasLabels && unknown is not null)
        {
            throw RefusedException.Invalid("unknown-annotations", $"{unknown} in a format that "
                + "Headstart does not know, so the labels would be a guess; convert it to a table named labels.csv with the columns "
                + "file,category, or leave it out. Nothing was added.");
        }

        if (!HasLabels && _paths.Find(path => Unreadable.Contains(Path.GetExtension(path))
            && (!_foldersTell || OfLabels.Contains(Path.GetFileNameWithoutExtension(path)))) is { } table)
        {
            throw RefusedException.Invalid("unknown-annotations", _paths.Exists(ImageNames.LooksLikeOne)
                ? $"\"{RequestBodies.Readable(table)}\" may have the labels, but Headstart reads CSV and JSON Lines only; save it as "
                    + "labels.csv with the columns file,category, or leave it out. Nothing was added."
                : $"The archive has no images as files, and Headstart does not extract them from \"{RequestBodies.Readable(table)}\"; save "
                    + "them as files into folders named after their categories (with Hugging Face's datasets: example[\"image\"].save(…) "
                    + "for each example) and send those. Nothing was added.");
        }
    }

    private void FindSides()
    {
        _sides = new(_said.IsEmpty ? _paths : _said.Files.Select(file => _paths[file]));
        _sides.RefuseHidden(_said.Files.Where(file => _said[file] is { Split: null, Reason: null }).Select(file => _paths[file]));
    }

    /// <summary>Whether the file is in a folder of Pascal VOC's masks.</summary>
    private static bool IsMask(ArchiveFile file) =>
        SafePath.Parts(file.Name) is [.., "SegmentationClass" or "SegmentationObject", _];

    private async Task<ClassNames> ClassNamesAsync(List<ArchiveFile> texts, UploadSettings limits, CancellationToken cancel)
    {
        var classes = new ClassNames(limits.MaxRows);
        foreach (var text in texts.Where(text => YoloLabels.HasNames(Path.GetFileName(PathOf(text)))))
        {
            if (await ContentAsync(text, limits, cancel) is { } file && YoloLabels.NamesIn(file) is { Count: > 0 } names)
            {
                classes.Add(file, names);
            }
        }

        return classes;
    }

    /// <returns>null if the text cannot be unpacked; then it is refused as a file.</returns>
    private async Task<Annotation?> ContentAsync(ArchiveFile text, UploadSettings limits, CancellationToken cancel)
    {
        var (file, unpacked) = await Archive.UnpackAsync(text, Annotation.MaxBytes, cancel);
        if ((_bytes += unpacked) > limits.MaxManifestBytes)
        {
            throw RefusedException.TooLarge("too-large", $"The annotations of the archive are larger than {limits.MaxManifestBytes:N0} "
                + "bytes (Headstart:Uploads:MaxManifestBytes); send the archive in parts.");
        }

        if (file.Bytes is not { } bytes)
        {
            return file.Unusable!.Reason != "too-large" ? null : throw RefusedException.TooLarge("too-large",
                $"\"{file.FileName}\" may have the labels, and is larger than {Annotation.MaxBytes >> 20} MiB; send the archive in parts, "
                    + "or leave that file out if it has none. Nothing was added.");
        }

        if (Path.GetExtension(text.Name).ToLowerInvariant() is not (".csv" or ".tsv" or ".tab"))
        {
            return new(PathOf(text), bytes);
        }

        await using var table = await TableText.OpenAsync(new MemoryStream(bytes), cancel);
        using var utf8 = new MemoryStream();
        await table.Utf8.CopyToAsync(utf8, cancel);
        return new(PathOf(text), utf8.ToArray(), table.Separator);
    }

    /// <summary>
    /// Whether a file names at least two images and something else: a text beside an image names one, and a mere list has no labels that
    /// could be overlooked.
    /// </summary>
    private bool NamesImages(Annotation file)
    {
        if (file.Json is null && file.Rows().FirstOrDefault() is { Length: > 1 } header)
        {
            var rows = file.Rows().Skip(1).Take(RowsLookedAt).ToList();
            return Enumerable.Range(0, header.Length).Select(column => rows.Where(cells => column < cells.Length && cells[column].Length > 0
                    && (_images.Has(cells[column]) || _images.HasStem(cells[column]))).Select(cells => cells[column]).ToList())
                .Any(named => named.Count * 2 >= rows.Count && named.Distinct().Count() > 1);
        }

        var text = Encoding.UTF8.GetString(file.Bytes.Span);
        return text.Split(['\n', '\r', ',', '"', '\'', '<', '>', ' ', '\t'], StringSplitOptions.RemoveEmptyEntries)
            .Where(word => word.Length < 500 && ImageNames.LooksLikeOne(word) && _images.Has(word)).Distinct().Skip(1).Any()
            && !text.Split('\n').All(line => line.Trim() is var image && (image.Length == 0 || _images.Has(image)));
    }

    /// <summary>Whether a tool adds this file, which has no labels of its own.</summary>
    private static bool IsCompanion(string path) => YoloLabels.HasNames(Path.GetFileName(path))
        || path.Split('/').Contains("ImageSets") || DatasetExport.IsReadme(path) || Path.GetFileName(path).ToLowerInvariant()
        is "readme.dataset.txt" or "readme.roboflow.txt" or "obj.data" or "notes.json" or "dataset_infos.json" or "manifest.json";

    /// <summary>Whether the name is that of annotations of a whole data set.</summary>
    public static bool IsTable(string name) => Path.GetFileName(name).ToLowerInvariant() is var file
        && (Readable.Contains(Path.GetExtension(file)) || Unreadable.Contains(Path.GetExtension(file)))
        && (OfLabels.Contains(Path.GetFileNameWithoutExtension(file)) || file is "_classes.csv" or "data.yaml" or "samples.json"
            || file.StartsWith("_annotations.", StringComparison.Ordinal) || file.StartsWith("instances_", StringComparison.Ordinal));

    private static bool IsText(ArchiveFile file) => Readable.Contains(Path.GetExtension(file.Name));

    private static string PathOf(ArchiveFile file) => string.Join('/', SafePath.Parts(file.Name) ?? [file.Name]);
}
