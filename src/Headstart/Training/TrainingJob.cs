using Headstart.Data;
using Headstart.Jobs;
using Headstart.Learning.Evaluation;
using Headstart.Learning.Heads;
using Headstart.Learning.Texts;
using Headstart.Operations;
using Microsoft.EntityFrameworkCore;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Training;

/// <summary>
/// One training run from its frozen dataset to a published version. Everything before the last line can be repeated from the feature cache,
/// and the last line is atomic.
/// </summary>
internal sealed partial class TrainingJob(
    IDbContextFactory<HeadstartDb> databases, ImageRunFeatures images, TextRunFeatures texts, SharedFits fits, PublishDecision publish,
    VersionWriter versions, TimeProvider clock, ILogger<TrainingJob> log) : IJob
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
        if (data.Categories.Count < MinCategories)
        {
            throw RefusedException.Invalid("run-refused",
                $"The model no longer has two categories to learn from; add {data.Kind.Examples()} and start another run. "
                + data.LeftOutNotice);
        }

        run.Notice(data.LeftOutNotice is { } leftOut ? [leftOut] : []);

        // 2. Choose. Features of images go to the cache as they are computed.
        await watch.EnterAsync(RunStage.Choosing, 0);
        IRunFeatures features = data.Kind.IsText() ? texts : images;
        using var chosen = await features.ChooseAsync(db, run, data, new(run, 0, 0.5), budget, cancel);

        // 3. Extract the features that the choice has not computed.
        await watch.EnterAsync(RunStage.Extracting, 0.5);
        var read = await features.ReadAsync(db, chosen.Features, [.. data.Train, .. data.Test], new StageProgress(run, 0.5, 0.7), cancel);
        var examples = Examples.Of(data, read, await features.AlikeAsync(db, read, cancel));
        run.Notice(examples.Notices(data.Kind.Examples()));
        var (train, tried) = (examples.Train, chosen.Tried);

        // 4. Train.
        await watch.EnterAsync(RunStage.Training, 0.7);
        var progress = new StageProgress(run, 0.7, 0.85);
        var linearOnly = data.Kind.IsText(); // hidden layers do not improve word features and take minutes
        var compared = tried is not null && examples.Duplicates.Count == 0 && tried.Scores.Count == train.Count
            && tried.Validation.Repeats == HeadTraining.Repeats(train.Count)
            && (linearOnly || !HeadTraining.TriesHidden(train)); // the comparison skipped those
        var hashes = read.Items.ToDictionary(item => item.ExampleId, item => item.Sha256);
        byte[][] learned = [.. examples.TrainIds.Select(id => hashes[id])];
        var validation = compared ? tried!.Validation : await ValidateAsync();
        if (run.Status.Backbones.Count == 0) // named, so nothing was compared
        {
            progress.Show([new(chosen.Features.Id, validation.Accuracy.Rounded(), validation.StandardError.Rounded(),
                Math.Round(chosen.Features.MsPerExample, 2), true, null, train.Count)]);
        }

        if (validation.Accuracy is null) // the trials did not know the look-alikes
        {
            progress.Show(run.Status.Backbones.ConvertAll(trial => trial with { Accuracy = null, StandardError = null, LogLoss = null }));
        }

        // Idle workers can begin with the learning curve; this one gets to it after its heads.
        await using var offered = train.Support().Min() < ExamplesForCurve || validation.Accuracy is null ? null : await fits.OfferAsync(
            chosen.Features, learned, train, new(validation.Method, Seed, Math.Min(CurveRepeats, validation.Repeats), linearOnly), cancel);
        var temperature = validation.Temperature(train);
        var raw = await Task.Run(() => HeadTraining.Train(train, validation.Method, cancel), cancel);
        // Chosen on images that the heads were not trained on; only multi-label models have thresholds.
        var thresholds = train.Tags is null ? null : validation.Tested.Count == 0 ? [.. train.Categories.Select(_ => 0.5f)]
            : Thresholds.ForF1(validation.Calibrated(temperature, exclusive: false), train.Some(validation.Tested).Tags!);
        var evaluated = raw.At(temperature).With(thresholds);

        // 5. Evaluate.
        await watch.EnterAsync(RunStage.Evaluating, 0.85);
        // The served head is also trained on the images that Headstart held out by itself. The report describes a head trained on less, so
        // it does not overstate the accuracy.
        var all = examples.All;
        var head = all.Count == train.Count ? raw : await Task.Run(() => HeadTraining.Train(all, validation.Method, cancel), cancel);
        var curve = offered is null ? null : ((CurvePlan)offered.Plan)
            .Conclude(await offered.FinishAsync(new StageProgress(run, 0.85, 0.95), cancel));
        var confirmed = await db.Examples.Where(i => i.ModelId == run.Run.ModelId && i.Confirmed).Select(i => i.Id).ToListAsync(cancel);
        var report = await Task.Run(() => ReportWriter.Write(
            new(data, examples, chosen.Features, validation, evaluated, raw, temperature, curve, confirmed.ToHashSet())), cancel);

        // 6. Publish: blobs, then version, pointer and the run's end in one transaction.
        await watch.EnterAsync(RunStage.Publishing, 0.97);
        var comparison = await publish.DecideAsync(db, run.Run.ModelId, new(data, examples.Test, examples.TestIds, evaluated, features),
            new StageProgress(run, 0.97, 0.98), cancel);
        report = report with
        {
            Comparison = comparison,
            Backbones = run.Status.Backbones,
            Choice = chosen.Report,
            SecondsPerStage = watch.Seconds(),
            Notices = run.Status.Notices,
            Flaws = await FlawedImages.OfAsync(db, run.Run.ModelId, cancel),
        };
        var parts = await features.KeepAsync(chosen.Features, cancel);
        var number = await versions.PublishAsync(run, chosen.Features.Id,
            new(parts, head.At(temperature).With(thresholds), NoveltyDetector.Of(all)),
            new(parts, evaluated, NoveltyDetector.Of(train)), examples.TrainIds, report, cancel);
        Log.Succeeded(log, run.Run.Id, number, report.Accuracy);

        async Task<CrossValidation> ValidateAsync()
        {
            await using var offer = await fits.OfferAsync(chosen.Features, learned, train,
                new(null, Seed, HeadTraining.Repeats(train.Count), linearOnly), cancel);
            return ((ValidationPlan)offer.Plan).Conclude(await offer.FinishAsync(progress, cancel));
        }
    }

    /// <summary>Reports the stage to the lease and measures its time.</summary>
    private sealed class StageWatch(ActiveRun run, TimeProvider clock)
    {
        private readonly Dictionary<string, double> _seconds = [];
        private (string Stage, long Since)? _current;

        public Task EnterAsync(RunStage stage, double progress)
        {
            Close();
            _current = (stage.ToString().ToLowerInvariant(), clock.GetTimestamp());
            return run.EnterAsync(stage, progress);
        }

        public Dictionary<string, double> Seconds()
        {
            Close();
            return _seconds;
        }

        private void Close()
        {
            if (_current is var (stage, since))
            {
                _seconds[stage] = Math.Round(clock.GetElapsedTime(since).TotalSeconds, 2);
            }

            _current = null;
        }
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
