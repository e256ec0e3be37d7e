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

    /// <summary>As <see cref="PutAsync(byte[], CancellationToken)"/>, for what is too large for memory.</summary>
    /// <param name="bytes">Seekable; read from its start, and left open.</param>
    /// <param name="cancel">Ends the reading.</param>
    Task<byte[]> PutAsync(Stream bytes, CancellationToken cancel);

    /// <summary>The blob as a seekable stream, or null when there is none. It is not compared with its name.</summary>
    Task<Stream?> OpenAsync(byte[] sha256, CancellationToken cancel);

    /// <summary>Deletes the blob, if there is one. Whoever calls knows that nobody else needs these bytes.</summary>
    Task DeleteAsync(byte[] sha256, CancellationToken cancel);
}
