using System.Security.Cryptography;

namespace Headstart.Blobs;

/// <summary>Blobs as files <c>sha256/ab/abcd…</c> below one folder.</summary>
public sealed class FolderBlobStore(string folder) : IBlobStore
{
    public async Task<byte[]> PutAsync(byte[] bytes, CancellationToken cancel)
    {
        var sha256 = SHA256.HashData(bytes);
        var path = PathOf(sha256);
        if (new FileInfo(path) is { Exists: true } there && there.Length == bytes.Length)
        {
            return sha256;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var half = path + "." + Guid.CreateVersion7().ToString("N") + ".part";
        try
        {
            await using (var file = new FileStream(half, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0, FileOptions.Asynchronous))
            {
                await file.WriteAsync(bytes, cancel);
                file.Flush(flushToDisk: true);
            }

            // If the process dies before this line only a .part file is left; the rename makes the blob appear whole.
            File.Move(half, path, overwrite: true);
            return sha256;
        }
        catch
        {
            File.Delete(half);
            throw;
        }
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

    private string PathOf(byte[] sha256)
    {
        var name = Convert.ToHexStringLower(sha256);
        return Path.Combine(folder, "sha256", name[..2], name);
    }
}
