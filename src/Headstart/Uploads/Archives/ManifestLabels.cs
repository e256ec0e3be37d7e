using Headstart.Data;
using Headstart.Uploads.Datasets;
using Headstart.Uploads.Files;
using Headstart.Uploads.Formats;
using Headstart.Uploads.Manifests;

namespace Headstart.Uploads.Archives;

/// <summary>
/// Reads what each file shows from a table at the top of an archive or directly in the enclosing folder. Folders named like splits give the
/// split if the table does not.
/// </summary>
internal sealed class ManifestLabels : ArchiveLabels
{
    private static readonly string[] Names = ["labels", "manifest", "annotations"], Endings = [".csv", ".tsv", ".jsonl"];

    private readonly Manifest _manifest;
    private readonly ModelKind _kind;
    private readonly SideFolders _sides;
    private readonly Dictionary<ArchiveFile, ManifestEntry> _said = new(ReferenceEqualityComparer.Instance);

    private ManifestLabels(Manifest manifest, ModelKind kind, FolderPaths paths, IReadOnlyList<ArchiveFile> examples)
    {
        (_manifest, _kind, Examples) = (manifest, kind, examples);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in examples)
        {
            if (!names.Add(file.Name))
            {
                throw RefusedException.Invalid("ambiguous-row", $"The archive has two files named \"{RequestBodies.Readable(file.Name)}\", so "
                    + "its table does not say what each of them shows; create the archive again with different names.");
            }

            if ((manifest.Find(paths.Below(file.Name)) ?? manifest.Find(file.Name)) is { } said)
            {
                _said.Add(file, said);
            }
        }

        MatchByNameAlone();
        MatchAsOthersDo();
        _sides = new(_said.Keys.Select(file => file.Name));
        _sides.RefuseHidden(_said.Where(file => file.Value is { Split: null, Problem: null }).Select(file => file.Key.Name));
    }

    public override IReadOnlyList<ArchiveFile> Examples { get; }

    public override IReadOnlyList<UploadedFile> Missing => [.. _manifest.Rest()];

    /// <returns>null if there is no such table, or another tool wrote it: see <see cref="AnnotationLabels"/>.</returns>
    public static async Task<ManifestLabels?> FindAsync(Archive archive, ModelKind kind, UploadSettings limits,
        CancellationToken cancel)
    {
        var paths = new FolderPaths(archive.Files.Select(file => file.Name));
        var tables = archive.Files.Where(file => IsTable(paths.Below(file.Name))).ToList();
        if (tables is not [var table])
        {
            var names = string.Join(", ", tables.Take(5).Select(file => RequestBodies.Readable(file.Name)));
            return tables.Count == 0 ? null : throw RefusedException.Invalid("several-manifests",
                $"The archive has several tables of labels ({names}); leave the one that counts.");
        }

        var read = await Archive.ReadAsync(table, Manifest.MaxBytes, cancel);
        return read.Bytes is { } bytes ? AnnotationFormats.ReadInPlaceOfOurs(new(table.Name, bytes), kind) is not null ? null
            : new(await Manifest.ReadAsync(new MemoryStream(bytes), limits.MaxRows, kind, cancel), kind, paths,
                [.. archive.Files.Where(file => file != table && !DatasetExport.IsReadme(paths.Below(file.Name)))])
            : throw RefusedException.Invalid("invalid-manifest", $"{read.FileName} cannot be read: {read.Unusable!.Detail}");
    }

    public override FileLabels Of(ArchiveFile file) =>
        SafePath.Parts(file.Name) is null ? SafePath.Refused
        : _said.GetValueOrDefault(file) is { } said
            ? said.Problem is { } problem ? FileLabels.Not(problem.Reason, problem.Detail)
            : new(said.Categories, said.Split ?? _sides.Of(file.Name), Row: said.Row) { Drawn = said.Drawn }
        : _kind.HasBoxes() ? new(null, _sides.Of(file.Name))
        : FileLabels.Not("not-in-manifest",
            "The manifest of the archive has no row for this file; add one, or omit the manifest to use the folders as categories.");

    /// <summary>A row without a folder matches the file of this name in any folder, if there is only one.</summary>
    private void MatchByNameAlone()
    {
        foreach (var files in Examples.Where(file => !_said.ContainsKey(file) && SafePath.Parts(file.Name) is { Length: > 1 })
            .GroupBy(file => SafePath.Parts(file.Name)![^1], StringComparer.Ordinal))
        {
            if (_manifest.FindUnused(files.Key) is not { } said)
            {
                continue;
            }

            if (files.DistinctBy(file => file.Name).Skip(1).FirstOrDefault() is { } other)
            {
                throw RefusedException.Invalid("ambiguous-row", $"The table has one row for \"{RequestBodies.Readable(files.First().Name)}\" "
                    + $"and \"{RequestBodies.Readable(other.Name)}\", so it does not say what each of them shows; write the folders into "
                    + "its rows.");
            }

            foreach (var file in files)
            {
                _said.Add(file, said);
            }
        }
    }

    /// <summary>Rows with folders of another computer, or in another case, match the only file that they can mean.</summary>
    private void MatchAsOthersDo()
    {
        var files = Examples.Where(file => SafePath.Parts(file.Name) is not null).ToList();
        var images = new ImageNames(files.Select(file => string.Join('/', SafePath.Parts(file.Name)!)));
        foreach (var meant in _manifest.Unfound.Select(name => (Name: name, images.Find(name, "", null).Files))
            .Where(found => found.Files.Count == 1 && !_said.ContainsKey(files[found.Files[0]])).GroupBy(found => found.Files[0])
            .Where(rows => rows.Count() == 1).ToList())
        {
            _said.Add(files[meant.Key], _manifest.Find(meant.Single().Name)!);
        }
    }

    /// <summary>Whether a file at this path below the enclosing folders is such a table.</summary>
    public static bool IsTable(string path) => Endings.Contains(Path.GetExtension(path).ToLowerInvariant())
        && Names.Contains(Path.ChangeExtension(path, null).ToLowerInvariant());
}
