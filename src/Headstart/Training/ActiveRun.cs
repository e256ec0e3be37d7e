using System.Text.Json;
using Headstart.Data;
using Headstart.Jobs;
using Headstart.Learning.Choosing;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Training;

/// <summary>
/// A run whose lease a worker holds: what it reports, and how long it has. Each renewal of the lease writes the report to the row.
/// </summary>
public sealed class ActiveRun
{
    private readonly IDbContextFactory<HeadstartDb> _databases;
    private readonly JobLease _lease;
    private readonly TimeProvider _clock;
    private readonly long _begun; // of this attempt
    private readonly Dictionary<string, double> _seconds = [];
    private (string Stage, long Since)? _current;

    public ActiveRun(IDbContextFactory<HeadstartDb> databases, JobLease lease, TrainingRun run, TimeProvider clock)
    {
        (_databases, _lease, Run, _clock, _begun) = (databases, lease, run, clock, clock.GetTimestamp());
        lease.WritesProgress = WriteAsync;
        if (run.MaxTrainingSeconds is { } limit)
        {
            lease.EndsIn(TimeSpan.FromSeconds(limit), $"The run did not finish within maxTrainingSeconds ({limit:0} s); raise the limit, "
                + "or name one backbone.");
        }
    }

    public TrainingRun Run { get; }

    /// <summary>What is left of the run's limit; null without one.</summary>
    public TimeSpan? TimeLeft => Run.MaxTrainingSeconds is { } limit ? TimeSpan.FromSeconds(limit) - _lease.Elapsed : null;

    /// <summary>The stage, its progress and the backbones tried so far.</summary>
    public RunStatus Status { get; set; } = new(RunStage.Choosing, 0, []);

    /// <summary>Adds problems that did not end the run.</summary>
    public void Notice(params IEnumerable<string> notices) => Status = Status with { Notices = [.. Status.Notices, .. notices] };

    /// <summary>Begins a stage. It is written immediately, so that a worker that lost the lease does not begin it.</summary>
    /// <exception cref="OperationCanceledException">The run was cancelled, or another worker has it.</exception>
    public async Task EnterAsync(RunStage stage, double progress)
    {
        _lease.Token.ThrowIfCancellationRequested();
        Enter(stage);
        Status = Status with { Progress = progress };
        await using var db = await _databases.CreateDbContextAsync(_lease.Token);
        await _lease.HoldAsync(db, progressed: false);
    }

    /// <summary>Begins a stage from synchronous code; the next renewal of the lease writes it.</summary>
    public void Enter(RunStage stage)
    {
        var name = stage.ToString().ToLowerInvariant();
        if (_current?.Stage != name)
        {
            EndStage();
            _current = (name, _clock.GetTimestamp());
            Status = Status with { Stage = stage };
        }
    }

    /// <summary>Ends the last stage.</summary>
    /// <returns>The seconds that each stage took.</returns>
    public Dictionary<string, double> SecondsPerStage()
    {
        EndStage();
        return _seconds;
    }

    /// <summary>Ends the run with the version it made, when the caller's transaction commits.</summary>
    /// <exception cref="OperationCanceledException">This worker lost the run; its result must not be used.</exception>
    public async Task SucceedAsync(HeadstartDb db, int version)
    {
        Status = Status with { Stage = RunStage.Publishing, Progress = 1, Detail = null };
        await _lease.HoldAsync(db);
        await _lease.EndAsync(db, JobEnd.Succeeded);
        await db.TrainingRuns.Where(r => r.Id == Run.Id).ExecuteUpdateAsync(set => set.SetProperty(r => r.Version, version));
    }

    private void EndStage()
    {
        if (_current is var (stage, since))
        {
            _seconds[stage] = Math.Round(_seconds.GetValueOrDefault(stage) + _clock.GetElapsedTime(since).TotalSeconds, 2);
        }

        _current = null;
    }

    private Task<int> WriteAsync(HeadstartDb db)
    {
        var status = Status;
        var elapsed = _clock.GetElapsedTime(_begun).TotalSeconds;
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

/// <summary>Maps the progress of a part (0 to 1) onto its share of the run.</summary>
public sealed class StageProgress(ActiveRun run, double from, double to) : IProgress<double>
{
    public void Report(double value) => run.Status = run.Status with { Progress = from + (to - from) * Math.Clamp(value, 0, 1) };

    public StageProgress Part(int index, int count) =>
        new(run, from + (to - from) * index / count, from + (to - from) * (index + 1) / count);

    public void Show(List<BackboneTrial> trials) => run.Status = run.Status with { Backbones = trials };
}

/// <summary>The rows for trials in the status of a run.</summary>
internal static class TrialRows
{
    /// <param name="tried">The features and their results.</param>
    /// <param name="chosen">Whether the run uses them.</param>
    /// <param name="digits">Decimal places of the milliseconds; texts are faster and need more.</param>
    public static BackboneTrial Row(this Tried tried, bool chosen, int digits) => new(tried.Id, tried.Validation.Accuracy.Rounded(),
        tried.Validation.StandardError.Rounded(), Math.Round(tried.MsPerExample, digits), chosen,
        tried.Scores.Count == 0 ? null : Math.Round(tried.LogLoss, 4), tried.Scores.Count);

    public static double? Rounded(this double? share) => share is { } known ? Math.Round(known, 4) : null;
}
