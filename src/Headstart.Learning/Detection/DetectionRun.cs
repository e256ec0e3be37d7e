using System.Diagnostics;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>One training, from the choice to the report.</summary>
internal sealed class DetectionRun(DetectionTask task, IProgress<DetectionProgress>? progress, CancellationToken cancel)
{
    private readonly DetectionExample[] _all = [.. task.Examples, .. task.HeldOut];
    private readonly Dictionary<DetectionStage, double> _seconds = [];
    private readonly int _cores = Environment.ProcessorCount;

    public DetectionResult Train()
    {
        // 1. Who answers for whom. With enough held out one fold is kept aside, to stop and to calibrate by; else each has its turn.
        var crossValidated = task.HeldOut.Count < EnoughHeldOut;
        int[] learn = [.. Enumerable.Range(0, crossValidated ? _all.Length : task.Examples.Count).Where(i => !_all[i].TestOnly)];
        var folds = Math.Min(crossValidated ? FoldsOfReport : FoldsOfStop, learn.Length);
        var fold = DetectionFolds.Assign([.. learn.Select(i => _all[i])], task.Categories.Count, Math.Max(1, folds), task.Seed);

        // 2. What reads the images.
        var trials = Timed(DetectionStage.Choosing, () => new DetectionChoice(task, _cores, cancel)
            .Make(learn, fold, Share(DetectionStage.Choosing)));
        var chosen = trials.Single(trial => trial.Chosen);
        var backbone = task.Backbones.First(known => known.Manifest.Id == chosen.BackboneId);

        // 3. Views of all images.
        var reader = new ViewReader(backbone, chosen.Resolution, _cores, task.GiveWay, cancel);
        var read = Timed(DetectionStage.Reading, () => reader.Read(_all, i => i < learn.Length ? fold[i] : -1,
            ViewsOf(), task.Seed, Share(DetectionStage.Reading)));
        bool Teaches(int i) => read[i] is not null && _all[i].Boxes.Any(label => !label.Difficult);
        if (!learn.Any(Teaches))
        {
            throw new Heads.HeadTrainingException("None of the images with boxes can be read; upload them again.");
        }

        // 4. Heads that answer for the fold they have not seen.
        var template = new HeadTemplate(task.Categories, backbone, reader, chosen.Resolution);
        var trainer = new HeadTrainer(template.Network, _cores, task.GiveWay);
        var answers = new IReadOnlyList<Decoding.Found>[]?[_all.Length];
        var turns = folds < 2 ? 0 : crossValidated ? folds : 1;
        float[]? first = null;
        Timed(DetectionStage.Training, () =>
        {
            // A fold that has all boxes is answered by nobody.
            foreach (var turn in Enumerable.Range(0, turns).Where(turn => learn.Any(i => fold[i] != turn && Teaches(i))))
            {
                var fitted = Fit(template.Network.Begin(new Random(task.Seed)), learn.Where(i => fold[i] != turn), 1,
                    Share(DetectionStage.Training, turn, turns));
                first ??= fitted;
                Answer(fitted, learn.Where(i => fold[i] == turn));
            }

            return 0;
        });
        int[] seen = [.. Enumerable.Range(0, _all.Length).Where(i => answers[i] is not null)];
        template.Calibrate([.. seen.Select(i => (answers[i]!, read[i]!.Frame, _all[i]))]);
        return Timed(DetectionStage.Finishing, Finish);

        // 5. The head that is evaluated goes on from the first, with all that it may see; the head that is served goes on from there.
        DetectionResult Finish()
        {
            DetectionHead? evaluated = null;
            var parameters = first ?? template.Network.Begin(new Random(task.Seed));
            var more = first is null ? 1 : GoingOn;
            var steps = crossValidated ? 1 : 2;
            if (!crossValidated)
            {
                parameters = Fit(parameters, learn, more, Share(DetectionStage.Finishing, 0, steps));
                Answer(parameters, Enumerable.Range(learn.Length, task.HeldOut.Count));
                evaluated = template.Make(parameters);
            }
            else
            {
                Answer(parameters, Enumerable.Range(learn.Length, _all.Length - learn.Length)); // only for tests
            }

            var unseen = answers.Select(answer => answer is not null).ToArray();
            Answer(parameters, learn.Where(i => answers[i] is null));
            parameters = Fit(parameters, Enumerable.Range(0, _all.Length).Where(i => !_all[i].TestOnly), crossValidated ? more : GoingOn,
                Share(DetectionStage.Finishing, steps - 1, steps));
            Detections?[] found = [.. answers.Select((answer, i) => answer is null ? null
                : template.Detections(answer[template.Same], read[i]!.Frame))];
            int[] counted = [.. Enumerable.Range(0, _all.Length).Where(i => unseen[i] && (crossValidated || i >= learn.Length))];
            var report = DetectionEvaluation.Of(task.Categories, [.. counted.Select(i => _all[i].Boxes)],
                [.. counted.Select(i => found[i]!)], crossValidated);
            var suspects = DetectionSuspects.Of([.. _all.Select(example => example.Boxes)], found, template.Thresholds);
            return new(template.Make(parameters), evaluated, report, trials, found, unseen, suspects, _seconds);
        }

        float[] Fit(float[] start, IEnumerable<int> examples, double share, Action<double> report)
        {
            DetectionView[] views = [.. examples.Where(i => read[i] is not null).SelectMany(i => read[i]!.Drawn)];
            var places = new Places(views[0].Width, views[0].Height).Count;
            var plan = TrainingPlan.For(views.Length, places, share * task.Effort, task.Seed);
            return trainer.Train(start, views, plan, (step, _) =>
            {
                report(step / (double)plan.Steps);
                return true;
            }, cancel);
        }

        void Answer(float[] by, IEnumerable<int> examples)
        {
            int[] asked = [.. examples.Where(i => read[i] is not null)];
            Parallel.For(0, asked.Length, new ParallelOptions { MaxDegreeOfParallelism = _cores, CancellationToken = cancel }, n =>
                answers[asked[n]] = trainer.Find(by, read[asked[n]]!.Plain));
        }
    }

    /// <summary>Many images are views enough; the memory is limited.</summary>
    private int ViewsOf() => Math.Clamp((int)(task.Effort * MostViews / _all.Length), FewestViews, MostViewsOfImage);

    private Action<double> Share(DetectionStage stage, int part = 0, int parts = 1) =>
        share => progress?.Report(new(stage, (part + share) / parts));

    private T Timed<T>(DetectionStage stage, Func<T> work)
    {
        var start = Stopwatch.GetTimestamp();
        var result = work();
        _seconds[stage] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return result;
    }
}
