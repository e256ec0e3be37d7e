using Headstart.Backbones;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Learning.Backbones;
using Headstart.Learning.Detection;
using Headstart.Learning.Imaging;
using Headstart.Versions;
using Microsoft.EntityFrameworkCore;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Training;

/// <summary>
/// Trains a detector on the maps of one backbone. If an attempt dies, the next starts over: maps are too large to be cached.
/// </summary>
internal sealed class DetectionRun(LoadedBackbones loaded, DetectorBackbones detectors, WantedBackbones wanted, ImageRunFeatures images,
    IBlobStore blobs, Cores cores, Settings settings) : IRunSteps
{
    private const double LimitOfTraining = 0.9; // share of the time left; the rest is for comparing and publishing

    public bool Suits(Dataset data, TrainingRun run) => data.HasEnoughCategories && data.Kind.HasBoxes();

    public async Task<MadeVersion> MakeAsync(HeadstartDb db, ActiveRun run, Dataset data, CancellationToken cancel)
    {
        await LookAsync(db, run, data, cancel);

        // 2. Find the backbones to choose from.
        await run.EnterAsync(RunStage.Choosing, 0);
        var backbones = Admissible(run.Run, await wanted.BringAsync(db, run, cancel));

        // 3. Find look-alikes, by the features of the fastest backbone.
        var read = await images.ReadAsync(db, new ImageFeatures(FeatureRecipe.Of(loaded.All[0])), [.. data.Train, .. data.Test],
            new StageProgress(run, 0, 0.1), cancel);
        var examples = Examples.Of(data, read, await images.AlikeAsync(db, read, cancel));
        run.Notice(examples.Notices(data.Kind.Nouns()));

        // 4. Choose, train and evaluate, computing the maps that heads read on the way.
        var items = read.Items.ToDictionary(item => item.ExampleId);
        var groups = examples.Duplicates.Index().SelectMany(group => group.Item.Select(id => (Id: id, group.Index)))
            .ToDictionary(member => member.Id, member => member.Index);
        List<Guid> tests = [.. examples.TestIds.OrderBy(id => items[id].SideGiven)];
        var task = new DetectionTask(data.Categories, [.. examples.TrainIds.Select(Example)], [.. tests.Select(Example)],
            [.. backbones.Select(backbone => backbone.Detector)])
        {
            GiveWay = cores.GiveWay,
            Effort = settings.Training.DetectionEffort,
            Limit = LimitOfTraining * run.TimeLeft,
        };
        var progress = new Progress(run);
        var result = await Task.Run(() => DetectionTraining.Train(task, progress, cancel), cancel);
        using var head = result.Head;
        using var evaluated = result.Evaluated;
        run.Status = run.Status with { Backbones = [.. result.Trials.Select(Trial)] };

        // 5. Report.
        await run.EnterAsync(RunStage.Evaluating, 0.96);
        var confirmed = await db.Examples.Where(i => i.ModelId == run.Run.ModelId && i.Confirmed).Select(i => i.Id).ToListAsync(cancel);
        var report = ObjectsReportWriter.Write(new(data, examples, [.. examples.TrainIds.Concat(tests).Select(id => items[id])], result,
            confirmed.ToHashSet()));
        return new(head.BackboneId, head.Write(), evaluated?.Write(), examples.TrainIds, report,
            new DetectorCandidate(data, tests, [.. tests.Select(id => items[id].Boxes!)],
                [.. result.Answers.Skip(examples.TrainIds.Count)], Example));

        DetectionExample Example(Guid id) => new(items[id].Boxes!, () => Read(items[id].Sha256))
        {
            TestOnly = items[id].SideGiven && data.Test.Contains(items[id]),
            Group = groups.TryGetValue(id, out var group) ? group : null,
        };

        byte[] Read(byte[] sha256) => blobs.GetAsync(sha256, cancel).GetAwaiter().GetResult() // blocks a thread of the training only
            ?? throw new ImageRefusedException(new("missing", "The image is missing from the blob store or damaged there."));

        BackboneTrial Trial(DetectionTrial trial) => new($"{trial.BackboneId}@{trial.Resolution}", trial.At50.Rounded(), null,
            Math.Round(backbones.First(backbone => backbone.Id == trial.BackboneId).MsPerImage, 2), trial.Chosen, null,
            task.Examples.Count);
    }

    /// <summary>Refuses a run with too little to learn from, and notes the images that were left out.</summary>
    private static async Task LookAsync(HeadstartDb db, ActiveRun run, Dataset data, CancellationToken cancel)
    {
        var shown = data.Train.Concat(data.Test.Where(item => !item.SideGiven)).Count(item => item.Labels.Length > 0);
        var unseen = await db.Examples.CountAsync(e => e.ModelId == run.Run.ModelId && !e.BoxesKnown, cancel);
        if (shown < data.Kind.MinExamples())
        {
            throw RefusedException.Invalid("run-refused", RunStart.TooFewBoxes(shown, unseen));
        }

        if (unseen > 0)
        {
            run.Notice(unseen == 1
                ? "One image did not take part, because nobody has said what it shows: draw its boxes, or say that nothing is there."
                : $"{unseen:N0} images did not take part, because nobody has said what they show: draw their boxes, or say that nothing is "
                    + "there.");
        }
    }

    /// <summary>The named backbone, or all that detectors can read.</summary>
    private List<(string Id, double MsPerImage, DetectorBackbone Detector)> Admissible(TrainingRun run, string? named)
    {
        var some = (named is null ? loaded.All : loaded.All.Where(b => b.Manifest.Id == named))
            .Where(b => named is not null || run.MaxLatencyMs is null || b.MsPerImage <= run.MaxLatencyMs)
            .Select(b => (Backbone: b, Detector: detectors.Find(b))).Where(b => b.Detector is not null).ToList();
        // An 8-bit network gives nearly the same features as its original, in less time.
        some.RemoveAll(b => some.Exists(other => other.Backbone.Manifest.QuantisedFrom == b.Backbone.Manifest.Sha256));
        return some.Count > 0 ? some.ConvertAll(b => (b.Backbone.Manifest.Id, b.Backbone.MsPerImage, b.Detector!))
            : throw RefusedException.Invalid("run-refused", named is null
                ? "None of this host's backbones can find objects within the limits of the run: it takes a convolutional network with "
                    + $"stages, such as a MobileNet or ResNet. {loaded.HowToGetOne}"
                : $"The backbone {named} cannot find objects: it takes a convolutional network with stages, such as a MobileNet or ResNet. "
                    + "Name another one, or none.");
    }

    /// <summary>Maps the library's stages to those of a run. (.NET's own class would report later, from another thread.)</summary>
    private sealed class Progress(ActiveRun run) : IProgress<DetectionProgress>
    {
        public void Report(DetectionProgress value)
        {
            var (stage, from, to) = value.Stage switch
            {
                DetectionStage.Choosing => (RunStage.Choosing, 0.1, 0.3),
                DetectionStage.Reading => (RunStage.Extracting, 0.3, 0.5),
                DetectionStage.Training => (RunStage.Training, 0.5, 0.8),
                _ => (RunStage.Evaluating, 0.8, 0.96),
            };
            run.Enter(stage);
            new StageProgress(run, from, to).Report(value.Share);
        }
    }
}

/// <summary>A detector, compared by mean average precision at an overlap of 0.5.</summary>
/// <param name="Truth">The boxes of the held-out images.</param>
/// <param name="Answers">What a head not trained on them found there; null for an image that can no longer be read.</param>
/// <param name="Example">Gives the held-out image with this id.</param>
internal sealed record DetectorCandidate(Dataset Data, IReadOnlyList<Guid> TestIds, IReadOnlyList<IReadOnlyList<LabelledBox>> Truth,
    IReadOnlyList<Detections?> Answers, Func<Guid, DetectionExample> Example) : Candidate(Data, TestIds)
{
    public override string Of => " of mean average precision";

    internal override async Task<(double Difference, double Low, double High)> CompareAsync(
        HeadstartDb db, ServedVersion published, Func<string, string> renamed, IProgress<double> progress, CancellationToken cancel)
    {
        var before = (ServedDetector)published;
        int[] categories = [.. before.Labels.Select(label => Data.Categories.ToList().IndexOf(renamed(label)))];
        var then = new Detections?[TestIds.Count];
        var done = 0;
        await Parallel.ForAsync(0, then.Length, cancel, (i, token) =>
        {
            then[i] = Look(before, Example(TestIds[i]), categories);
            progress.Report((double)Interlocked.Increment(ref done) / then.Length);
            return ValueTask.CompletedTask;
        });
        int[] readable = [.. Enumerable.Range(0, then.Length).Where(i => then[i] is not null && Answers[i] is not null)];
        return DetectionComparison.Difference(Data.Categories.Count, [.. readable.Select(i => Truth[i])],
            [.. readable.Select(i => then[i]!)], [.. readable.Select(i => Answers[i]!)], ComparisonSeed);
    }

    private protected override Candidate Only(int[] others) => this with
    {
        TestIds = [.. others.Select(i => TestIds[i])],
        Truth = [.. others.Select(i => Truth[i])],
        Answers = [.. others.Select(i => Answers[i])],
    };

    /// <param name="categories">The run's index of each of the version's categories; -1 for one that the run does not know.</param>
    private static Detections? Look(ServedDetector version, DetectionExample example, int[] categories)
    {
        try
        {
            var found = Detector.Detect(version.Backbone, version.Head, example.Read(), threshold: 0);
            return found with
            {
                Objects = [.. found.Objects.Where(o => categories[o.Category] >= 0)
                    .Select(o => o with { Category = categories[o.Category] })],
            };
        }
        catch (ImageRefusedException)
        {
            return null;
        }
    }
}
