using Hangfire;
using Headstart.Data;
using Headstart.Operations;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Training;

/// <summary>Wakes workers up for runs. Losing a wake-up costs time, never a run: the sweep finds every run that nobody works on.</summary>
public sealed partial class RunQueue(IDbContextFactory<HeadstartDb> databases, IBackgroundJobClient jobs, ILogger<RunQueue> log) : ISwept
{
    /// <summary>Hangfire's queue of the workers that train.</summary>
    public const string Name = "training";

    public void Enqueue(Guid run)
    {
        try
        {
            jobs.Enqueue<TrainingJob>(job => job.RunAsync(run, CancellationToken.None));
        }
        catch (BackgroundJobClientException e)
        {
            Log.NotEnqueued(log, run, e.GetBaseException().Message);
        }
    }

    /// <summary>The next run of a model, once the one before it has ended.</summary>
    public async Task EnqueueNextAsync(Guid model, CancellationToken cancel)
    {
        if (cancel.IsCancellationRequested)
        {
            return;
        }

        await using var db = await databases.CreateDbContextAsync(cancel);
        var next = await db.TrainingRuns.Where(r => r.ModelId == model && r.State == RunState.Queued)
            .OrderBy(r => r.Id).Select(r => (Guid?)r.Id).FirstOrDefaultAsync(cancel);
        if (next is { } run)
        {
            Enqueue(run);
        }
    }

    /// <summary>Enqueues the runs whose turn it is and that nobody was woken up for lately, and those whose worker is gone.</summary>
    public async Task SweepAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var runs = await db.Database.SqlQuery<Guid>($"""
            UPDATE training_runs AS run SET enqueued_at = now()
            WHERE (state = 'Running' AND lease_until < now() AND enqueued_at < now() - interval '20 seconds')
            OR (state = 'Queued' AND enqueued_at < now() - interval '30 seconds'
                AND NOT EXISTS (SELECT FROM training_runs AS other WHERE other.model_id = run.model_id AND other.id < run.id AND other.state IN ('Queued', 'Running')))
            RETURNING id AS "Value"
            """).ToListAsync(cancel);
        runs.ForEach(Enqueue);
    }

    /// <summary>
    /// Frees every run that is marked as running. Only for a host that has the data folder's lock and its own database: nobody else
    /// can be working on them.
    /// </summary>
    public async Task ReclaimAllAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        await db.Database.ExecuteSqlAsync(
            $"UPDATE training_runs SET lease_until = least(lease_until, now()), enqueued_at = 'epoch' WHERE state IN ('Queued', 'Running')", cancel);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Training run {Run} could not be enqueued and waits for the sweep: {Reason}")]
        public static partial void NotEnqueued(ILogger log, Guid run, string reason);
    }
}
