using Hangfire;
using Headstart.Data;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Jobs;

/// <summary>
/// Wakes workers up. The row of a job is the truth and Hangfire only says that there is one: losing a wake-up costs time, never a job,
/// because the sweep finds every job that no worker works on. A worker that is awake takes the job with <see cref="JobLease"/>.
/// </summary>
public sealed partial class JobWaker(IDbContextFactory<HeadstartDb> databases, IBackgroundJobClient hangfire, IEnumerable<JobKind> kinds,
    ILogger<JobWaker> log)
{
    /// <summary>For a job whose row is committed. If the process dies before this, the sweep does it.</summary>
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

    /// <summary>The next job of a model, once the one before it has ended.</summary>
    public async Task WakeNextAsync(JobKind kind, Guid model, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        foreach (var id in await db.Database.SqlQueryRaw<Guid>(JobStatements.Of(kind).Next, model).ToListAsync(cancel))
        {
            Wake(kind, id);
        }
    }

    /// <summary>For jobs whose worker is gone, and queued jobs that were not announced recently.</summary>
    public async Task WakeLostAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        foreach (var kind in kinds)
        {
            (await db.Database.SqlQueryRaw<Guid>(JobStatements.Of(kind).Lost).ToListAsync(cancel)).ForEach(id => Wake(kind, id));
        }
    }

    /// <summary>
    /// Frees every job that is marked as running. Only for a host that has the data folder's lock and its own database: nobody else can be
    /// working on them.
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
