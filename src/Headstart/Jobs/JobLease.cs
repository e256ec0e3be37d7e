using Headstart.Data;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Headstart.Jobs;

/// <summary>
/// The right to work on a job, renewed once a second. Every write names the owner: a worker that was silent for so long that another one
/// began can no longer change the row.
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

    /// <summary>How often a worker began since something was written, this time included.</summary>
    public int Attempts { get; }

    /// <summary>When the first worker began.</summary>
    public DateTime StartedAt { get; }

    /// <summary>Cancelled when the work should stop: the job was cancelled or deleted, is another worker's, or is overdue, or the host
    /// stops.</summary>
    public CancellationToken Token => _heartbeat.Token;

    /// <summary>Why the job failed, once it has taken longer than it may.</summary>
    public string? Overdue { get; private set; }

    /// <summary>How the job ended, once that is written.</summary>
    public JobEnd? End { get; private set; }

    /// <summary>Writes how far the work is, with each renewal.</summary>
    public Func<HeadstartDb, Task>? WritesProgress { get; set; }

    /// <returns>null when there is nothing to do: the job has ended, is in good hands, or its turn has not come.</returns>
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
            return null; // another job of the model is running, where they run one by one
        }
    }

    /// <summary>Ends the work with this error unless it is done by then.</summary>
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
    /// Locks the row until the caller's transaction ends and makes sure that it is still ours, so that what else is written there is
    /// written by one worker. Code that also locks the model locks that first, as deleting it does.
    /// </summary>
    /// <param name="db">Has the transaction.</param>
    /// <param name="progressed">The work gets on, so earlier attempts do not count against it.</param>
    /// <exception cref="OperationCanceledException">The job is not ours any more.</exception>
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

    /// <summary>Ends the job, once.</summary>
    /// <returns>false: it was cancelled or deleted, or is another worker's.</returns>
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

    /// <summary>Gives the job back untouched. If we die before this the next worker takes it when the lease has run out.</summary>
    /// <param name="later">It waits for half a minute, as what the work needs is away.</param>
    public async Task ReleaseAsync(bool later)
    {
        await using var db = await _databases.CreateDbContextAsync();
        await db.Database.ExecuteSqlRawAsync(_statements.Release, Id, _owner, later);
    }

    /// <summary>Stops renewing; the row is left as it is.</summary>
    public async ValueTask DisposeAsync()
    {
        await _atDeadline.DisposeAsync(); // first: the deadline must not stop a heartbeat that is gone
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
