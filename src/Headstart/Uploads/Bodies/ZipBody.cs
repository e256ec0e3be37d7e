using System.Runtime.CompilerServices;
using Headstart.Data;
using Headstart.Uploads.Archives;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Bodies;

/// <summary>An archive of images; <see cref="ArchiveLabels"/> says what they show.</summary>
internal sealed class ZipBody : UploadBody
{
    private readonly Archive _archive;
    private readonly ArchiveLabels _labels;

    private ZipBody(Stream stream, Archive archive, ArchiveLabels labels)
        : base(stream)
    {
        (_archive, _labels) = (archive, labels);
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
        var archive = await Archive.OpenAsync(stream, ArchiveLimits.Of(limits), cancel);
        try
        {
            return archive.Files.Count == 0 ? throw RefusedException.Invalid("no-files", "The archive contains no files, so nothing was "
                + "added.") : new(stream, archive, await ArchiveLabels.OfAsync(archive, model, categories, limits, cancel));
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
        _archive.Unpacked = unpacked;
        foreach (var entry in _labels.Examples.Skip(from))
        {
            yield return await ReadAsync(entry, cancel);
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
        return Placed(place.Refused is null ? await _archive.ReadImageAsync(entry, cancel)
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
