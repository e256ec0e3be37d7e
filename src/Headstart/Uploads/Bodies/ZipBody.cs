using System.Runtime.CompilerServices;
using Headstart.Data;
using Headstart.Uploads.Archives;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Bodies;

/// <summary>An archive of images; <see cref="ArchiveLabels"/> says what they show.</summary>
internal sealed class ZipBody : UploadBody
{
    private readonly Archive _archive;
    private readonly UploadSettings _limits;
    private readonly ArchiveLabels _labels;

    private ZipBody(Stream stream, Archive archive, UploadSettings limits, ArchiveLabels labels)
        : base(stream)
    {
        (_archive, _limits, _labels) = (archive, limits, labels);
        Count = labels.Examples.Count + labels.Missing.Count;
    }

    /// <summary>Files that are described but missing come after the existing ones.</summary>
    public override int Count { get; }

    public override IReadOnlyList<string> Notices => [.. _archive.Notices, .. _labels.Notices];

    /// <param name="stream">Seekable; it is closed with the body.</param>
    /// <param name="model">The kind of the model.</param>
    /// <param name="categories">The names of the model's categories.</param>
    /// <param name="limits">Limits for the archive.</param>
    /// <exception cref="RefusedException">It is not an archive, is too large, or it is not certain what its files show.</exception>
    public static async Task<ZipBody> OpenAsync(Stream stream, ModelKind model, IReadOnlyCollection<string> categories,
        UploadSettings limits, CancellationToken cancel)
    {
        var archive = Archive.Open(stream, limits.MaxZipFiles, out var tooMany) ?? throw (tooMany
            ? RefusedException.TooLarge("too-many-files",
                $"The archive has more than {limits.MaxZipFiles:N0} files (Headstart:Uploads:MaxZipFiles); send the rest in another "
                    + "archive.")
            : await Archive.NotAZipAsync(stream, cancel));
        try
        {
            return archive.Files.Count == 0 ? throw RefusedException.Invalid("no-files", "The archive contains no files, so nothing was "
                + "added.") : new(stream, archive, limits, await ArchiveLabels.OfAsync(archive, model, categories, limits, cancel));
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
        foreach (var entry in _labels.Examples.Skip(from))
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

        foreach (var missing in _labels.Missing.Skip(Math.Max(0, from - _labels.Examples.Count)))
        {
            yield return missing;
        }
    }

    public override async IAsyncEnumerable<UploadedFile> NamesAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        await Task.CompletedTask;
        foreach (var entry in _labels.Examples)
        {
            yield return Placed(new(RequestBodies.Readable(entry.Name), new FileContent.Unread()), _labels.Of(entry));
        }

        foreach (var missing in _labels.Missing)
        {
            yield return missing;
        }
    }

    public override void Dispose()
    {
        _archive.Dispose();
        base.Dispose();
    }

    /// <summary>Does not unpack a file that its name already rules out.</summary>
    private async Task<UploadedFile> ReadAsync(ArchiveFile entry, CancellationToken cancel)
    {
        var place = _labels.Of(entry);
        return Placed(place.Refused is null ? await Archive.ReadImageAsync(entry, _limits.MaxFileBytes, cancel)
            : new(RequestBodies.Readable(entry.Name), place.Refused), place);
    }

    private static UploadedFile Placed(UploadedFile file, FileLabels place) => file with
    {
        FileName = place.Row?.FileName is { } name ? RequestBodies.Readable(name) : file.FileName,
        Content = place.Refused ?? file.Content,
        Categories = place.Categories,
        Split = place.Split,
        Drawn = place.Drawn,
        Confirmed = place.Row?.Confirmed is true,
        Origin = place.Row?.Origin,
    };
}
