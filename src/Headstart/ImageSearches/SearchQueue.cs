using Hangfire;
using Headstart.Data;
using Headstart.Operations;
using Microsoft.EntityFrameworkCore;

namespace Headstart.ImageSearches;

/// <summary>Wakes workers up for searches. Losing a wake-up costs time, never a search: the sweep finds every one that nobody works on.</summary>
public sealed partial class SearchQueue(IDbContextFactory<HeadstartDb> databases, IBackgroundJobClient jobs, ILogger<SearchQueue> log) : ISwept
{
    public void Enqueue(Guid search)
    {
        try
        {
            jobs.Enqueue<SearchJob>(job => job.RunAsync(search, CancellationToken.None));
        }
        catch (BackgroundJobClientException e)
        {
            Log.NotEnqueued(log, search, e.GetBaseException().Message);
        }
    }

    /// <summary>Enqueues the oldest search that waits, if nobody was woken up for it lately, and those whose worker is gone.</summary>
    public async Task SweepAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var searches = await db.Database.SqlQuery<Guid>($"""
            UPDATE image_searches AS search SET enqueued_at = now()
            WHERE (state = 'Running' AND updated_at < now() - {Heartbeat.Silence} AND enqueued_at < now() - {Heartbeat.Silence})
            OR (state = 'Queued' AND enqueued_at < now() - interval '30 seconds'
                AND NOT EXISTS (SELECT FROM image_searches AS other WHERE other.id < search.id AND other.state = 'Queued'))
            RETURNING id AS "Value"
            """).ToListAsync(cancel);
        searches.ForEach(Enqueue);
    }

    /// <summary>
    /// Frees every search that is marked as running. Only for a host that has the data folder's lock and its own database: nobody else
    /// can be working on them.
    /// </summary>
    public async Task ReclaimAllAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        await db.Database.ExecuteSqlAsync(
            $"UPDATE image_searches SET updated_at = 'epoch', enqueued_at = 'epoch' WHERE state IN ('Queued', 'Running')", cancel);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Image search {Search} could not be enqueued and waits for the sweep: {Reason}")]
        public static partial void NotEnqueued(ILogger log, Guid search, string reason);
    }
}
