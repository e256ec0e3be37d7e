using Hangfire;
using Headstart.Data;
using Headstart.Learning.Evaluation;
using Headstart.Learning.Heads;
using Headstart.Learning.Texts;
using Headstart.Models;
using Headstart.Reports;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Training;

/// <summary>
/// One training run from claim to published version. May be started twice and die anywhere: before the last line everything is
/// repeated from the feature cache, and the last line either happens whole or not at all.
/// </summary>
public sealed partial class TrainingJob(
    IDbContextFactory<HeadstartDb> databases, ImageRunFeatures images, TextRunFeatures texts, SharedFits fits, PublishedRival rival, VersionPublisher publisher, RunQueue queue,
    TimeProvider clock, ILogger<TrainingJob> log)
{
    private const int MaxAttempts = 5;
    private const int ImagesForCurve = 5; // of each category
    private const int CurveRepeats = 3;
    internal const int Seed = 20_240_607;

    [Queue(RunQueue.Name), AutomaticRetry(Attempts = 0)] // the sweep starts lost runs again; a retry here would only be a twin
    public async Task RunAsync(Guid runId, CancellationToken stopping)
    {
        Guid model;
        await using (var lease = await RunLease.ClaimAsync(databases, runId, clock, stopping))
        {
            if (lease is null)
            {
                return;
            }

            model = lease.Run.ModelId;
            Log.Started(log, runId, lease.Run.Attempts);
            await WorkAsync(lease, stopping);
            if (lease.Released)
            {
                return; // it is the next one itself
            }
        }

        await queue.EnqueueNextAsync(model, stopping);
    }

    private async Task WorkAsync(RunLease lease, CancellationToken stopping)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(lease.Token);
        var budget = lease.Run.MaxTrainingSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : Timeout.InfiniteTimeSpan;
        deadline.CancelAfter(budget);
        try
        {
            if (lease.Run.Attempts > MaxAttempts)
            {
                throw new RunRefusedException($"The run was started {MaxAttempts} times and its worker died each time; the log of the host may say why. "
                    + "Fewer or smaller examples may help.");
            }

            await TrainAsync(lease, budget, deadline.Token);
        }
        catch (Exception e) when (e is RunRefusedException or HeadTrainingException or TextFeaturesException)
        {
            await EndAsync(lease, RunState.Failed, e.Message);
        }
        catch (OperationCanceledException) when (lease.UserCancelled)
        {
            await EndAsync(lease, RunState.Cancelled, null);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            await lease.ReleaseAsync();
            Log.Released(log, lease.Run.Id);
        }
        catch (OperationCanceledException) when (lease.Token.IsCancellationRequested)
        {
            Log.Lost(log, lease.Run.Id); // another worker has the run, or it was deleted
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            await EndAsync(lease, RunState.Failed, $"The run did not end within maxTrainingSeconds ({lease.Run.MaxTrainingSeconds:0}); allow it more time, or name one backbone.");
        }
        catch (Exception e) when (Operations.ExceptionProblems.Describe(e) is var (status, type, detail))
        {
            Operations.JobFailures.Note(log, "Training run", lease.Run.Id, e);
            // While the database or the disk is away the run stays claimed; when its lease has run out the sweep starts it again.
            if (type == Operations.ExceptionProblems.BlobStoreAway)
            {
                await lease.ReleaseAsync(later: true); // costs no attempt: there may be many until the store is back
            }
            else if (status != StatusCodes.Status503ServiceUnavailable)
            {
                await EndAsync(lease, RunState.Failed, status == StatusCodes.Status507InsufficientStorage ? detail
                    : "The run ended in an unexpected error, which is in the log of the host. Starting another run may help.");
            }
        }
    }

    private async Task TrainAsync(RunLease lease, TimeSpan budget, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var watch = new StageWatch(lease, clock);

        // 1. Freeze. If we die after this the next start learns from the same images.
        await Dataset.FreezeAsync(db, lease.Run, cancel);
        var data = await Dataset.ReadAsync(db, lease.Run, cancel);
        if (data.Categories.Count < Dataset.MinCategories)
        {
            throw new RunRefusedException("The model no longer has two categories with at least two examples each; add some and start another run.");
        }

        // 2. Choose. Features of images go to the cache as they come.
        await watch.EnterAsync(RunStage.Choosing, 0, cancel);
        IRunFeatures features = data.Kind.IsText() ? texts : images;
        using var chosen = await features.ChooseAsync(db, lease, data, new(lease, 0, 0.5), budget, cancel);

        // 3. Extract what the choice has not seen yet.
        await watch.EnterAsync(RunStage.Extracting, 0.5, cancel);
        var read = await features.ReadAsync(db, chosen.Features, [.. data.Train, .. data.Test], new StageProgress(lease, 0.5, 0.7), cancel);
        var examples = Examples.Of(data, read, await features.AlikeAsync(db, read, cancel));
        var (train, tried) = (examples.Train, chosen.Tried);

        // 4. Train.
        await watch.EnterAsync(RunStage.Training, 0.7, cancel);
        var progress = new StageProgress(lease, 0.7, 0.85);
        var linearOnly = data.Kind.IsText(); // hidden layers buy nothing on words and take minutes
        var compared = tried is not null && examples.Duplicates.Count == 0 && tried.Scores.Count == train.Count && tried.Validation.Repeats == HeadTraining.Repeats(train.Count)
            && (linearOnly || !HeadTraining.TriesHidden(train)); // the comparison left those out
        var hashes = read.Items.ToDictionary(item => item.ImageId, item => item.Sha256);
        byte[][] learned = [.. examples.TrainIds.Select(id => hashes[id])];
        var validation = compared ? tried!.Validation : await ValidateAsync();
        if (lease.Status.Backbones.Count == 0) // named, so nothing was compared
        {
            progress.Show([new(chosen.Features.Id, Math.Round(validation.Accuracy, 4), Math.Round(validation.StandardError, 4),
                Math.Round(chosen.Features.MsPerExample, 2), true, null, train.Count)]);
        }

        // Whoever is idle can begin with the curve; we come to it when our heads are made.
        await using var offered = train.Support().Min() < ImagesForCurve ? null : await fits.OfferAsync(
            chosen.Features, learned, train, new(validation.Method, Seed, Math.Min(CurveRepeats, validation.Repeats), linearOnly), cancel);
        var temperature = validation.Temperature(train);
        var raw = await Task.Run(() => HeadTraining.Train(train, validation.Method, cancel), cancel);
        // Found on images that heads had not learned from; where categories exclude each other there are none.
        var thresholds = train.Tags is null ? null : Thresholds.ForF1(validation.Calibrated(temperature, exclusive: false), train.Tags);
        var judged = raw.At(temperature).With(thresholds);

        // 5. Evaluate.
        await watch.EnterAsync(RunStage.Evaluating, 0.85, cancel);
        // What is served has also learned from the images that were held out: the report speaks of a head that had seen less, and is not
        // too kind to this one.
        var all = examples.All;
        var head = examples.Test.Count == 0 ? raw : await Task.Run(() => HeadTraining.Train(all, validation.Method, cancel), cancel);
        var curve = offered is null ? null : ((CurvePlan)offered.Plan).Conclude(await offered.FinishAsync(new StageProgress(lease, 0.85, 0.95), cancel));
        var confirmed = await db.Images.Where(i => i.ModelId == lease.Run.ModelId && i.Confirmed).Select(i => i.Id).ToListAsync(cancel);
        var report = await Task.Run(() => ReportWriter.Write(new(data, examples, chosen.Features, validation, judged, raw, temperature, curve, confirmed.ToHashSet())), cancel);

        // 6. Publish: blobs, then version, pointer and the run's end in one transaction.
        await watch.EnterAsync(RunStage.Publishing, 0.97, cancel);
        var comparison = await rival.CompareAsync(db, lease.Run.ModelId, data, examples, judged, features, new StageProgress(lease, 0.97, 0.98), cancel);
        report = report with { Comparison = comparison, Backbones = lease.Status.Backbones, Choice = chosen.Report, SecondsPerStage = watch.Seconds(), Notices = lease.Status.Notices };
        var parts = await features.KeepAsync(chosen.Features, cancel);
        var number = await publisher.PublishAsync(lease, chosen.Features.Id, new(parts, head.At(temperature).With(thresholds), KnownRegion.Of(all)),
            new(parts, judged, KnownRegion.Of(train)), report, cancel);
        Log.Succeeded(log, lease.Run.Id, number, report.Accuracy);

        async Task<CrossValidation> ValidateAsync()
        {
            await using var offer = await fits.OfferAsync(chosen.Features, learned, train, new(null, Seed, HeadTraining.Repeats(train.Count), linearOnly), cancel);
            return ((ValidationPlan)offer.Plan).Conclude(await offer.FinishAsync(progress, cancel));
        }
    }

    private async Task EndAsync(RunLease lease, RunState state, string? error)
    {
        await using var db = await databases.CreateDbContextAsync();
        if (await lease.EndAsync(db, state, error, null, CancellationToken.None))
        {
            Log.Ended(log, lease.Run.Id, state, error);
        }
    }

    /// <summary>Tells the lease which stage it is, and keeps the time.</summary>
    private sealed class StageWatch(RunLease lease, TimeProvider clock)
    {
        private readonly Dictionary<string, double> _seconds = [];
        private (string Stage, long Since)? _current;

        public Task EnterAsync(RunStage stage, double progress, CancellationToken cancel)
        {
            Close();
            _current = (stage.ToString().ToLowerInvariant(), clock.GetTimestamp());
            return lease.EnterAsync(stage, progress, cancel);
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
        [LoggerMessage(Level = LogLevel.Information, Message = "Training run {Run} starts (attempt {Attempt})")]
        public static partial void Started(ILogger log, Guid run, int attempt);

        [LoggerMessage(Level = LogLevel.Information, Message = "Training run {Run} made version {Version}, accuracy {Accuracy:0.000}")]
        public static partial void Succeeded(ILogger log, Guid run, int version, double accuracy);

        [LoggerMessage(Level = LogLevel.Information, Message = "Training run {Run} ended: {State} {Error}")]
        public static partial void Ended(ILogger log, Guid run, RunState state, string? error);

        [LoggerMessage(Level = LogLevel.Information, Message = "Training run {Run} waits for the next start of a worker")]
        public static partial void Released(ILogger log, Guid run);

        [LoggerMessage(Level = LogLevel.Warning, Message = "Training run {Run} is no longer ours; this attempt stops")]
        public static partial void Lost(ILogger log, Guid run);
    }
}

/// <summary>A run cannot go on, for a reason its user can do something about; the message is the sentence they read.</summary>
public sealed class RunRefusedException(string sentence) : Exception(sentence);

/// <summary>Maps the progress of a part (0 to 1) onto its share of the run.</summary>
public sealed class StageProgress(RunLease lease, double from, double to) : IProgress<double>
{
    public void Report(double value) => lease.Status = lease.Status with { Progress = from + (to - from) * Math.Clamp(value, 0, 1) };

    public StageProgress Part(int index, int count) => new(lease, from + (to - from) * index / count, from + (to - from) * (index + 1) / count);

    public void Show(List<BackboneTrial> trials) => lease.Status = lease.Status with { Backbones = trials };
}
