using Headstart.Data;
using Headstart.Jobs;
using Headstart.Learning.Heads;
using Headstart.Learning.Texts;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Training;

/// <summary>
/// One training run from its frozen dataset to a published version. Everything before publishing can be repeated from the feature cache,
/// and publishing is atomic.
/// </summary>
internal sealed partial class TrainingJob(
    IDbContextFactory<HeadstartDb> databases, IEnumerable<IRunSteps> kinds, PublishDecision publish, VersionWriter versions,
    TimeProvider clock, ILogger<TrainingJob> log) : IJob
{
    public static readonly JobKind Kind = new("training", "training_runs", "training run", "Start another run; if it fails again, try "
        + "fewer or smaller examples.")
    { OneByOne = true };

    public async Task<JobEnd?> RunAsync(JobLease lease)
    {
        await using var db = await databases.CreateDbContextAsync(lease.Token);
        if (await db.TrainingRuns.AsNoTracking().SingleOrDefaultAsync(r => r.Id == lease.Id, lease.Token) is not { } row)
        {
            return null; // deleted with its model
        }

        Log.Started(log, lease.Id, lease.Attempts);
        var budget = row.MaxTrainingSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : Timeout.InfiniteTimeSpan;
        if (row.MaxTrainingSeconds is not null)
        {
            lease.EndsIn(budget, $"The run did not finish within maxTrainingSeconds ({row.MaxTrainingSeconds:0} s); raise the limit, or "
                + "name one backbone.");
        }

        try
        {
            await TrainAsync(db, new(databases, lease, row, clock), budget, lease.Token);
            return null;
        }
        catch (Exception e) when (e is HeadTrainingException or TextFeaturesException)
        {
            return JobEnd.Failed(e.Message);
        }
    }

    private async Task TrainAsync(HeadstartDb db, ActiveRun run, TimeSpan budget, CancellationToken cancel)
    {
        var watch = new StageWatch(run, clock);

        // 1. Freeze. If the process dies after this, the next attempt learns from the same images.
        await Dataset.FreezeAsync(db, run.Run, cancel);
        var data = await Dataset.ReadAsync(db, run.Run, cancel);
        var steps = kinds.FirstOrDefault(kind => kind.Suits(data, run.Run)) ?? throw RefusedException.Invalid("run-refused",
            $"The model no longer has {(data.Kind.HasBoxes() ? "a category" : "two categories")} to learn from; add "
            + $"{data.Kind.Nouns()} and start another run. {data.LeftOutNotice}");
        run.Notice(data.LeftOutNotice is { } leftOut && steps is not WordsRun ? [leftOut] : []);

        // 2 to 5. Choose, extract, train and evaluate.
        var made = await steps.MakeAsync(new(db, run, data, watch, budget), cancel);

        // 6. Publish: blobs, then version, pointer and the run's end in one transaction.
        await watch.EnterAsync(RunStage.Publishing, 0.97);
        var comparison = await publish.DecideAsync(db, run.Run.ModelId, made.Candidate, new StageProgress(run, 0.97, 0.98), cancel);
        var report = made.Report with
        {
            Comparison = comparison,
            Backbones = run.Status.Backbones,
            SecondsPerStage = watch.Seconds(),
            Notices = run.Status.Notices,
            Flaws = await FlawedImages.OfAsync(db, run.Run.ModelId, cancel),
        };
        var number = await versions.PublishAsync(run, made with { Report = report }, cancel);
        Log.Succeeded(log, run.Run.Id, number, report.Accuracy);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Training run {Run} started (attempt {Attempt})")]
        public static partial void Started(ILogger log, Guid run, int attempt);

        [LoggerMessage(Level = LogLevel.Information, Message = "Training run {Run} made version {Version}, accuracy {Accuracy:0.000}")]
        public static partial void Succeeded(ILogger log, Guid run, int version, double? accuracy);
    }
}

/// <summary>Maps the progress of a part (0 to 1) onto its share of the run.</summary>
public sealed class StageProgress(ActiveRun run, double from, double to) : IProgress<double>
{
    public void Report(double value) => run.Status = run.Status with { Progress = from + (to - from) * Math.Clamp(value, 0, 1) };

    public StageProgress Part(int index, int count) =>
        new(run, from + (to - from) * index / count, from + (to - from) * (index + 1) / count);

    public void Show(List<BackboneTrial> trials) => run.Status = run.Status with { Backbones = trials };
}
