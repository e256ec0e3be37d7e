using Headstart.Blobs;
using Headstart.Data;
using Headstart.Jobs;
using Headstart.Postgres;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Uploads;

/// <summary>
/// The bodies of imports that have not ended, in a place of their own: an image with the same bytes is not theirs to delete. The row of a body is
/// locked while it is put or deleted, so that neither happens to a body that an import is about to name.
/// </summary>
public sealed class ImportSources([FromKeyedServices(BlobStores.ForImports)] IBlobStore blobs, IDbContextFactory<HeadstartDb> databases) : ISwept
{
    /// <summary>Keeps a body and inserts the import that <paramref name="import"/> makes of its name: both, or no import.</summary>
    /// <exception cref="DbUpdateException">The model is gone, or another import has the idempotency key.</exception>
    public async Task<Import> KeepAsync(Stream body, Func<byte[], Import> import, CancellationToken cancel)
    {
        body.Position = 0;
        var sha256 = await System.Security.Cryptography.SHA256.HashDataAsync(body, cancel);
        await using var db = await databases.CreateDbContextAsync(cancel);
        // If we die before the commit below, this row lets the sweep find what was put until then.
        await db.Database.ExecuteSqlAsync($"INSERT INTO import_sources (sha256) VALUES ({sha256}) ON CONFLICT DO NOTHING", cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await db.Database.ExecuteSqlRawAsync(DatabaseAddress.MayIdle, cancel);
        await db.Database.ExecuteSqlAsync(
            $"INSERT INTO import_sources (sha256) VALUES ({sha256}) ON CONFLICT (sha256) DO UPDATE SET sha256 = excluded.sha256", cancel);
        await blobs.PutAsync(body, cancel);
        var kept = import(sha256);
        db.Add(kept);
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        return kept;
    }

    /// <summary>Null when it is not there any more.</summary>
    public Task<Stream?> OpenAsync(Import import, CancellationToken cancel) => blobs.OpenAsync(import.Source, cancel);

    /// <summary>Deletes what no import needs. If we die before the commit it is deleted again, which does nothing.</summary>
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
            return; // a backup needs them; the next sweep looks again
        }

        var locked = (await db.ImportSources.FromSql($"SELECT * FROM import_sources FOR UPDATE SKIP LOCKED").AsNoTracking().ToListAsync(cancel))
            .ConvertAll(source => source.Sha256);
        // Looked at anew behind the locks: an import that was waiting to be committed is seen here.
        var unneeded = await Unneeded(db).Where(source => locked.Contains(source.Sha256)).Select(source => source.Sha256).ToListAsync(cancel);
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
