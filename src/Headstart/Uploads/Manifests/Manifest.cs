using System.Runtime.CompilerServices;
using Headstart.Data;
using Headstart.Uploads.Boxes;
using Headstart.Uploads.Files;
using Headstart.Uploads.Formats;

namespace Headstart.Uploads.Manifests;

/// <summary>
/// The categories of the files uploaded with it. Files are matched by path; a name without a folder matches a file in any folder. Rows
/// about the same file are merged.
/// </summary>
internal sealed class Manifest
{
    /// <summary>Size limit for a manifest sent with its files, which is held in memory.</summary>
    public const int MaxBytes = 64 << 20;

    private const int MaxLineBytes = 1 << 18; // names, categories and an origin, no image

    private static readonly FileContent.Unusable Ambiguous = new("ambiguous-row", "Several files of the form or several rows of its "
        + "manifest have this name, so it is not certain which row is about which file; give each its own name.");

    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly List<(int Number, ManifestRow Row)> _unusable = [];
    private ILookup<string, Entry>? _numbered; // by names without the number that Label Studio puts before them

    /// <summary>Reads a table or JSON Lines, whichever the body is.</summary>
    /// <param name="body">Seekable, read from its start.</param>
    /// <param name="maxRows">More are refused.</param>
    /// <param name="kind">Kind of the model.</param>
    /// <exception cref="RefusedException">The body is neither, has too many rows, or too many categories for a file.</exception>
    public static async Task<Manifest> ReadAsync(Stream body, int maxRows, ModelKind kind, CancellationToken cancel)
    {
        var manifest = new Manifest();
        var bytes = new byte[body.Length];
        await body.ReadExactlyAsync(bytes, cancel);
        body.Position = 0;
        var number = 0;
        if (AnnotationFormats.ReadInPlaceOfOurs(new("", bytes), kind) is { } foreign)
        {
            foreach (var row in foreign)
            {
                number = number < maxRows ? number + 1 : throw ManifestRow.TooMany(maxRows);
                manifest.Add(number, row.Image is { File: null, Url: null } ? row : row with
                {
                    Image = row.Image with
                    {
                        Url = null,
                        File = ImageNames.LastPart(row.Image.File ?? row.Image.FileName ?? row.Image.Url!),
                    },
                });
            }

            return manifest;
        }

        await foreach (var row in RowsAsync(body, maxRows, cancel))
        {
            manifest.Add(++number, row.For(kind));
        }

        return manifest;
    }

    /// <summary>The rows of a table or JSON Lines, whichever the body is.</summary>
    /// <param name="body">Seekable, read from its start.</param>
    /// <param name="maxRows">More are refused.</param>
    /// <exception cref="RefusedException">The body is neither, or has too many rows.</exception>
    public static async IAsyncEnumerable<ManifestRow> RowsAsync(Stream body, int maxRows, [EnumeratorCancellation] CancellationToken cancel)
    {
        var first = new byte[64];
        var read = await body.ReadAtLeastAsync(first, first.Length, throwOnEndOfStream: false, cancel);
        body.Position = 0;
        var lines = first.AsSpan(0, read).Trim("\uFEFF \t\r\n"u8).StartsWith("{"u8);
        var number = 0;
        await foreach (var row in lines ? LineRows.ReadAsync(body, MaxLineBytes, cancel) : TableRows.ReadAsync(body, cancel))
        {
            yield return ++number > maxRows ? throw ManifestRow.TooMany(maxRows) : row;
        }
    }

    /// <summary>The entry for this path; null if there is none.</summary>
    public ManifestEntry? Find(string path) => Use(Key(path));

    /// <summary>The entry for a file of a form, also if the file lacks Label Studio's number. It has a problem if several rows may mean
    /// the file, or if it was found for another file before.</summary>
    public ManifestEntry? FindOnce(string path)
    {
        var name = Key(path[(path.AsSpan().LastIndexOfAny('/', '\\') + 1)..]);
        _numbered ??= _entries.ToLookup(entry => ImageNames.WithoutUploadNumber(entry.Key), entry => entry.Value);
        List<Entry> meant = (_entries.GetValueOrDefault(Key(path)) ?? _entries.GetValueOrDefault(name)) is { } named ? [named]
            : [.. _numbered[name]];
        if (meant is not [{ Found: false } only])
        {
            return meant is [var first, ..] ? first.Said with { Problem = Ambiguous } : null;
        }

        only.Found = true;
        return only.Said;
    }

    /// <summary>The entry for a file with this name in any folder, unless a file at exactly that path was found before.</summary>
    public ManifestEntry? FindUnused(string name) => _entries.GetValueOrDefault(name) is { Found: true } ? null : Use(name);

    /// <summary>The names, as keys, of entries without a file.</summary>
    public IReadOnlyList<string> Unfound => [.. _entries.Where(entry => !entry.Value.Found).Select(entry => entry.Key)];

    /// <summary>Rows about files that were not sent, and rows that name no file.</summary>
    public IEnumerable<UploadedFile> Rest() =>
    [
        .. _entries.Values.Where(entry => !entry.Found).Select(entry => new UploadedFile(
            entry.FileName, entry.Said.Problem ?? new FileContent.Unusable("missing-file", "The manifest names this file, but it was not "
                + "sent; send it, or remove the row."), entry.Said.Categories, entry.Said.Split)),
        .. _unusable.Select(row => row.Row.Reason is not null || NamesFile(row.Row) ? row.Row.Read(row.Number, 0)
            : new UploadedFile($"row {row.Number}", new FileContent.Unusable("no-file-named",
                "Every row of a manifest sent with files must name one; send URLs and base64 images in a separate request."))),
    ];

    private void Add(int number, ManifestRow row)
    {
        if (row.Reason is not (null or "invalid-row") || !NamesFile(row) || !SplitNames.TryRead(row.Image.Split, out var split))
        {
            _unusable.Add((number, row));
            return;
        }

        var file = row.Image.File!;
        var problem = row.Reason is null ? null : new FileContent.Unusable(row.Reason, row.Detail!);
        if (_entries.TryGetValue(Key(file), out var entry))
        {
            var known = entry.Said.Categories ?? [];
            var more = (row.Categories ?? []).Where(category => !known.Contains(category)).Distinct().ToList();
            if (known.Count + more.Count > Model.MaxCategories)
            {
                throw RefusedException.Invalid("too-many-categories", $"The rows about \"{RequestBodies.Readable(file)}\" name more than "
                    + $"{Model.MaxCategories:N0} categories, and a model can have no more; remove some.");
            }

            entry.Said = entry.Said with
            {
                Drawn = Drawing.Join(entry.Said.Drawn, entry.Said.Categories, row.Drawn, row.Categories),
                Categories = more.Count == 0 ? known : [.. known, .. more],
                Split = entry.Said.Split ?? split,
                Problem = entry.Said.Problem ?? problem,
            };
        }
        else
        {
            entry = new() { FileName = RequestBodies.Readable(file), Said = new(row.Categories, split, row.Image, row.Drawn, problem) };
            _entries.Add(Key(file), entry);
        }
    }

    private ManifestEntry? Use(string key)
    {
        if (!_entries.TryGetValue(key, out var entry))
        {
            return null;
        }

        entry.Found = true;
        return entry.Said;
    }

    private static bool NamesFile(ManifestRow row) => row.Image is { File: not null, Url: null, Base64: null };

    /// <summary>Normalises names, because macOS writes é as two characters and tables as one.</summary>
    private static string Key(string path) =>
        string.Join('/', path.Split('/', '\\').Where(part => part is not ("" or ".")).Select(Names.Clean));

    private sealed class Entry
    {
        public required string FileName { get; init; }

        public required ManifestEntry Said { get; set; }

        public bool Found { get; set; }
    }
}

/// <summary>A manifest's entry for a file.</summary>
/// <param name="Row">The first row about it.</param>
/// <param name="Drawn">Its objects; null if no row names any.</param>
/// <param name="Problem">Why the file is left out; null if it is not.</param>
internal sealed record ManifestEntry(
    IReadOnlyList<string>? Categories, Split? Split, NewImage Row, Drawing? Drawn, FileContent.Unusable? Problem = null);
