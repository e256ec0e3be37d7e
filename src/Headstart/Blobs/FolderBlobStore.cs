using System.Security.Cryptography;

namespace Headstart.Blobs;

/// <summary>Blobs as files <c>sha256/ab/abcd…</c> below one folder.</summary>
public sealed class FolderBlobStore(string folder) : IBlobStore
{
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

    public Task<Stream?> OpenAsync(byte[] sha256, CancellationToken cancel)
    {
        var path = PathOf(sha256);
        return Task.FromResult<Stream?>(!File.Exists(path) ? null
            : new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 16, FileOptions.Asynchronous));
    }

    public Task DeleteAsync(byte[] sha256, CancellationToken cancel)
    {
        if (File.Exists(PathOf(sha256)))
        {
            File.Delete(PathOf(sha256));
        }

        return Task.CompletedTask;
    }

    public async Task<byte[]?> GetAsync(byte[] sha256, CancellationToken cancel)
    {
        var path = PathOf(sha256);
        if (!File.Exists(path))
        {
            return null;
        }

        var bytes = await File.ReadAllBytesAsync(path, cancel);
        return SHA256.HashData(bytes).AsSpan().SequenceEqual(sha256) ? bytes : null;
    }

    private async Task WriteAsync(byte[] sha256, long length, Func<FileStream, Task> write)
    {
        var path = PathOf(sha256);
        if (new FileInfo(path) is { Exists: true } there && there.Length == length)
        {
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var half = path + "." + Guid.CreateVersion7().ToString("N") + ".part";
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

    private string PathOf(byte[] sha256)
    {
        var name = Convert.ToHexStringLower(sha256);
        return Path.Combine(folder, "sha256", name[..2], name);
    }
}
