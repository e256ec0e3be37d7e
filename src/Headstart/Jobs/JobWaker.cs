using Hangfire;
using Headstart.Data;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Jobs;

/// <summary>
/// Wakes workers. The row of a job is the truth and Hangfire only says that it exists: losing a wake-up costs time, never a job, because
/// the sweep finds every job without a worker. The woken worker takes the job with <see cref="JobLease"/>.
/// </summary>
public sealed partial class JobWaker(IDbContextFactory<HeadstartDb> databases, IBackgroundJobClient hangfire, IEnumerable<JobKind> kinds,
    ILogger<JobWaker> log)
{
    /// <summary>Call it when the job's row is committed. If the process dies before this, the sweep does it.</summary>
    public void Wake(JobKind kind, Guid id)
    {
        try
        {
            hangfire.Enqueue<JobRunner>(kind.Name, runner => runner.RunAsync(kind.Name, id, CancellationToken.None));
        }
        catch (BackgroundJobClientException e)
        {
            Log.NotEnqueued(log, kind.Noun, id, e.GetBaseException().Message);
        }
    }

    /// <summary>Wakes a worker for the model's next job after one has ended.</summary>
    public async Task WakeNextAsync(JobKind kind, Guid model, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        foreach (var id in await db.Database.SqlQueryRaw<Guid>(JobStatements.Of(kind).Next, model).ToListAsync(cancel))
        {
            Wake(kind, id);
        }
    }

    /// <summary>Wakes workers for jobs whose worker is dead, and for queued jobs that were not enqueued recently.</summary>
    public async Task WakeLostAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        foreach (var kind in kinds)
        {
            (await db.Database.SqlQueryRaw<Guid>(JobStatements.Of(kind).Lost).ToListAsync(cancel)).ForEach(id => Wake(kind, id));
        }
    }

    /// <summary>
    /// Releases every job marked as running. Only for a host that holds the data folder's lock and has its own database, because then no
    /// other worker exists.
    /// </summary>
    public async Task ReclaimAllAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        foreach (var kind in kinds)
        {
            await db.Database.ExecuteSqlRawAsync(JobStatements.Of(kind).Reclaim, cancel);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Cannot enqueue the {Kind} {Job}; the sweep will start it: {Reason}")]
        public static partial void NotEnqueued(ILogger log, string kind, Guid job, string reason);
    }
}
