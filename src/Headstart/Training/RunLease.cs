using System.Text.Json;
using Headstart.Data;
using Headstart.Operations;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Headstart.Training;

/// <summary>
/// The right to work on a run, kept alive by a heartbeat once a second that also carries the progress. Time is the database's, so
/// that machines with different clocks agree. Every write names the owner: a worker that lost its lease can no longer change the row.
/// </summary>
public sealed class RunLease : IAsyncDisposable
{
    private readonly IDbContextFactory<HeadstartDb> _databases;
    private readonly Guid _owner;
    private readonly Heartbeat _heartbeat;
    private readonly TimeProvider _clock;
    private readonly long _started;

    private RunLease(IDbContextFactory<HeadstartDb> databases, TrainingRun run, Guid owner, TimeProvider clock, CancellationToken stopping)
    {
        (_databases, Run, _owner, _clock, _started) = (databases, run, owner, clock, clock.GetTimestamp());
        // While the database is away work goes on until the lease has run out by our own watch; from then on it may be another's.
        _heartbeat = new(BeatAsync, clock, Heartbeat.Silence, stopping);
    }

    public TrainingRun Run { get; }

    /// <summary>Cancelled when the work should stop: the user cancelled, the lease was lost, or the host stops.</summary>
    public CancellationToken Token => _heartbeat.Token;

    public bool UserCancelled { get; private set; }

    /// <summary>Somebody else will end the run.</summary>
    public bool Released { get; private set; }

    /// <summary>The stage, its progress and the backbones tried so far; the heartbeat writes them.</summary>
    public RunStatus Status { get; set; } = new(RunStage.Choosing, 0, []);

    /// <summary>
    /// Claims a run that is queued, or whose worker is gone, if no other run of its model is before it. Null when there is nothing to
    /// do: it ended, it is in good hands, or its turn has not come.
    /// </summary>
    public static async Task<RunLease?> ClaimAsync(
        IDbContextFactory<HeadstartDb> databases, Guid runId, TimeProvider clock, CancellationToken stopping)
    {
        var owner = Guid.CreateVersion7();
        await using var db = await databases.CreateDbContextAsync(stopping);
        try
        {
            var claimed = await db.Database.ExecuteSqlAsync($"""
                UPDATE training_runs AS run
                SET state = 'Running', lease_owner = {owner}, lease_until = now() + {Heartbeat.Silence}, attempts = attempts + 1, started_at = coalesce(started_at, now())
                WHERE id = {runId} AND (state = 'Queued' OR (state = 'Running' AND lease_until < now()))
                AND NOT EXISTS (SELECT FROM training_runs AS other WHERE other.model_id = run.model_id AND other.id < run.id AND other.state IN ('Queued', 'Running'))
                """, stopping);
            if (claimed == 0)
            {
                return null;
            }
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            return null; // another run of the model is running: ix_training_runs_one_running
        }

        return new(databases, await db.TrainingRuns.SingleAsync(r => r.Id == runId, stopping), owner, clock, stopping);
    }

    /// <summary>Begins a stage. It is written at once, so that nobody begins a stage of a run that is no longer theirs.</summary>
    /// <exception cref="OperationCanceledException">The run was cancelled or is another's.</exception>
    public async Task EnterAsync(RunStage stage, double progress, CancellationToken cancel)
    {
        Status = Status with { Stage = stage, Progress = progress };
        await using var db = await _databases.CreateDbContextAsync(cancel);
        if (!await BeatAsync(db, cancel))
        {
            await _heartbeat.StopAsync();
        }

        cancel.ThrowIfCancellationRequested();
        Token.ThrowIfCancellationRequested();
    }

    /// <summary>Ends the run if it is still ours. False: somebody else took it over, and what we made must not be used.</summary>
    public async Task<bool> EndAsync(HeadstartDb db, RunState state, string? error, int? version, CancellationToken cancel)
    {
        var status = Status;
        var ended = await db.TrainingRuns.Where(r => r.Id == Run.Id && r.State == RunState.Running && r.LeaseOwner == _owner)
            .ExecuteUpdateAsync(set => set
                .SetProperty(r => r.State, state).SetProperty(r => r.Error, error).SetProperty(r => r.Version, version)
                .SetProperty(r => r.Stage, state == RunState.Succeeded ? RunStage.Publishing : status.Stage)
                .SetProperty(r => r.Progress, state == RunState.Succeeded ? 1 : status.Progress)
                .SetProperty(r => r.SecondsLeft, (double?)null).SetProperty(r => r.Backbones, status.Backbones)
                .SetProperty(r => r.Detail, (string?)null).SetProperty(r => r.Notices, status.Notices)
                .SetProperty(r => r.LeaseOwner, (Guid?)null).SetProperty(r => r.LeaseUntil, (DateTime?)null)
                .SetProperty(r => r.FinishedAt, _clock.Now()), cancel);
        return ended == 1;
    }

    /// <summary>Gives the run back untouched because the host stops; the next worker starts it at once.</summary>
    /// <param name="later">It waits for half a minute, as what the work needs is away.</param>
    public async Task ReleaseAsync(bool later = false)
    {
        Released = true;
        await using var db = await _databases.CreateDbContextAsync();
        await db.TrainingRuns.Where(r => r.Id == Run.Id && r.State == RunState.Running && r.LeaseOwner == _owner)
            .ExecuteUpdateAsync(set => set
                .SetProperty(r => r.State, RunState.Queued).SetProperty(r => r.Attempts, r => r.Attempts - 1).SetProperty(r => r.Detail, (string?)null)
                .SetProperty(r => r.LeaseOwner, (Guid?)null).SetProperty(r => r.LeaseUntil, (DateTime?)null)
                .SetProperty(r => r.EnqueuedAt, later ? _clock.Now() : DateTime.UnixEpoch));
    }

    /// <summary>Stops the heartbeat; the row is left as it is.</summary>
    public ValueTask DisposeAsync() => _heartbeat.DisposeAsync();

    private async Task<bool> BeatAsync()
    {
        await using var db = await _databases.CreateDbContextAsync();
        return await BeatAsync(db, CancellationToken.None);
    }

    /// <summary>Renews the lease and writes the progress. False when the work should stop: its user cancelled, or the run is no longer ours.</summary>
    private async Task<bool> BeatAsync(HeadstartDb db, CancellationToken cancel)
    {
        var status = Status;
        var (stage, progress, backbones) = status;
        var elapsed = _clock.GetElapsedTime(_started).TotalSeconds;
        double? left = progress > 0.05 ? Math.Ceiling(elapsed / progress * (1 - progress)) : null;
        var trials = JsonSerializer.Serialize(backbones);
        var answers = await db.Database.SqlQuery<bool>($"""
            UPDATE training_runs
            SET lease_until = now() + {Heartbeat.Silence}, stage = {stage.ToString()}, progress = {progress}, seconds_left = {left}, backbones = {trials}::jsonb,
                detail = {status.Detail}, notices = {status.Notices}
            WHERE id = {Run.Id} AND lease_owner = {_owner} AND state = 'Running'
            RETURNING cancel_requested AS "Value"
            """).ToListAsync(cancel);
        UserCancelled = answers is [true];
        return answers is [false];
    }
}

/// <param name="Progress">Of the whole run, 0 to 1.</param>
public sealed record RunStatus(RunStage Stage, double Progress, List<BackboneTrial> Backbones)
{
    /// <summary>What is being waited for.</summary>
    public string? Detail { get; init; }

    public List<string> Notices { get; init; } = [];
}
