using System.Security.Cryptography;
using Headstart.Learning.Texts;

namespace Headstart.Learning.Backbones;

/// <summary>
/// Downloads backbones of the catalogue. A file appears in its place whole and verified or not at all; interrupted downloads resume, even
/// after a restart. However many tasks and processes of this machine want a file in a folder, it is transferred once.
/// </summary>
public sealed class BackboneDownload(DownloadSettings? settings = null)
{
    private static readonly TimeSpan LockPoll = TimeSpan.FromMilliseconds(200);

    private readonly DownloadSettings _settings = settings ?? new DownloadSettings();

    /// <summary>Makes sure that the folder contains the file.</summary>
    /// <param name="entry">The backbone; <see cref="CatalogueEntry.Address"/> must be known unless the folder already has it.</param>
    /// <param name="folder">Target folder, created if missing. The file is called <c>id.onnx</c>.</param>
    /// <param name="mirrorPrefix">Replaces scheme and host of the address: <c>https://mirror/zoo/</c> + path.</param>
    /// <param name="progress">Bytes so far and in total, also while another task or process downloads the file.</param>
    /// <param name="cancel">Ends the wait; the transfer itself ends when nobody waits any more.</param>
    /// <exception cref="BackboneException">The download failed; the message says why.</exception>
    public async Task<BackboneFile> FetchAsync(CatalogueEntry entry, string folder, Uri? mirrorPrefix = null,
        IProgress<(long Done, long Total)>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(entry);
        var path = Path.Combine(Path.GetFullPath(folder), $"{entry.Manifest.Id}.onnx");
        await FetchAsync(entry.Manifest.Id, new(entry.Address, entry.Manifest.Bytes, entry.Manifest.Sha256), path, mirrorPrefix, progress,
            cancel);
        return new BackboneFile(entry.Manifest, path);
    }

    /// <summary>Makes sure that the folder contains a sentence network and its vocabulary, in <c>text/id</c>.</summary>
    /// <param name="entry">The network.</param>
    /// <param name="folder">Folder of backbones, created if missing.</param>
    /// <param name="mirrorPrefix">As above.</param>
    /// <param name="progress">Progress of one file after the other.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <returns>The folder that contains them.</returns>
    /// <exception cref="BackboneException">The download failed; the message says why.</exception>
    public async Task<string> FetchAsync(TextCatalogueEntry entry, string folder, Uri? mirrorPrefix = null,
        IProgress<(long Done, long Total)>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(entry);
        var place = Path.Combine(Path.GetFullPath(folder), "text", entry.Id);
        // Vocabulary first: a network without one is reported as broken.
        await FetchAsync(entry.Id, entry.Vocabulary, Path.Combine(place, entry.VocabularyName), mirrorPrefix, progress, cancel);
        Describe(entry, place);
        await FetchAsync(entry.Id, entry.Network, Path.Combine(place, entry.NetworkName), mirrorPrefix, progress, cancel);
        return place;
    }

    /// <summary>Written before the network, which would otherwise be used with the wrong settings.</summary>
    private static void Describe(TextCatalogueEntry entry, string place)
    {
        try
        {
            if (entry.Reading != SentenceReading.Usual)
            {
                File.WriteAllBytes(Path.Combine(place, TextCatalogueEntry.ReadingName), entry.Reading.ToJson());
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BackboneException($"The backbone '{entry.Id}' could not be downloaded: {exception.Message.TrimEnd('.')}.", exception);
        }
    }

    private async Task FetchAsync(string id, PublishedFile file, string path, Uri? mirror, IProgress<(long Done, long Total)>? progress,
        CancellationToken cancel)
    {
        try
        {
            await SharedWork.RunAsync($"{path}\n{file.Sha256}", progress, (report, stop) =>
                UnderLockAsync(file, path, mirror, done => report((done, file.Bytes)), stop), cancel);
        }
        catch (Exception exception) when
            (exception is BackboneException or BrokenTransferException or IOException or UnauthorizedAccessException)
        {
            throw new BackboneException($"The backbone '{id}' could not be downloaded: {exception.Message.TrimEnd('.')}.", exception);
        }
    }

    private async Task UnderLockAsync(PublishedFile file, string path, Uri? mirror, Action<long> report, CancellationToken cancel)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var part = Path.Combine(Path.GetDirectoryName(path)!, $"{file.Sha256}.part");
        if (!await IsIntactAsync(path, file, cancel))
        {
            // The lock ends with the process, but its file stays: if it were removed, two processes could each lock a file of this name.
            await using var held = await LockAsync(Path.ChangeExtension(part, ".lock"), () => report(Length(part)), cancel);
            if (!await IsIntactAsync(path, file, cancel)) // another process may have downloaded it
            {
                await BringAsync(file, Address(file, mirror), part, report, cancel);
                File.Move(part, path, overwrite: true);
            }
        }

        report(file.Bytes);
    }

    private async Task BringAsync(PublishedFile file, Uri address, string part, Action<long> report, CancellationToken cancel)
    {
        var resumed = Length(part) > 0;
        await TransferAsync(file, address, part, report, cancel);
        if (resumed && !await IsIntactAsync(part, file, cancel))
        {
            File.Delete(part); // the earlier bytes may be damaged or of another file: start again
            await TransferAsync(file, address, part, report, cancel);
        }

        if (!await IsIntactAsync(part, file, cancel))
        {
            File.Delete(part);
            throw new BackboneException("the downloaded file does not have the SHA-256 in the catalogue and was deleted");
        }
    }

    private async Task TransferAsync(PublishedFile file, Uri address, string part, Action<long> report, CancellationToken cancel)
    {
        var transfer = new Transfer(file, part, _settings, report);
        if (Length(part) > file.Bytes)
        {
            File.Delete(part);
        }

        for (var attempt = 0; Length(part) != file.Bytes;)
        {
            var before = Length(part);
            try
            {
                await transfer.RunAsync(address, cancel);
                return;
            }
            catch (BrokenTransferException broken)
            {
                if (broken.Unreachable && attempt == 0 && !_settings.RetryUnreachable)
                {
                    throw;
                }

                attempt = Length(part) - before >= _settings.RetryReset ? 1 : attempt + 1;
                if (attempt > _settings.Retries)
                {
                    throw;
                }

                var wait = broken.Wait ?? _settings.RetryDelay * Math.Pow(2, attempt - 1);
                await Task.Delay(wait < _settings.LongestDelay ? wait : _settings.LongestDelay, cancel);
            }
        }
    }

    private static async Task<FileStream> LockAsync(string path, Action waiting, CancellationToken cancel)
    {
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException exception) when (File.Exists(path) && exception.GetType() == typeof(IOException))
            {
                waiting();
                await Task.Delay(LockPoll, cancel);
            }
        }
    }

    private static async Task<bool> IsIntactAsync(string path, PublishedFile file, CancellationToken cancel)
    {
        if (!File.Exists(path) || Length(path) != file.Bytes)
        {
            return false;
        }

        await using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancel)) == file.Sha256;
    }

    private static Uri Address(PublishedFile file, Uri? mirror)
    {
        var address = file.Address ?? throw new BackboneException("the catalogue has no URL for it");
        if (mirror is { IsAbsoluteUri: false } or { Scheme: not ("http" or "https") })
        {
            throw new BackboneException($"the mirror '{mirror.OriginalString}' is not an http or https URL");
        }

        return mirror is null ? address : new Uri($"{mirror.AbsoluteUri.TrimEnd('/')}{address.PathAndQuery}");
    }

    private static long Length(string path) => new FileInfo(path) is { Exists: true } here ? here.Length : 0;
}
