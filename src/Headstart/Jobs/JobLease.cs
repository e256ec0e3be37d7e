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
    private readonly IDbContextFactory<HeadstartDb> _databases;
    private readonly JobStatements _statements;
    private readonly Guid _owner;
    private readonly TimeProvider _clock;
    private readonly Heartbeat _heartbeat;
    private CancellationTokenSource? _deadline;
    private CancellationTokenRegistration _atDeadline;

    private JobLease(IDbContextFactory<HeadstartDb> databases, JobKind kind, Guid id, Guid owner, Taken taken, TimeProvider clock,
        CancellationToken stopping)
    {
        (_databases, _statements, Id, _owner, _clock) = (databases, JobStatements.Of(kind), id, owner, clock);
        (ModelId, Attempts, StartedAt) = taken;
        _heartbeat = new(BeatAsync, clock, stopping);
    }

    private sealed record Taken(Guid ModelId, int Attempts, DateTime StartedAt);

    public Guid Id { get; }

    public Guid ModelId { get; }

    /// <summary>Number of starts since the last progress, including this one.</summary>
    public int Attempts { get; }

    /// <summary>When the first worker started.</summary>
    public DateTime StartedAt { get; }

    /// <summary>Cancelled when the work should stop: the job was cancelled or deleted, was taken over by another worker, took too long, or
    /// the host stops.</summary>
    public CancellationToken Token => _heartbeat.Token;

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
    public void EndsIn(TimeSpan left, string error)
    {
        _deadline = new(left > TimeSpan.Zero ? left : TimeSpan.Zero, _clock);
        _atDeadline = _deadline.Token.Register(() =>
        {
            Overdue = error;
            _ = _heartbeat.StopAsync();
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
            await _heartbeat.StopAsync();
            throw new OperationCanceledException("The job is not ours any more.", Token);
        }

        if (progressed)
        {
            await db.Database.ExecuteSqlRawAsync(_statements.Progressed, Id);
        }
    }

    /// <summary>Ends the job. Works once.</summary>
    /// <returns>False if it was cancelled, deleted or taken over by another worker.</returns>
    public async Task<bool> EndAsync(HeadstartDb db, JobEnd end)
    {
        if (await db.Database.ExecuteSqlRawAsync(_statements.End, Id, _owner, end.State.ToString(), end.Error!) == 0)
        {
            return false;
        }

        await (WritesProgress?.Invoke(db) ?? Task.CompletedTask);
        End = end;
        return true;
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
        await _atDeadline.DisposeAsync(); // first: the deadline must not use a disposed heartbeat
        _deadline?.Dispose();
        await _heartbeat.DisposeAsync();
    }

    private async Task<bool> BeatAsync()
    {
        await using var db = await _databases.CreateDbContextAsync();
        return await RenewAsync(db);
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
