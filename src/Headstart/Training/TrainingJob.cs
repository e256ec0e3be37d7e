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
    IDbContextFactory<HeadstartDb> databases, IEnumerable<IRunSteps> kinds, VersionWriter versions, TimeProvider clock,
    ILogger<TrainingJob> log) : IJob
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
        try
        {
            await TrainAsync(db, new(databases, lease, row, clock), lease.Token);
            return null;
        }
        catch (Exception e) when (e is HeadTrainingException or TextFeaturesException)
        {
            return JobEnd.Failed(e.Message);
        }
    }

    private async Task TrainAsync(HeadstartDb db, ActiveRun run, CancellationToken cancel)
    {
        // 1. Freeze. If the process dies after this, the next attempt learns from the same images.
        await Dataset.FreezeAsync(db, run.Run, cancel);
        var data = await Dataset.ReadAsync(db, run.Run, cancel);
        var steps = kinds.FirstOrDefault(kind => kind.Suits(data, run.Run)) ?? throw RefusedException.Invalid("run-refused",
            $"The model no longer has {(data.Kind.HasBoxes() ? "a category" : "two categories")} to learn from; add "
            + $"{data.Kind.Nouns()} and start another run. {data.LeftOutNotice}");
        run.Notice(data.LeftOutNotice is { } leftOut && steps is not WordsRun ? [leftOut] : []);

        // 2 to 5. Choose, extract, train and evaluate.
        var made = await steps.MakeAsync(db, run, data, cancel);

        // 6. Publish: blobs, then version, pointer and the run's end in one transaction.
        var number = await versions.PublishAsync(db, run, made, cancel);
        Log.Succeeded(log, run.Run.Id, number, made.Report.Accuracy);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Training run {Run} started (attempt {Attempt})")]
        public static partial void Started(ILogger log, Guid run, int attempt);

        [LoggerMessage(Level = LogLevel.Information, Message = "Training run {Run} made version {Version}, accuracy {Accuracy:0.000}")]
        public static partial void Succeeded(ILogger log, Guid run, int version, double? accuracy);
    }
}
