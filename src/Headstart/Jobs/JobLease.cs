using Headstart.Data;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Headstart.Jobs;

/// <summary>
/// The right to work on a job, renewed once a second. Every write names the owner: a worker that was silent for so long that another one
/// took over can no longer change the row.
/// </summary>
public sealed class JobLease : IAsyncDisposable
{
    /// <summary>How long a lease lasts without renewal. A worker that is silent for this long is considered dead.</summary>
    internal static readonly TimeSpan Duration = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);

    private readonly IDbContextFactory<HeadstartDb> _databases;
    private readonly JobStatements _statements;
    private readonly Guid _owner;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _before; // how long earlier attempts took, and the time between them
    private readonly long _taken;
    private readonly CancellationTokenSource _stop;
    private readonly Task _beats;
    private CancellationTokenSource? _deadline;
    private CancellationTokenRegistration _atDeadline;

    private JobLease(IDbContextFactory<HeadstartDb> databases, JobKind kind, Guid id, Guid owner, Taken taken, TimeProvider clock,
        CancellationToken stopping)
    {
        (_databases, _statements, Id, _owner, _clock) = (databases, JobStatements.Of(kind), id, owner, clock);
        (ModelId, Attempts, _before, _taken) = (taken.ModelId, taken.Attempts, TimeSpan.FromSeconds(taken.Seconds), clock.GetTimestamp());
        _stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        Token = _stop.Token;
        _beats = BeatAsync();
    }

    private sealed record Taken(Guid ModelId, int Attempts, double Seconds);

    public Guid Id { get; }

    public Guid ModelId { get; }

    /// <summary>Number of starts since the last progress, including this one.</summary>
    public int Attempts { get; }

    /// <summary>Time since the first worker started.</summary>
    public TimeSpan Elapsed => _before + _clock.GetElapsedTime(_taken);

    /// <summary>Cancelled when the work should stop: the job was cancelled or deleted, was taken over by another worker, took too long, or
    /// the host stops.</summary>
    public CancellationToken Token { get; }

    /// <summary>Error of the job once it has taken too long.</summary>
    public string? Overdue { get; private set; }

    /// <summary>How the job ended, once stored.</summary>
    public JobEnd? End { get; private set; }

    /// <summary>Stores the progress with each renewal.</summary>
    public Func<HeadstartDb, Task>? WritesProgress { get; set; }

    /// <returns>null if there is nothing to do: the job has ended, another worker has it, or it must wait for another job.</returns>
    public static async Task<JobLease?> TakeAsync(
        IDbContextFactory<HeadstartDb> databases, JobKind kind, Guid id, TimeProvider clock, CancellationToken stopping)
    {
        var owner = Guid.CreateVersion7();
        await using var db = await databases.CreateDbContextAsync(stopping);
        try
        {
            var taken = await db.Database.SqlQueryRaw<Taken>(JobStatements.Of(kind).Take, id, owner).ToListAsync(stopping);
            return taken is [var row] ? new(databases, kind, id, owner, row, clock, stopping) : null;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            return null; // another job of the model is running, and this kind runs one by one
        }
    }

    /// <summary>Ends the job with this error unless it finishes in time.</summary>
    /// <param name="limit">Counts from the start of the first worker, however often the job starts.</param>
    /// <param name="error">For its user.</param>
    public void EndsIn(TimeSpan limit, string error)
    {
        var left = limit - Elapsed;
        _deadline = new(left > TimeSpan.Zero ? left : TimeSpan.Zero, _clock);
        _atDeadline = _deadline.Token.Register(() =>
        {
            Overdue = error;
            _ = _stop.CancelAsync();
        });
    }

    /// <summary>
    /// Locks the row until the caller's transaction ends and checks that it is still ours, so that only one worker writes in that
    /// transaction. Code that also locks the model must lock it first, as deleting a model does.
    /// </summary>
    /// <param name="db">Has an open transaction.</param>
    /// <param name="progressed">Whether the work has progressed, so that earlier attempts no longer count.</param>
    /// <exception cref="OperationCanceledException">The job is no longer ours.</exception>
    public async Task HoldAsync(HeadstartDb db, bool progressed = true)
    {
        if (!await RenewAsync(db))
        {
            await _stop.CancelAsync();
            throw new OperationCanceledException("The job is not ours any more.", Token);
        }

        if (progressed)
        {
            await db.Database.ExecuteSqlRawAsync(_statements.Progressed, Id);
        }
    }

    /// <summary>Ends the job. Does nothing if it was cancelled, deleted or taken over by another worker.</summary>
    public async Task EndAsync(HeadstartDb db, JobEnd end)
    {
        if (await db.Database.ExecuteSqlRawAsync(_statements.End, Id, _owner, end.State.ToString(), end.Error!) == 1)
        {
            await (WritesProgress?.Invoke(db) ?? Task.CompletedTask);
            End = end;
        }
    }

    /// <summary>Returns the job to the queue. If we die before this, the next worker takes it when the lease has run out.</summary>
    /// <param name="later">Wait half a minute, because something that the work needs is unavailable.</param>
    public async Task ReleaseAsync(bool later)
    {
        await using var db = await _databases.CreateDbContextAsync();
        await db.Database.ExecuteSqlRawAsync(_statements.Release, Id, _owner, later);
    }

    /// <summary>Stops renewing; leaves the row as it is.</summary>
    public async ValueTask DisposeAsync()
    {
        await _atDeadline.DisposeAsync(); // first: the deadline must not use what is disposed below
        _deadline?.Dispose();
        await _stop.CancelAsync();
        await _beats;
        _stop.Dispose();
    }

    /// <summary>Renews the lease once a second until it is lost or disposed.</summary>
    private async Task BeatAsync()
    {
        await Task.Yield(); // let the constructor return before the first beat
        var renewed = _clock.GetTimestamp();
        while (!Token.IsCancellationRequested)
        {
            try
            {
                await using var db = await _databases.CreateDbContextAsync();
                if (!await RenewAsync(db))
                {
                    break;
                }

                renewed = _clock.GetTimestamp();
            }
            catch (Exception e) when (e is NpgsqlException or InvalidOperationException { InnerException: NpgsqlException })
            {
                // The database is down. Work continues until the lease runs out by our own clock; then another worker may take the job.
                if (_clock.GetElapsedTime(renewed) > Duration)
                {
                    break;
                }
            }

            await Task.Delay(Beat, _clock, Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await _stop.CancelAsync();
    }

    private async Task<bool> RenewAsync(HeadstartDb db)
    {
        if (await db.Database.ExecuteSqlRawAsync(_statements.Renew, Id, _owner) == 0)
        {
            return false;
        }

        await (WritesProgress?.Invoke(db) ?? Task.CompletedTask);
        return true;
    }
}
