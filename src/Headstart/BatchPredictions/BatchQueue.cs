using Hangfire;
using Headstart.Data;
using Headstart.Operations;
using Microsoft.EntityFrameworkCore;

namespace Headstart.BatchPredictions;

/// <summary>Wakes workers up for batches. Losing a wake-up costs time, never a batch: the sweep finds every batch that nobody works on.</summary>
public sealed partial class BatchQueue(IDbContextFactory<HeadstartDb> databases, IBackgroundJobClient jobs, ILogger<BatchQueue> log) : ISwept
{
    public void Enqueue(Guid batch)
    {
        try
        {
            jobs.Enqueue<BatchJob>(job => job.RunAsync(batch, CancellationToken.None));
        }
        catch (BackgroundJobClientException e)
        {
            Log.NotEnqueued(log, batch, e.GetBaseException().Message);
        }
    }

    /// <summary>Enqueues the oldest batch, if nobody was woken up for it lately, and those whose worker is gone.</summary>
    public async Task SweepAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var batches = await db.Database.SqlQuery<Guid>($"""
            UPDATE batch_predictions AS batch SET enqueued_at = now()
            WHERE (state = 'Running' AND updated_at < now() - {Heartbeat.Silence} AND enqueued_at < now() - {Heartbeat.Silence})
            OR (state = 'Queued' AND enqueued_at < now() - interval '30 seconds'
                AND NOT EXISTS (SELECT FROM batch_predictions AS other WHERE other.id < batch.id AND other.state IN ('Queued', 'Running')))
            RETURNING id AS "Value"
            """).ToListAsync(cancel);
        batches.ForEach(Enqueue);
    }

    /// <summary>
    /// Frees every batch that is marked as running. Only for a host that has the data folder's lock and its own database: nobody else
    /// can be working on them.
    /// </summary>
    public async Task ReclaimAllAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        await db.Database.ExecuteSqlAsync(
            $"UPDATE batch_predictions SET updated_at = 'epoch', enqueued_at = 'epoch' WHERE state IN ('Queued', 'Running')", cancel);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Batch {Batch} could not be enqueued and waits for the sweep: {Reason}")]
        public static partial void NotEnqueued(ILogger log, Guid batch, string reason);
    }
}
