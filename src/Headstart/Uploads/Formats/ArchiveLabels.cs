using System.IO.Compression;
using System.Text;
using Headstart.Data;
using Headstart.Operations;

namespace Headstart.Uploads.Formats;

/// <summary>
/// The labels that an archive brings beside its images: a manifest of ours, or the annotations of another tool. What is certain is taken;
/// annotations that name its images in an unknown way refuse the archive before anything is stored.
/// </summary>
internal sealed class ArchiveLabels
{
    private static readonly HashSet<string> Readable = new(StringComparer.OrdinalIgnoreCase)
    {
        ".csv", ".tsv", ".tab", ".txt", ".json", ".jsonl", ".ndjson", ".manifest", ".xml", ".yaml", ".yml", ".names", ".labels", ".data",
    };

    private static readonly HashSet<string> Unreadable = new(StringComparer.OrdinalIgnoreCase)
    {
        ".parquet", ".arrow", ".xlsx", ".xls", ".mat", ".npy", ".npz", ".pkl", ".pickle", ".tfrecord", ".tfrecords", ".lmdb", ".h5",
    };

    private readonly HashSet<ZipArchiveEntry> _annotations = [];
    private readonly Dictionary<ZipArchiveEntry, int> _files = [];
    private readonly List<string> _paths = []; // of the files
    private LabelMerge _said = new([], new([]), 0);
    private int _sideDepth = -1;
    private long _bytes;

    private ArchiveLabels()
    {
    }

    /// <summary>Whether the archive says what its files show; otherwise its folders do.</summary>
    public bool Any { get; private set; }

    /// <summary>Why a file of which nothing is said is left out.</summary>
    public string Unsaid { get; private set; } = "";

    /// <summary>Rows about files that the archive does not have, and rows that name none.</summary>
    public IReadOnlyList<UploadedFile> Rest => Any ? _said.Rest : [];

    /// <summary>Whether it belongs to the annotations and is no file to be added.</summary>
    public bool IsAnnotation(ZipArchiveEntry entry) => _annotations.Contains(entry);

    /// <summary>What is said of the file; null if nothing is.</summary>
    public SaidOfFile? Of(ZipArchiveEntry entry) => _files.TryGetValue(entry, out var file) && _said[file] is { } said
        ? said with { Split = said.Split ?? SideOf(_paths[file]) } : null;

    /// <exception cref="RefusedException">What the images show is not certain.</exception>
    public static async Task<ArchiveLabels> ReadAsync(IReadOnlyList<ZipArchiveEntry> entries, UploadSettings limits, CancellationToken cancel)
    {
        var labels = new ArchiveLabels();
        var (texts, manifests) = (new List<(ZipArchiveEntry Entry, string Path)>(), new ZipFolders(entries.Select(e => e.FullName), true));
        foreach (var entry in entries)
        {
            if (ZipFolders.Parts(entry.FullName) is not { Length: > 0 } parts)
            {
                continue; // refused as a file
            }

            var path = string.Join('/', parts);
            if (Readable.Contains(Path.GetExtension(path)))
            {
                texts.Add((entry, path));
            }
            else
            {
                labels._files.Add(entry, labels._paths.Count);
                labels._paths.Add(path);
            }
        }

        var images = new ImageNames(labels._paths);
        labels._said = new(labels._paths, images, limits.MaxRows);
        await labels.ReadAsync(texts, entry => IsManifest(manifests.PlaceOf(entry.FullName).Path), images, limits, cancel);
        return labels;
    }

    private async Task ReadAsync(List<(ZipArchiveEntry Entry, string Path)> texts, Func<ZipArchiveEntry, bool> isManifest, ImageNames images,
        UploadSettings limits, CancellationToken cancel)
    {
        var names = await ClassNamesAsync(texts, limits, cancel);
        var (unknown, boxes) = (new List<Annotation>(), new List<(ZipArchiveEntry Entry, Annotation File)>());
        foreach (var (entry, path) in texts)
        {
            var manifest = isManifest(entry);
            if (await ContentAsync(entry, path, manifest, limits, cancel) is not { } file)
            {
                continue;
            }

            if (manifest && AnnotationFormats.ReadForeign(file) is null)
            {
                Take(entry, file, await Manifest.RowsAsync(new MemoryStream(file.Bytes.ToArray()), limits.MaxRows, cancel).ToListAsync(cancel),
                    certain: true);
                Any = true;
                Unsaid = "The manifest of the archive has no row for this file; add one, or omit the manifest to use the folders as "
                    + "categories.";
            }
            else if (path.EndsWith(".txt", StringComparison.OrdinalIgnoreCase) && images.HasStem(Path.GetFileNameWithoutExtension(file.Name)))
            {
                boxes.Add((entry, file));
            }
            else if (file.Name.Contains("submission", StringComparison.OrdinalIgnoreCase))
            {
                _annotations.Add(entry); // what Kaggle shows as a form to fill in: its labels are none
            }
            else if ((SideLists.Read(file, images, names) ?? AnnotationFormats.Read(file)) is not { } rows || !Take(entry, file, rows))
            {
                unknown.Add(file);
            }
        }

        if (boxes.Count > 0 && boxes.TrueForAll(file => YoloLabels.AreBoxes(file.File.Bytes.Span)))
        {
            boxes.ForEach(file => Take(file.Entry, file.File, [YoloLabels.Row(file.File, names)]));
        }

        Settle(unknown, texts, images);
    }

    private bool Take(ZipArchiveEntry entry, Annotation file, IEnumerable<ManifestRow> rows, bool certain = false) =>
        _said.Add(file.Path, rows, certain) && _annotations.Add(entry);

    private void Settle(List<Annotation> unknown, List<(ZipArchiveEntry Entry, string Path)> texts, ImageNames images)
    {
        Any |= _said.HasLabels;
        if (!Any && unknown.Find(file => !IsCompanion(file.Path) && NamesImages(file, images)) is { } riddle)
        {
            throw RefusedException.Invalid("unknown-annotations", $"{riddle.Quoted} names images of the archive in a format that Headstart does "
                + "not know, so their labels would be a guess; make it a table with the columns file,category and call it labels.csv, or "
                + "leave it out. Nothing was added.");
        }

        if (!Any && _paths.Find(path => Path.GetFileName(path).StartsWith("metadata.", StringComparison.OrdinalIgnoreCase)
            && Unreadable.Contains(Path.GetExtension(path))) is { } table)
        {
            throw RefusedException.Invalid("unknown-annotations", $"\"{RequestBodies.Readable(table)}\" may have the labels, but Headstart reads "
                + "CSV and JSON Lines only; save it as metadata.csv with the columns file_name,label. Nothing was added.");
        }

        foreach (var (entry, _) in texts.Where(text => IsCompanion(text.Path)))
        {
            _annotations.Add(entry);
        }

        if (Any)
        {
            Unsaid = Unsaid.Length > 0 ? Unsaid : $"\"{RequestBodies.Readable(_said.Source)}\" does not name this file; label it there, or leave "
                + "that file out to use the folders as categories.";
            var labelled = _said.Files.Select(file => _paths[file].Split('/')).ToList();
            _sideDepth = Enumerable.Range(0, 4).FirstOrDefault(depth =>
                labelled.TrueForAll(parts => parts.Length > depth + 1 && SideNamed(parts[depth]) is not null), -1);
        }
    }

    private Split? SideOf(string path) => _sideDepth >= 0 ? SideNamed(path.Split('/')[_sideDepth]) : null;

    /// <summary>Also of a folder such as <c>train2017</c>.</summary>
    private static Split? SideNamed(string folder) =>
        folder.TrimEnd("0123456789".ToCharArray()) is { Length: > 0 } name && SplitNames.TryRead(name, out var side) ? side : null;

    private async Task<Annotation?> ContentAsync(ZipArchiveEntry entry, string path, bool manifest, UploadSettings limits,
        CancellationToken cancel)
    {
        var file = await Archive.ReadAsync(entry, Annotation.MaxBytes, cancel);
        if (file.Bytes is { } bytes)
        {
            return (_bytes += bytes.Length) <= limits.MaxManifestBytes ? new(path, bytes) : throw RefusedException.TooLarge("too-large",
                $"The annotations of the archive are larger than {limits.MaxManifestBytes:N0} bytes (Headstart:Uploads:MaxManifestBytes); "
                + "send the archive in parts.");
        }

        return manifest ? throw RefusedException.Invalid("invalid-manifest", $"{file.FileName} cannot be read: {file.Unusable!.Detail}") : null;
    }

    private async Task<List<string>?> ClassNamesAsync(List<(ZipArchiveEntry Entry, string Path)> texts, UploadSettings limits,
        CancellationToken cancel)
    {
        foreach (var (entry, path) in texts.Where(text => YoloLabels.HasNames(Path.GetFileName(text.Path))))
        {
            if (await ContentAsync(entry, path, manifest: false, limits, cancel) is { } file && YoloLabels.NamesIn(file) is { Count: > 0 } names)
            {
                return names;
            }
        }

        return null;
    }

    /// <summary>
    /// Whether a file names at least two images beside something else: one is what notes beside each image do, and a mere list has no labels
    /// that could be overlooked.
    /// </summary>
    private static bool NamesImages(Annotation file, ImageNames images)
    {
        if (file.Json is null && file.Rows().FirstOrDefault() is { Length: > 1 } header)
        {
            var rows = file.Rows().Skip(1).Take(200).ToList();
            return Enumerable.Range(0, header.Length).Select(column => rows.Where(cells => column < cells.Length && cells[column].Length > 0
                    && (images.Has(cells[column]) || images.HasStem(cells[column]))).Select(cells => cells[column]).ToList())
                .Any(named => named.Count * 2 >= rows.Count && named.Distinct().Count() > 1);
        }

        var text = Encoding.UTF8.GetString(file.Bytes.Span);
        return text.Split(['\n', '\r', ',', '"', '\'', '<', '>', ' ', '\t'], StringSplitOptions.RemoveEmptyEntries)
            .Where(word => word.Length < 500 && ImageNames.LooksLikeOne(word) && images.Has(word)).Distinct().Skip(1).Any()
            && !text.Split('\n').All(line => line.Trim() is var image && (image.Length == 0 || images.Has(image)));
    }

    /// <summary>What tools add that has no labels of its own.</summary>
    private static bool IsCompanion(string path) => YoloLabels.HasNames(Path.GetFileName(path))
        || path.Split('/').Contains("ImageSets") || Path.GetFileName(path).ToLowerInvariant() is "readme.txt" or "readme.dataset.txt"
        or "readme.roboflow.txt" or "obj.data" or "notes.json" or "dataset_infos.json";

    private static bool IsManifest(string path) => path.ToLowerInvariant() is "labels.csv" or "labels.jsonl" or "manifest.csv"
        or "manifest.jsonl" or "annotations.csv" or "annotations.jsonl";
}
