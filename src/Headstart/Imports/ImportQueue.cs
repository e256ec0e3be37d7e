using Hangfire;
using Headstart.Data;
using Headstart.Operations;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Imports;

/// <summary>Wakes workers up for imports. Losing a wake-up costs time, never an import: the sweep finds every import that nobody works on.</summary>
public sealed partial class ImportQueue(
    IDbContextFactory<HeadstartDb> databases, ImportSources sources, IBackgroundJobClient jobs, ILogger<ImportQueue> log) : ISwept
{
    public void Enqueue(Guid import)
    {
        try
        {
            jobs.Enqueue<ImportJob>(job => job.RunAsync(import, CancellationToken.None));
        }
        catch (BackgroundJobClientException e)
        {
            Log.NotEnqueued(log, import, e.GetBaseException().Message);
        }
    }

    /// <summary>
    /// Enqueues the oldest import that waits, if nobody was woken up for it lately, and those whose worker is gone; drops bodies of those that ended.
    /// </summary>
    public async Task SweepAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var imports = await db.Database.SqlQuery<Guid>($"""
            UPDATE imports AS import SET enqueued_at = now()
            WHERE (state = 'Running' AND updated_at < now() - {Heartbeat.Silence} AND enqueued_at < now() - {Heartbeat.Silence})
            OR (state = 'Queued' AND enqueued_at < now() - interval '30 seconds'
                AND NOT EXISTS (SELECT FROM imports AS other WHERE other.id < import.id AND other.state = 'Queued'))
            RETURNING id AS "Value"
            """).ToListAsync(cancel);
        imports.ForEach(Enqueue);
        await sources.SweepAsync(cancel);
    }

    /// <summary>
    /// Frees every import that is marked as running. Only for a host that has the data folder's lock and its own database: nobody else
    /// can be working on them.
    /// </summary>
    public async Task ReclaimAllAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        await db.Database.ExecuteSqlAsync(
            $"UPDATE imports SET updated_at = 'epoch', enqueued_at = 'epoch' WHERE state IN ('Queued', 'Running')", cancel);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Import {Import} could not be enqueued and waits for the sweep: {Reason}")]
        public static partial void NotEnqueued(ILogger log, Guid import, string reason);
    }
}
