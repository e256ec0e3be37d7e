using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Amazon.S3.Model;

namespace Headstart.Blobs;

/// <summary>
/// Blobs as objects <c>sha256/ab/abcd…</c> below a prefix of a bucket; blobs set aside are below <c>aside</c>. Moving is copying, then
/// deleting, so an object is always in at least one place. Only the collector deletes: a reader that finds a blob aside copies it back and
/// leaves the copy.
/// </summary>
/// <param name="bucket">May be shared with other hosts.</param>
/// <param name="prefix">Ends with <c>/</c>, or is empty.</param>
/// <param name="freshness">See <see cref="BlobSettings.Freshness"/>.</param>
/// <param name="clock">Clock of this machine; the times of objects are the server's.</param>
public sealed class S3BlobStore(S3Bucket bucket, string prefix, TimeSpan freshness, TimeProvider clock) : IBlobStore
{
    public async Task<byte[]> PutAsync(byte[] bytes, CancellationToken cancel)
    {
        using var stream = new MemoryStream(bytes, writable: false);
        return await PutAsync(stream, cancel);
    }

    public async Task<byte[]> PutAsync(Stream bytes, CancellationToken cancel)
    {
        bytes.Position = 0;
        var sha256 = await SHA256.HashDataAsync(bytes, cancel);
        var key = KeyOf(BlobPlace.Kept, sha256);
        if (await bucket.FindAsync(key, cancel) is not var (length, at) || length != bytes.Length || clock.GetUtcNow()
            .UtcDateTime - at >= freshness)
        {
            bytes.Position = 0;
            await bucket.PutAsync(key, bytes, cancel);
        }

        return sha256;
    }

    public async Task<byte[]?> GetAsync(byte[] sha256, CancellationToken cancel)
    {
        var bytes = await WhereverAsync(sha256, key => bucket.GetAsync(key, null, cancel), cancel);
        return bytes is not null && SHA256.HashData(bytes).AsSpan().SequenceEqual(sha256) ? bytes : null;
    }

    public async Task<Stream?> OpenAsync(byte[] sha256, CancellationToken cancel)
    {
        var found = await WhereverAsync(sha256, async key => (await bucket.FindAsync(key, cancel))?.Length as object, cancel);
        return found is not long length ? null : new BlockStream(length, async (offset, count, token) =>
            await WhereverAsync(sha256, key => bucket.GetAsync(key, new ByteRange(offset, offset + count - 1), token), token)
            ?? throw new IOException("The blob was deleted while it was being read."));
    }

    public Task DeleteAsync(byte[] sha256, CancellationToken cancel) => bucket.DeleteAsync(KeyOf(BlobPlace.Kept, sha256), cancel);

    public Task CheckAsync(CancellationToken cancel) => bucket.CheckAsync(prefix, cancel);

    public async Task<string> OwnerAsync(string installation, CancellationToken cancel)
    {
        if (await bucket.GetAsync(prefix + "owner", null, cancel) is { } owner)
        {
            return Encoding.UTF8.GetString(owner);
        }

        using var first = new MemoryStream(Encoding.UTF8.GetBytes(installation));
        await bucket.PutAsync(prefix + "owner", first, cancel);
        return installation;
    }

    public async IAsyncEnumerable<StoredBlob> ListAsync(BlobPlace place, [EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var (key, at) in bucket.ListAsync(FolderOf(place), cancel))
        {
            var name = key[(key.LastIndexOf('/') + 1)..];
            if (name.Length == 2 * SHA256.HashSizeInBytes && name.All(char.IsAsciiHexDigitLower))
            {
                yield return new(Convert.FromHexString(name), at);
            }
        }
    }

    public async Task SetAsideAsync(byte[] sha256, CancellationToken cancel)
    {
        // If we die between the two, it is in both places, and the next collection sets it aside again.
        if (await bucket.CopyAsync(KeyOf(BlobPlace.Kept, sha256), KeyOf(BlobPlace.Aside, sha256), cancel))
        {
            await bucket.DeleteAsync(KeyOf(BlobPlace.Kept, sha256), cancel);
        }
    }

    public async Task BringBackAsync(byte[] sha256, CancellationToken cancel)
    {
        if (await bucket.CopyAsync(KeyOf(BlobPlace.Aside, sha256), KeyOf(BlobPlace.Kept, sha256), cancel))
        {
            await bucket.DeleteAsync(KeyOf(BlobPlace.Aside, sha256), cancel);
        }
    }

    public Task EraseAsync(byte[] sha256, CancellationToken cancel) => bucket.DeleteAsync(KeyOf(BlobPlace.Aside, sha256), cancel);

    /// <summary>Nothing to do: a put is atomic, and a lifecycle rule of the bucket deletes parts of unfinished large uploads.</summary>
    public Task DeleteHalvesAsync(DateTime before, CancellationToken cancel) => Task.CompletedTask;

    /// <summary>
    /// Looks in the normal place, aside, and in the normal place again, because it may have been brought back in between. A blob found
    /// aside is copied back; deleting the copy is left to the collector, which may be setting the blob aside at this moment.
    /// </summary>
    private async Task<T?> WhereverAsync<T>(byte[] sha256, Func<string, Task<T?>> ask, CancellationToken cancel)
        where T : class
    {
        var (kept, aside) = (KeyOf(BlobPlace.Kept, sha256), KeyOf(BlobPlace.Aside, sha256));
        if (await ask(kept) is { } found)
        {
            return found;
        }

        if (await ask(aside) is not { } lying)
        {
            return await ask(kept);
        }

        await bucket.CopyAsync(aside, kept, cancel);
        return lying;
    }

    private string KeyOf(BlobPlace place, byte[] sha256)
    {
        var name = Convert.ToHexStringLower(sha256);
        return $"{FolderOf(place)}{name[..2]}/{name}";
    }

    private string FolderOf(BlobPlace place) => prefix + (place == BlobPlace.Kept ? "sha256/" : "aside/");
}
