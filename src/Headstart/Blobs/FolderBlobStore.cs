using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Headstart.Blobs;

/// <summary>Blobs as files <c>sha256/ab/abcd…</c> below one folder; blobs set aside are below <c>aside</c>. Moving is renaming, so a file
/// is always in exactly one place.</summary>
/// <param name="folder">May be shared with other hosts.</param>
/// <param name="freshness">See <see cref="BlobSettings.Freshness"/>; without it every put renews the time.</param>
/// <param name="clock">Clock of this machine.</param>
public sealed class FolderBlobStore(string folder, TimeSpan freshness = default, TimeProvider? clock = null) : IBlobStore
{
    private const string Half = ".part";
    private readonly TimeProvider _clock = clock ?? TimeProvider.System;

    public async Task<byte[]> PutAsync(byte[] bytes, CancellationToken cancel)
    {
        var sha256 = SHA256.HashData(bytes);
        await WriteAsync(sha256, bytes.Length, file => file.WriteAsync(bytes, cancel).AsTask());
        return sha256;
    }

    public async Task<byte[]> PutAsync(Stream bytes, CancellationToken cancel)
    {
        bytes.Position = 0;
        var sha256 = await SHA256.HashDataAsync(bytes, cancel);
        bytes.Position = 0;
        await WriteAsync(sha256, bytes.Length, file => bytes.CopyToAsync(file, 1 << 20, cancel));
        return sha256;
    }

    public Task<Stream?> OpenAsync(byte[] sha256, CancellationToken cancel) => Task.FromResult<Stream?>(Open(sha256));

    public async Task<byte[]?> GetAsync(byte[] sha256, CancellationToken cancel)
    {
        await using var file = Open(sha256);
        if (file is null)
        {
            return null;
        }

        var bytes = new byte[file.Length];
        await file.ReadExactlyAsync(bytes, cancel);
        return SHA256.HashData(bytes).AsSpan().SequenceEqual(sha256) ? bytes : null;
    }

    public Task DeleteAsync(byte[] sha256, CancellationToken cancel) => DeleteAsync(PathOf(BlobPlace.Kept, sha256));

    public Task CheckAsync(CancellationToken cancel) => Task.CompletedTask;

    public async Task<string> OwnerAsync(string installation, CancellationToken cancel)
    {
        var file = Path.Combine(folder, "owner");
        if (!File.Exists(file))
        {
            Directory.CreateDirectory(folder);
            var half = $"{file}.{Guid.CreateVersion7():N}{Half}";
            await File.WriteAllTextAsync(half, installation, cancel);
            File.Move(half, file, overwrite: true); // if two ask at once, the loser sees its own id once and the winner's from then on
        }

        return (await File.ReadAllTextAsync(file, cancel)).Trim();
    }

    public async IAsyncEnumerable<StoredBlob> ListAsync(BlobPlace place, [EnumeratorCancellation] CancellationToken cancel)
    {
        await Task.Yield();
        foreach (var file in Files(place).Where(file => file.Name.Length == 2 * SHA256.HashSizeInBytes))
        {
            cancel.ThrowIfCancellationRequested();
            yield return new(Convert.FromHexString(file.Name), file.LastWriteTimeUtc);
        }
    }

    public Task SetAsideAsync(byte[] sha256, CancellationToken cancel)
    {
        var (kept, aside) = (PathOf(BlobPlace.Kept, sha256), PathOf(BlobPlace.Aside, sha256));
        // Renew first, then move: if we die in between, the blob is kept longer, and none lies aside for less than the grace period.
        if (Renew(kept))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(aside)!);
            Move(kept, aside);
        }

        return Task.CompletedTask;
    }

    public Task BringBackAsync(byte[] sha256, CancellationToken cancel)
    {
        BringBack(sha256);
        return Task.CompletedTask;
    }

    public Task EraseAsync(byte[] sha256, CancellationToken cancel) => DeleteAsync(PathOf(BlobPlace.Aside, sha256));

    public Task DeleteHalvesAsync(DateTime before, CancellationToken cancel)
    {
        foreach (var half in Files(BlobPlace.Kept).Where(file => file.Extension == Half && file.LastWriteTimeUtc < before))
        {
            half.Delete();
        }

        return Task.CompletedTask;
    }

    private FileStream? Open(byte[] sha256)
    {
        var path = PathOf(BlobPlace.Kept, sha256);
        for (var looks = 0; ; looks++)
        {
            try
            {
                return new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 16, FileOptions.Asynchronous);
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                // Retry even if nothing was aside: another process may have restored it in between.
                if (!BringBack(sha256) && looks > 0)
                {
                    return null;
                }
            }
        }
    }

    private bool BringBack(byte[] sha256)
    {
        var (kept, aside) = (PathOf(BlobPlace.Kept, sha256), PathOf(BlobPlace.Aside, sha256));
        if (!Renew(aside))
        {
            return false;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(kept)!);
        return Move(aside, kept);
    }

    private async Task WriteAsync(byte[] sha256, long length, Func<FileStream, Task> write)
    {
        var path = PathOf(BlobPlace.Kept, sha256);
        if (new FileInfo(path) is { Exists: true } there && there.Length == length
            && await IsWholeAsync(path, sha256) && (_clock.GetUtcNow().UtcDateTime - there.LastWriteTimeUtc < freshness || Renew(path)))
        {
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var half = path + "." + Guid.CreateVersion7().ToString("N") + Half;
        try
        {
            await using (var file = new FileStream(half, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0, FileOptions.Asynchronous))
            {
                await write(file);
                file.Flush(flushToDisk: true);
            }

            // If the process dies before this line only a .part file is left; the rename makes the blob appear whole.
            File.Move(half, path, overwrite: true);
        }
        catch
        {
            File.Delete(half);
            throw;
        }
    }

    /// <summary>Sending a damaged file again repairs it: problems say so.</summary>
    private static async Task<bool> IsWholeAsync(string path, byte[] sha256)
    {
        try
        {
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 16,
                FileOptions.Asynchronous);
            return (await SHA256.HashDataAsync(file)).AsSpan().SequenceEqual(sha256);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }

    /// <summary>False if the file does not exist any more.</summary>
    private bool Renew(string path) => Try(() => File.SetLastWriteTimeUtc(path, _clock.GetUtcNow().UtcDateTime));

    private static bool Move(string from, string to) => Try(() => File.Move(from, to, overwrite: true));

    private static bool Try(Action act)
    {
        try
        {
            act();
            return true;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }

    private static Task DeleteAsync(string path)
    {
        Try(() => File.Delete(path));
        return Task.CompletedTask;
    }

    private IEnumerable<FileInfo> Files(BlobPlace place)
    {
        var root = new DirectoryInfo(Path.Combine(folder, NameOf(place)));
        return root.Exists ? root.EnumerateDirectories().SelectMany(below => below.EnumerateFiles()) : [];
    }

    private string PathOf(BlobPlace place, byte[] sha256)
    {
        var name = Convert.ToHexStringLower(sha256);
        return Path.Combine(folder, NameOf(place), name[..2], name);
    }

    private static string NameOf(BlobPlace place) => place == BlobPlace.Kept ? "sha256" : "aside";
}
