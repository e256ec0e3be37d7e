using System.IO.Compression;
using System.Runtime.CompilerServices;
using Headstart.Operations;

namespace Headstart.Uploads;

/// <summary>
/// An archive of images: its folders are the categories, see <see cref="ZipFolders"/>, or a manifest at the top level labels them.
/// </summary>
internal sealed class ZipBody : UploadBody
{
    private readonly Archive _archive;
    private readonly UploadSettings _limits;
    private readonly List<ZipArchiveEntry> _files;
    private readonly ZipFolders _folders;
    private readonly Manifest? _manifest;

    private ZipBody(Stream stream, Archive archive, UploadSettings limits, List<ZipArchiveEntry> files, ZipFolders folders,
        Manifest? manifest)
        : base(stream)
    {
        (_archive, _limits, _files, _folders, _manifest) = (archive, limits, files, folders, manifest);
        // Manifest rows about missing files come after the existing files, always in the same order.
        files.ForEach(file => Said(file, _folders.PlaceOf(file.FullName)));
        Count = files.Count + (_manifest?.Rest().Count() ?? 0);
    }

    public override int Count { get; }

    public static async Task<ZipBody> OpenAsync(Stream stream, UploadSettings limits, CancellationToken cancel)
    {
        var archive = Archive.Open(stream, limits.MaxZipFiles, out var tooMany) ?? throw (tooMany
            ? RefusedException.TooLarge("too-many-files",
                $"The archive has more than {limits.MaxZipFiles:N0} files (Headstart:Uploads:MaxZipFiles); send the rest in another "
                    + "archive.")
            : RefusedException.Invalid("not-a-zip",
                "The body is not a zip archive, or the archive is damaged or incomplete; create it again, for example with zip -r "
                    + "photos.zip photos."));
        try
        {
            var files = archive.Files.ToList();
            if (files.Count == 0)
            {
                throw RefusedException.Invalid("no-files", "The archive contains no files, so nothing was added.");
            }

            var manifest = await ManifestAsync(files, limits, cancel);
            return new(stream, archive, limits, files, new(files.Select(file => file.FullName), manifest is not null), manifest);
        }
        catch
        {
            archive.Dispose();
            throw;
        }
    }

    public override async IAsyncEnumerable<UploadedFile> ReadAsync(int from, long unpacked,
        [EnumeratorCancellation] CancellationToken cancel)
    {
        foreach (var entry in _files.Skip(from))
        {
            var file = await ReadAsync(entry, cancel);
            unpacked += file.Bytes?.Length ?? (file.Unusable?.Reason == "too-large" ? _limits.MaxFileBytes : 0);
            if (unpacked > _limits.MaxUnpackedBytes)
            {
                throw RefusedException.TooLarge("archive-too-large", "Unpacked, the archive is larger than "
                    + $"{_limits.MaxUnpackedBytes:N0} bytes (Headstart:Uploads:MaxUnpackedBytes). The files before the limit are kept; "
                    + "send the rest in another archive.");
            }

            yield return file;
        }

        foreach (var missing in (_manifest?.Rest() ?? []).Skip(Math.Max(0, from - _files.Count)))
        {
            yield return missing;
        }
    }

    public override void Dispose()
    {
        _archive.Dispose();
        base.Dispose();
    }

    private async Task<UploadedFile> ReadAsync(ZipArchiveEntry entry, CancellationToken cancel)
    {
        var place = _folders.PlaceOf(entry.FullName);
        var said = Said(entry, place);
        if (place.Reason is null && _manifest is not null && said is null)
        {
            return Unusable(entry, "not-in-manifest",
                "The manifest of the archive has no row for this file; add one, or omit the manifest to use the folders as categories.");
        }

        if (place.Reason is null && _manifest is null && place.Category is null)
        {
            return Unusable(entry, "missing-category",
                "The file is not in a category folder; move it into one, or add a labels.csv with the header file,category.");
        }

        var file = place.Reason is null ? await Archive.ReadAsync(entry, _limits.MaxFileBytes, cancel)
            : Unusable(entry, place.Reason, place.Detail!);
        return file with
        {
            Categories = said?.Categories ?? (place.Category is { } category ? [category] : null),
            Split = said?.Split ?? place.Split
        };
    }

    private static UploadedFile Unusable(ZipArchiveEntry entry, string reason, string detail) =>
        new(RequestBodies.Readable(entry.FullName), new FileContent.Unusable(reason, detail));

    /// <summary>A manifest may name files with or without the wrapping folder.</summary>
    private ManifestEntry? Said(ZipArchiveEntry entry, ZipPlace place) => _manifest?.Find(place.Path) ?? _manifest?.Find(entry.FullName);

    /// <summary>The manifest at the top level or directly in the wrapping folder; it is removed from the files.</summary>
    private static async Task<Manifest?> ManifestAsync(List<ZipArchiveEntry> files, UploadSettings limits, CancellationToken cancel)
    {
        var folders = new ZipFolders(files.Select(file => file.FullName), manifest: true);
        var at = files.FindIndex(file => folders.PlaceOf(file.FullName)
            .Path.ToLowerInvariant() is "labels.csv" or "labels.jsonl" or "manifest.csv"
            or "manifest.jsonl" or "annotations.csv" or "annotations.jsonl");
        if (at < 0)
        {
            return null;
        }

        var file = await Archive.ReadAsync(files[at], UploadReader.MaxManifestBytes, cancel);
        files.RemoveAt(at);
        return file.Bytes is { } bytes ? await Manifest.ReadAsync(new MemoryStream(bytes), limits.MaxRows, cancel)
            : throw RefusedException.Invalid("invalid-manifest", $"{file.FileName} cannot be read: {file.Unusable!.Detail}");
    }
}
