using System.IO.Compression;
using System.Runtime.CompilerServices;
using Headstart.Operations;
using Headstart.Uploads.Formats;

namespace Headstart.Uploads;

/// <summary>
/// An archive of images: its folders are the categories, see <see cref="ZipFolders"/>, or its labels are read, see <see cref="ArchiveLabels"/>.
/// </summary>
internal sealed class ZipBody : UploadBody
{
    private readonly Archive _archive;
    private readonly UploadSettings _limits;
    private readonly List<ZipArchiveEntry> _files;
    private readonly ZipFolders _folders;
    private readonly ArchiveLabels _labels;

    private ZipBody(Stream stream, Archive archive, UploadSettings limits, List<ZipArchiveEntry> files, ArchiveLabels labels)
        : base(stream)
    {
        (_archive, _limits, _files, _labels) = (archive, limits, files, labels);
        _folders = new(files.Select(file => file.FullName), labels.Any);
        // Rows about missing files come after the existing files, always in the same order.
        Count = files.Count + labels.Rest.Count;
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
            if (archive.Files.Count == 0)
            {
                throw RefusedException.Invalid("no-files", "The archive contains no files, so nothing was added.");
            }

            var labels = await ArchiveLabels.ReadAsync(archive.Files, limits, cancel);
            var files = archive.Files.Where(file => !labels.IsAnnotation(file)).ToList();
            return files.Count + labels.Rest.Count > 0 ? new(stream, archive, limits, files, labels)
                : throw RefusedException.Invalid("no-files", "The archive contains no images, so nothing was added.");
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

        foreach (var missing in _labels.Rest.Skip(Math.Max(0, from - _files.Count)))
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
        var (place, said) = (_folders.PlaceOf(entry.FullName), _labels.Of(entry));
        if (place.Reason is not null)
        {
            return Unusable(entry, place.Reason, place.Detail!);
        }

        if (said?.Reason is not null)
        {
            return Unusable(entry, said.Reason, said.Detail!);
        }

        var categories = said?.Categories ?? (_labels.Any || place.Category is null ? null : [place.Category]);
        if (categories is null)
        {
            return _labels.Any ? Unusable(entry, "not-in-manifest", _labels.Unsaid) : Unusable(entry, "missing-category",
                "The file is not in a category folder; move it into one, or add a labels.csv with the header file,category.");
        }

        var file = await Archive.ReadAsync(entry, _limits.MaxFileBytes, cancel);
        return file with
        {
            FileName = said?.Row.Image is { File: not null, FileName: { } name } ? RequestBodies.Readable(name) : file.FileName,
            Categories = categories,
            Split = said?.Split ?? place.Split,
            Confirmed = said?.Row.Image.Confirmed is true,
            Origin = said?.Row.Image.Origin,
        };
    }

    private static UploadedFile Unusable(ZipArchiveEntry entry, string reason, string detail) =>
        new(RequestBodies.Readable(entry.FullName), new FileContent.Unusable(reason, detail));
}
