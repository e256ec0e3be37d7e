using Headstart.Access;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Jobs;
using Headstart.Postgres;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Uploads.Imports;

/// <summary>
/// The bodies of unfinished imports, stored apart from images so that deleting a body never deletes an image with the same bytes. The row
/// of a body is locked while it is stored or deleted, so that no import can refer to a body that is being deleted.
/// </summary>
public sealed class ImportSources([FromKeyedServices(BlobStores.ForImports)] IBlobStore blobs,
    IDbContextFactory<HeadstartDb> databases) : ICleanup
{
    /// <summary>Stores a body and inserts the import that <paramref name="import"/> creates for its name: both, or neither.</summary>
    /// <exception cref="RefusedException">The account has no room for it.</exception>
    /// <exception cref="DbUpdateException">The model is gone, or another import has the idempotency key.</exception>
    public async Task<Import> KeepAsync(Stream body, Guid account, Func<byte[], Import> import, CancellationToken cancel)
    {
        body.Position = 0;
        var sha256 = await System.Security.Cryptography.SHA256.HashDataAsync(body, cancel);
        await using var db = await databases.CreateDbContextAsync(cancel);
        await RefuseIfFullAsync();
        // If the process dies before the commit below, this row lets the sweep find the stored body.
        await db.Database.ExecuteSqlAsync($"INSERT INTO import_sources (sha256) VALUES ({sha256}) ON CONFLICT DO NOTHING", cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await db.Database.ExecuteSqlRawAsync(DatabaseAddress.MayIdle, cancel);
        await db.Database.ExecuteSqlAsync(
            $"INSERT INTO import_sources (sha256) VALUES ({sha256}) ON CONFLICT (sha256) DO UPDATE SET sha256 = excluded.sha256", cancel);
        await blobs.PutAsync(body, cancel);
        await RefuseIfFullAsync(); // again, because another body may have come meanwhile; now nothing else is added until the commit
        var kept = import(sha256);
        db.Add(kept);
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        return kept;

        async Task RefuseIfFullAsync() =>
            RefusedException.ThrowIf((await db.ExceededByImportAsync(account, body.Length, cancel))?.Problem());
    }

    /// <summary>Null if it no longer exists.</summary>
    public Task<Stream?> OpenAsync(Import import, CancellationToken cancel) => blobs.OpenAsync(import.Source, cancel);

    /// <summary>
    /// Deletes bodies that no import needs. If the process dies before the commit, the next sweep repeats it, which is harmless.
    /// </summary>
    public async Task SweepAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        if (!await Unneeded(db).AnyAsync(cancel))
        {
            return;
        }

        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await db.Database.ExecuteSqlRawAsync(DatabaseAddress.MayIdle, cancel);
        if (!(await db.Database.SqlQuery<bool>(BlobLock.MayDelete).ToListAsync(cancel))[0])
        {
            return; // a backup needs them; the next sweep tries again
        }

        var locked = (await db.ImportSources.FromSql($"SELECT * FROM import_sources FOR UPDATE SKIP LOCKED").AsNoTracking()
            .ToListAsync(cancel))
            .ConvertAll(source => source.Sha256);
        // Query again while holding the locks: an import that was about to commit is visible now.
        var unneeded = await Unneeded(db).Where(source => locked.Contains(source.Sha256)).Select(source => source.Sha256)
            .ToListAsync(cancel);
        foreach (var sha256 in unneeded)
        {
            await blobs.DeleteAsync(sha256, cancel);
        }

        await db.ImportSources.Where(source => unneeded.Contains(source.Sha256)).ExecuteDeleteAsync(cancel);
        await transaction.CommitAsync(cancel);
    }

    private static IQueryable<ImportSource> Unneeded(HeadstartDb db) => db.ImportSources.Where(source =>
        !db.Imports.Any(i => i.Source == source.Sha256 && (i.State == JobState.Queued || i.State == JobState.Running)));
}
