namespace Headstart.Blobs;

/// <summary>
/// Bytes named by their SHA-256. Putting the same bytes twice is one blob; a blob is there whole or not at all, also after a crash.
/// </summary>
public interface IBlobStore
{
    /// <summary>Stores the bytes and returns their SHA-256. Once this returns they survive a crash of this process.</summary>
    Task<byte[]> PutAsync(byte[] bytes, CancellationToken cancel);

    /// <summary>The blob, or null when there is none or it no longer matches its name.</summary>
    Task<byte[]?> GetAsync(byte[] sha256, CancellationToken cancel);
}
