namespace Headstart.Blobs;

/// <summary>
/// Bytes named by their SHA-256. Putting the same bytes twice is one blob; a blob is there whole or not at all, also after a crash. Any
/// member may throw <see cref="BlobStoreUnavailableException"/>.
/// </summary>
public interface IBlobStore
{
    /// <summary>Stores the bytes and returns their SHA-256. Once this returns they survive a crash of this process, and their grace begins
    /// anew.</summary>
    Task<byte[]> PutAsync(byte[] bytes, CancellationToken cancel);

    /// <summary>The blob, or null when there is none or it no longer matches its name. One that lies aside comes back.</summary>
    Task<byte[]?> GetAsync(byte[] sha256, CancellationToken cancel);

    /// <summary>As <see cref="PutAsync(byte[], CancellationToken)"/>, for what is too large for memory.</summary>
    /// <param name="bytes">Seekable; read from its start, and left open.</param>
    Task<byte[]> PutAsync(Stream bytes, CancellationToken cancel);

    /// <summary>The blob as a seekable stream, or null when there is none. It is not compared with its name. One that lies aside comes
    /// back.</summary>
    Task<Stream?> OpenAsync(byte[] sha256, CancellationToken cancel);

    /// <summary>Deletes the blob, if there is one. The caller makes sure that nothing else needs it.</summary>
    Task DeleteAsync(byte[] sha256, CancellationToken cancel);

    /// <summary>Sends a small request. Throws if the store cannot be used.</summary>
    Task CheckAsync(CancellationToken cancel);

    /// <summary>The installation that these blobs belong to: the first that asked.</summary>
    Task<string> OwnerAsync(string installation, CancellationToken cancel);

    /// <summary>Everything that lies in a place, in any order, also what is put or moved meanwhile or not.</summary>
    IAsyncEnumerable<StoredBlob> ListAsync(BlobPlace place, CancellationToken cancel);

    /// <summary>Moves a blob aside, from where reading still brings it back; it is in one of the places at any time. For the one
    /// collector.</summary>
    Task SetAsideAsync(byte[] sha256, CancellationToken cancel);

    /// <summary>Moves a blob back. For the one collector.</summary>
    Task BringBackAsync(byte[] sha256, CancellationToken cancel);

    /// <summary>Deletes what lies aside under this name, and only that. For the one collector.</summary>
    Task EraseAsync(byte[] sha256, CancellationToken cancel);

    /// <summary>Deletes half-written files of puts that died before this time.</summary>
    Task DeleteHalvesAsync(DateTime before, CancellationToken cancel);
}

public enum BlobPlace
{
    Kept,

    /// <summary>Unneeded, as it seems; deleted if it still seems so a grace later.</summary>
    Aside,
}

/// <param name="Sha256">Its name.</param>
/// <param name="At">When it was put last, or set aside. UTC, by the store's clock.</param>
public sealed record StoredBlob(byte[] Sha256, DateTime At);
