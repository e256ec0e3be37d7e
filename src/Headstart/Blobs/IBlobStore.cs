namespace Headstart.Blobs;

/// <summary>
/// Bytes named by their SHA-256. Storing the same bytes twice makes one blob; a blob exists whole or not at all, even after a crash. All
/// members may throw <see cref="BlobStoreUnavailableException"/>.
/// </summary>
public interface IBlobStore
{
    /// <summary>Stores the bytes and returns their SHA-256. Once this returns, they survive a crash of this process, and their grace period
    /// starts again.</summary>
    Task<byte[]> PutAsync(byte[] bytes, CancellationToken cancel);

    /// <summary>The blob; null if there is none or it no longer matches its name. Brings it back if it was set aside.</summary>
    Task<byte[]?> GetAsync(byte[] sha256, CancellationToken cancel);

    /// <summary>Like <see cref="PutAsync(byte[], CancellationToken)"/>, for bytes too large for memory.</summary>
    /// <param name="bytes">Seekable; read from its start, and left open.</param>
    Task<byte[]> PutAsync(Stream bytes, CancellationToken cancel);

    /// <summary>The blob as a seekable stream, not compared with its name; null if there is none. Brings it back if it was set
    /// aside.</summary>
    Task<Stream?> OpenAsync(byte[] sha256, CancellationToken cancel);

    /// <summary>Deletes the blob if there is one. The caller makes sure that nothing needs it.</summary>
    Task DeleteAsync(byte[] sha256, CancellationToken cancel);

    /// <summary>Sends a small request. Throws if the store cannot be used.</summary>
    Task CheckAsync(CancellationToken cancel);

    /// <summary>The installation that owns these blobs: the first that asked.</summary>
    Task<string> OwnerAsync(string installation, CancellationToken cancel);

    /// <summary>All blobs in a place, in any order; may or may not include those stored or moved meanwhile.</summary>
    IAsyncEnumerable<StoredBlob> ListAsync(BlobPlace place, CancellationToken cancel);

    /// <summary>Moves a blob aside; reading brings it back. It is always in one of the two places. Only the collector calls
    /// this.</summary>
    Task SetAsideAsync(byte[] sha256, CancellationToken cancel);

    /// <summary>Moves a blob back. Only the collector calls this.</summary>
    Task BringBackAsync(byte[] sha256, CancellationToken cancel);

    /// <summary>Deletes the blob aside, never the one in its normal place. Only the collector calls this.</summary>
    Task EraseAsync(byte[] sha256, CancellationToken cancel);

    /// <summary>Deletes half-written files of processes that died before this time.</summary>
    Task DeleteHalvesAsync(DateTime before, CancellationToken cancel);
}

public enum BlobPlace
{
    Kept,

    /// <summary>Apparently unreferenced; deleted if it still is after a grace period.</summary>
    Aside,
}

/// <param name="Sha256">Its name.</param>
/// <param name="At">When it was last stored or set aside. UTC, by the store's clock.</param>
public sealed record StoredBlob(byte[] Sha256, DateTime At);
