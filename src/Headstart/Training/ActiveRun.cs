using System.Text.Json;
using Headstart.Data;
using Headstart.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Training;

/// <summary>A run whose lease a worker holds, and its progress. Each renewal of the lease writes the progress to the row.</summary>
public sealed class ActiveRun
{
    private readonly IDbContextFactory<HeadstartDb> _databases;
    private readonly JobLease _lease;
    private readonly TimeProvider _clock;
    private readonly long _started;

    public ActiveRun(IDbContextFactory<HeadstartDb> databases, JobLease lease, TrainingRun run, TimeProvider clock)
    {
        (_databases, _lease, Run, _clock, _started) = (databases, lease, run, clock, clock.GetTimestamp());
        lease.WritesProgress = WriteAsync;
    }

    public TrainingRun Run { get; }

    /// <summary>The stage, its progress and the backbones tried so far.</summary>
    public RunStatus Status { get; set; } = new(RunStage.Choosing, 0, []);

    /// <summary>Adds problems that did not end the run.</summary>
    public void Notice(params IEnumerable<string> notices) => Status = Status with { Notices = [.. Status.Notices, .. notices] };

    /// <summary>Begins a stage. It is written immediately, so that a worker that lost the lease does not begin it.</summary>
    /// <exception cref="OperationCanceledException">The run was cancelled, or another worker has it.</exception>
    public async Task EnterAsync(RunStage stage, double progress)
    {
        _lease.Token.ThrowIfCancellationRequested();
        Status = Status with { Stage = stage, Progress = progress };
        await using var db = await _databases.CreateDbContextAsync(_lease.Token);
        await _lease.HoldAsync(db, progressed: false);
    }

    /// <summary>Ends the run with the version it made.</summary>
    /// <returns>false if this worker lost the run; its result must not be used.</returns>
    public async Task<bool> SucceedAsync(HeadstartDb db, int version)
    {
        Status = Status with { Stage = RunStage.Publishing, Progress = 1, Detail = null };
        return await _lease.EndAsync(db, JobEnd.Succeeded)
            && await db.TrainingRuns.Where(r => r.Id == Run.Id).ExecuteUpdateAsync(set => set.SetProperty(r => r.Version, version)) == 1;
    }

    private Task<int> WriteAsync(HeadstartDb db)
    {
        var status = Status;
        var elapsed = _clock.GetElapsedTime(_started).TotalSeconds;
        double? left = status.Progress is > 0.05 and < 1 ? Math.Ceiling(elapsed / status.Progress * (1 - status.Progress)) : null;
        return db.Database.ExecuteSqlAsync($"""
            UPDATE training_runs
            SET stage = {status.Stage.ToString()}, progress = {status.Progress}, seconds_left = {left}, backbones = {JsonSerializer.Serialize(status.Backbones)}::jsonb,
                detail = {status.Detail}, notices = {status.Notices}
            WHERE id = {Run.Id}
            """);
    }
}

/// <param name="Progress">Progress of the whole run, 0 to 1.</param>
public sealed record RunStatus(RunStage Stage, double Progress, List<BackboneTrial> Backbones)
{
    /// <summary>What the run is waiting for.</summary>
    public string? Detail { get; init; }

    public List<string> Notices { get; init; } = [];
}
