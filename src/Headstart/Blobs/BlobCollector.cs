using Headstart.Data;
using Headstart.Postgres;
using Npgsql;

namespace Headstart.Blobs;

/// <param name="SetAside">Blobs that seem unreferenced.</param>
/// <param name="BroughtBack">Blobs that turned out to be referenced.</param>
/// <param name="Deleted">Blobs still unreferenced after a grace period aside.</param>
public sealed record Collected(int SetAside, int BroughtBack, int Deleted);

/// <summary>
/// Deletes unreferenced blobs while others store, read and refer to them. A blob is stored before the row that refers to it is committed,
/// and no lock spans the two, so a blob is checked twice, a grace period apart: <list type="number"> <item>A blob stored more than a grace
/// period ago and not referenced is set aside. If it was stored again between check and move, whoever reads it finds it aside and brings it
/// back.</item> <item>Every collection checks the blobs aside. Referenced ones come back; the others are deleted after a grace period
/// there. A put never relies on a blob aside: it always writes to the normal place, and only blobs aside are deleted.</item> </list> So a
/// row committed within two grace periods of its put has its blob. If the process dies anywhere, a blob is in its place, aside, or both,
/// and the next collection continues. Only one collector works at a time, see <see cref="BlobLock"/>.
/// </summary>
public sealed partial class BlobCollector(BlobStores stores, BlobSettings settings, DatabaseAddress database, TimeProvider clock,
    ILogger<BlobCollector> log)
{
    private const int BlobsPerQuery = 10_000; // per query, because each query reads all references
    private const int AtOnce = 8;

    private readonly BlobReferences _references = new(stores.Blobs);

    /// <returns>null if another collector or a backup is at work.</returns>
    /// <exception cref="InvalidOperationException">The blobs belong to another installation.</exception>
    public async Task<Collected?> CollectAsync(CancellationToken cancel)
    {
        await using var may = await BlobLock.TryDeleteAsync(database, cancel);
        if (may is null)
        {
            return null;
        }

        await RefuseOthersAsync(may, cancel);
        var blobs = await CollectAsync(may, stores.Blobs, BlobReferences.ToBlobs, cancel);
        var imports = await CollectAsync(may, stores.Imports, BlobReferences.ToImportsToBe, cancel);
        var all = new Collected(blobs.SetAside + imports.SetAside, blobs.BroughtBack + imports.BroughtBack,
            blobs.Deleted + imports.Deleted);
        Log.Done(log, all.SetAside, all.BroughtBack, all.Deleted);
        return all;
    }

    /// <summary>With the database of one installation and the blobs of another, all of them would seem unreferenced.</summary>
    private async Task RefuseOthersAsync(BlobLock may, CancellationToken cancel)
    {
        var installation = await may.AskAsync(async database =>
        {
            await using var first = new NpgsqlCommand("SELECT id::text FROM accounts ORDER BY created_at, id LIMIT 1", database);
            return await first.ExecuteScalarAsync(cancel) as string;
        }, cancel) ?? throw new InvalidOperationException("the installation has no account yet");
        foreach (var store in (IBlobStore[])[stores.Blobs, stores.Imports])
        {
            if (await store.OwnerAsync(installation, cancel) is var owner && owner != installation)
            {
                throw new InvalidOperationException($"the blob store belongs to installation {owner}, but this database to {installation}; "
                    + "if they belong together, delete the file or object named owner in the blob store");
            }
        }
    }

    private async Task<Collected> CollectAsync(BlobLock may, IBlobStore store, string references, CancellationToken cancel)
    {
        var old = clock.Now() - settings.Grace;
        await store.DeleteHalvesAsync(old, cancel);
        var (back, deleted, aside) = (0, 0, 0);
        await foreach (var lying in store.ListAsync(BlobPlace.Aside, cancel).Chunk(BlobsPerQuery).WithCancellation(cancel))
        {
            var (needed, unneeded) = await LookAsync(may, references, lying, cancel);
            // A store without renames copies a blob to its place before it deletes the one aside.
            await EachAsync(needed, store.BringBackAsync, cancel);
            var expired = unneeded.FindAll(blob => blob.At < old);
            await EachAsync(expired, store.EraseAsync, cancel);
            (back, deleted) = (back + needed.Count, deleted + expired.Count);
        }

        await foreach (var kept in store.ListAsync(BlobPlace.Kept, cancel).Where(blob => blob.At < old).Chunk(BlobsPerQuery)
            .WithCancellation(cancel))
        {
            var (_, unneeded) = await LookAsync(may, references, kept, cancel);
            await EachAsync(unneeded, store.SetAsideAsync, cancel);
            // References committed between check and move need not wait for a reader or the next collection.
            var (needed, _) = await LookAsync(may, references, [.. unneeded], cancel);
            await EachAsync(needed, store.BringBackAsync, cancel);
            (aside, back) = (aside + unneeded.Count, back + needed.Count);
        }

        return new(aside, back, deleted);
    }

    /// <summary>Uses the connection that holds the lock: if it is lost, this fails.</summary>
    private async Task<(List<StoredBlob> Needed, List<StoredBlob> Unneeded)> LookAsync(BlobLock may, string references, StoredBlob[] blobs,
        CancellationToken cancel)
    {
        var unneeded = blobs.Length == 0 ? []
            : (await may.AskAsync(database => _references.UnneededAsync(database, references, blobs.Select(blob => blob.Sha256).ToList(),
                cancel), cancel))
                .ConvertAll(Convert.ToHexString).ToHashSet();
        var those = blobs.ToLookup(blob => unneeded.Contains(Convert.ToHexString(blob.Sha256)));
        return ([.. those[false]], [.. those[true]]);
    }

    private static Task EachAsync(List<StoredBlob> blobs, Func<byte[], CancellationToken, Task> act, CancellationToken cancel) =>
        Parallel.ForEachAsync(
        blobs, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancel }, async (blob, token) =>
        await act(blob.Sha256, token));

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Blob collection: {Aside} quarantined, {Back} restored, {Deleted} deleted")]
        public static partial void Done(ILogger log, int aside, int back, int deleted);
    }
}
