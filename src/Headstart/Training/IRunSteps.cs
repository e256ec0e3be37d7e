using Headstart.Data;
using Headstart.Reports;

namespace Headstart.Training;

/// <summary>A run whose examples are frozen.</summary>
/// <param name="Db">Used by this run only.</param>
/// <param name="Run">The run, its progress and notices.</param>
/// <param name="Data">The frozen examples.</param>
/// <param name="Watch">Enters the stages and times them.</param>
/// <param name="Budget">Limit for the whole run; negative for none.</param>
internal sealed record RunContext(HeadstartDb Db, ActiveRun Run, Dataset Data, StageWatch Watch, TimeSpan Budget);

/// <summary>What a run has made, before it is published.</summary>
/// <param name="Backbone">Id of the features.</param>
/// <param name="Artifact">The head to serve.</param>
/// <param name="Evaluated">The head that has not learned from the held-out examples; null if there is none.</param>
/// <param name="Learned">The examples that the evaluated head learned from.</param>
/// <param name="Report">The report, without the fields that <see cref="TrainingJob"/> fills for all kinds.</param>
/// <param name="Candidate">What is compared with the published version.</param>
internal sealed record MadeVersion(string Backbone, byte[] Artifact, byte[]? Evaluated, IReadOnlyList<Guid> Learned, Report Report,
    Candidate Candidate);

/// <summary>
/// How a kind of model chooses, extracts, trains and evaluates. What comes before and after, from freezing the examples to publishing, is
/// the same for all kinds (<see cref="TrainingJob"/>).
/// </summary>
internal interface IRunSteps
{
    /// <summary>Whether the run can be made with these steps; no two suit the same run.</summary>
    bool Suits(Dataset data, TrainingRun run);

    /// <exception cref="Errors.RefusedException">The examples or this host do not allow it.</exception>
    /// <exception cref="Learning.Heads.HeadTrainingException">There is nothing to learn from.</exception>
    Task<MadeVersion> MakeAsync(RunContext context, CancellationToken cancel);
}

/// <summary>Reports the stage to the lease and measures its time.</summary>
internal sealed class StageWatch(ActiveRun run, TimeProvider clock)
{
    private readonly Dictionary<string, double> _seconds = [];
    private readonly long _begun = clock.GetTimestamp();
    private (string Stage, long Since)? _current;

    /// <summary>Time since this attempt began.</summary>
    public TimeSpan Elapsed => clock.GetElapsedTime(_begun);

    public Task EnterAsync(RunStage stage, double progress)
    {
        Begin(stage);
        return run.EnterAsync(stage, progress);
    }

    /// <summary>Begins a stage from synchronous code; the next renewal of the lease writes it.</summary>
    public void Enter(RunStage stage)
    {
        if (run.Status.Stage != stage)
        {
            Begin(stage);
            run.Status = run.Status with { Stage = stage };
        }
    }

    public Dictionary<string, double> Seconds()
    {
        Close();
        return _seconds;
    }

    private void Begin(RunStage stage)
    {
        Close();
        _current = (stage.ToString().ToLowerInvariant(), clock.GetTimestamp());
    }

    private void Close()
    {
        if (_current is var (stage, since))
        {
            _seconds[stage] = Math.Round(_seconds.GetValueOrDefault(stage) + clock.GetElapsedTime(since).TotalSeconds, 2);
        }

        _current = null;
    }
}
