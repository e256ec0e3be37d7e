using System.Security.Cryptography;
using System.Text.Json;
using Headstart.Blobs;

namespace Headstart.Backups;

/// <summary>
/// The folder of a backup: a dump, files, and blobs named by their hashes; the next backup into the same folder copies only new blobs.
/// Renaming the manifest into place completes a backup: if the process dies before that, the previous backup is still valid.
/// </summary>
internal sealed class BackupFolder : IDisposable
{
    private const string ManifestFile = "backup.json";
    private const string LockFile = "backup.lock";
    private const string DumpPrefix = "database-";

    private readonly FileStream? _lock;

    private BackupFolder(string path, FileStream? @lock = null) => (Path, _lock, Blobs, Imports) =
        (path, @lock, new FolderBlobStore(System.IO.Path.Combine(path, "blobs")),
            new FolderBlobStore(System.IO.Path.Combine(path, "imports")));

    public string Path { get; }

    public FolderBlobStore Blobs { get; }

    public FolderBlobStore Imports { get; }

    /// <summary>Opens the folder for writing. Creates it if needed, readable only by this user because it contains everything.</summary>
    /// <exception cref="StartupException">The folder contains something else.</exception>
    /// <exception cref="IOException">Another backup is being written into it.</exception>
    public static BackupFolder Make(string path)
    {
        var folder = new DirectoryInfo(DataFolder.Resolve(path));
        if (folder.Exists && folder.EnumerateFileSystemInfos().Any() && !folder.EnumerateFileSystemInfos().Any(entry => IsOurs(entry.Name)))
        {
            throw new StartupException($"'{folder.FullName}' is neither empty nor a backup; name another folder.");
        }

        if (OperatingSystem.IsWindows())
        {
            folder.Create();
        }
        else
        {
            Directory.CreateDirectory(folder.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        var made = new BackupFolder(folder.FullName, new FileStream(System.IO.Path.Combine(folder.FullName, LockFile),
            FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        made.DeleteOtherDumps(); // those of backups that did not finish would fill the disk, night after night
        return made;
    }

    /// <summary>Opens the folder for reading.</summary>
    /// <exception cref="StartupException">There is no backup, or one that this program cannot read.</exception>
    public static async Task<(BackupFolder Folder, Backup Backup)> ReadAsync(string path, CancellationToken cancel)
    {
        var folder = new BackupFolder(DataFolder.Resolve(path));
        var manifest = System.IO.Path.Combine(folder.Path, ManifestFile);
        if (!File.Exists(manifest))
        {
            throw new StartupException($"'{folder.Path}' has no {ManifestFile}, so it is not a backup or an incomplete one; create the "
                + "backup again.");
        }

        await using var file = File.OpenRead(manifest);
        var backup = await JsonSerializer.DeserializeAsync<Backup>(file, Json.Options, cancel);
        return backup is { Format: Backup.CurrentFormat } ? (folder, backup)
            : throw new StartupException($"The backup in '{folder.Path}' has format {backup?.Format}, which this version of Headstart "
                + "cannot read; update Headstart.");
    }

    public void Dispose() => _lock?.Dispose();

    /// <summary>Path of a new dump, which belongs to the backup only once the manifest names it.</summary>
    public string NewDump() => System.IO.Path.Combine(Path, $"{DumpPrefix}{Guid.CreateVersion7():n}.dump");

    /// <summary>Copies a file into the folder unless it is already there.</summary>
    /// <param name="source">Its path.</param>
    /// <param name="name">Its path relative to this folder, separated by <c>/</c>.</param>
    public async Task<BackupFile> KeepAsync(string source, string name, CancellationToken cancel)
    {
        var described = await DescribeAsync(source, name, cancel);
        if (!await IsIntactAsync(described, cancel))
        {
            await CopyAsync(source, PathOf(described), cancel);
        }

        return described;
    }

    public static async Task<BackupFile> DescribeAsync(string source, string name, CancellationToken cancel)
    {
        await using var file = File.OpenRead(source);
        return new(name, Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancel)), file.Length);
    }

    public async Task<bool> IsIntactAsync(BackupFile file, CancellationToken cancel) =>
        File.Exists(PathOf(file)) && await DescribeAsync(PathOf(file), file.Path, cancel) == file;

    public string PathOf(BackupFile file) => System.IO.Path.Combine([Path, .. file.Path.Split('/')]);

    /// <summary>Completes the backup, then deletes what only the previous one needed.</summary>
    public async Task FinishAsync(Backup backup, IEnumerable<byte[]> blobs, IEnumerable<byte[]> imports, CancellationToken cancel)
    {
        DataFolder.WritePrivate(System.IO.Path.Combine(Path, ManifestFile + ".new"), JsonSerializer.Serialize(backup, Json.Options));
        File.Move(System.IO.Path.Combine(Path, ManifestFile + ".new"), System.IO.Path.Combine(Path, ManifestFile), overwrite: true);
        DeleteOtherDumps();
        await PruneAsync(Blobs, blobs, cancel);
        await PruneAsync(Imports, imports, cancel);
    }

    /// <summary>Deletes the dumps that the manifest does not name.</summary>
    private void DeleteOtherDumps()
    {
        var manifest = System.IO.Path.Combine(Path, ManifestFile);
        var named = File.Exists(manifest) ? File.ReadAllText(manifest) : "";
        foreach (var dump in Directory.EnumerateFiles(Path, DumpPrefix + "*")
            .Where(dump => !named.Contains(System.IO.Path.GetFileName(dump), StringComparison.Ordinal)))
        {
            File.Delete(dump);
        }
    }

    /// <summary>Copies a file atomically.</summary>
    public static async Task CopyAsync(string from, string to, CancellationToken cancel)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(to)!);
        var half = to + ".part";
        await using (var source = File.OpenRead(from))
        await using (var target = File.Create(half))
        {
            await source.CopyToAsync(target, cancel);
            target.Flush(flushToDisk: true);
        }

        File.Move(half, to, overwrite: true);
    }

    private static async Task PruneAsync(FolderBlobStore store, IEnumerable<byte[]> needed, CancellationToken cancel)
    {
        var names = needed.Select(Convert.ToHexString).ToHashSet();
        await foreach (var blob in store.ListAsync(BlobPlace.Kept, cancel))
        {
            if (!names.Contains(Convert.ToHexString(blob.Sha256)))
            {
                await store.DeleteAsync(blob.Sha256, cancel);
            }
        }
    }

    private static bool IsOurs(string name) => name is ManifestFile or LockFile || name.StartsWith(DumpPrefix, StringComparison.Ordinal);
}
