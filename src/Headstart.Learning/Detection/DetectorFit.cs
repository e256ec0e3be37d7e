using System.Diagnostics;
using Headstart.Learning.Evaluation;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>One training, from the choice of the backbone to the report.</summary>
internal sealed class DetectorFit(DetectionTask task, IProgress<DetectionProgress>? progress, CancellationToken cancel)
{
    private readonly DetectionExample[] _all = [.. task.Examples, .. task.HeldOut];
    private readonly Dictionary<DetectionStage, double> _seconds = [];
    private readonly long _start = Stopwatch.GetTimestamp();

    public DetectionResult Train()
    {
        // 1. Folds. With enough held-out examples, one fold is kept aside for calibration; otherwise the report is cross-validated.
        var crossValidated = task.HeldOut.Count < EnoughHeldOut;
        int[] learn = [.. Enumerable.Range(0, crossValidated ? _all.Length : task.Examples.Count).Where(i => !_all[i].TestOnly)];
        var folds = Math.Min(crossValidated ? FoldsOfReport : FoldsOfCalibration, learn.Length);
        var fold = DetectionFolds.Assign([.. learn.Select(i => _all[i])], task.Categories.Count, Math.Max(1, folds), task.Seed);

        // 2. The backbone and the resolution.
        var trials = Timed(DetectionStage.Choosing, () => new DetectionChoice(task, cancel)
            .Make(learn, fold, Share(DetectionStage.Choosing)));
        var chosen = trials.Single(trial => trial.Chosen);
        var backbone = task.Backbones.First(known => known.Manifest.Id == chosen.BackboneId);

        // 3. Views for training.
        var reader = new ViewReader(backbone, chosen.Resolution, task.GiveWay, cancel);
        int[] open = [.. Enumerable.Range(0, _all.Length).Where(i => !_all[i].TestOnly)]; // those in learn come first
        var views = Timed(DetectionStage.Reading, () => reader.Draw([.. open.Select(i => _all[i])], i => i < learn.Length ? fold[i] : -1,
            ViewReader.MostOf(open.Length, task.Effort), task.Seed, Share(DetectionStage.Reading),
            Left() * ShareOfReading));
        bool Teaches(int i) => views[i] is not null && _all[i].Boxes.Any(label => !label.Difficult);
        if (!learn.Any(Teaches))
        {
            throw new Heads.HeadTrainingException("None of the images with boxes can be read; upload them again.");
        }

        // 4. Heads that answer for the fold they did not learn from.
        var template = new HeadTemplate(task.Categories, backbone, reader, chosen.Resolution);
        var trainer = new HeadTrainer(template.Network, task.GiveWay);
        var answers = new RawAnswer?[_all.Length];
        var turns = folds < 2 ? 0 : crossValidated ? folds : 1;
        var goesOn = crossValidated || open.Length > learn.Length;
        // For the learning curve, on the first fold only if the report is cross-validated.
        int[] taught = [.. learn.Where(i => (!crossValidated || fold[i] != 0) && Teaches(i))];
        int[] judges = crossValidated ? [.. learn.Where(i => fold[i] == 0)] : [.. Enumerable.Range(0, _all.Length).Skip(learn.Length)];
        new Random(task.Seed).Shuffle(taught);
        var fewer = turns > 0 && judges.Length > 0 && task.Limit is null && CurvePart * taught.Length >= MinImagesWithBoxes
            ? taught[..(int)(CurvePart * taught.Length)] : [];
        // With few images, training from scratch is better than fine-tuning, and cheap.
        var anew = open.Length <= FewToGoOn;
        var later = anew ? 1 : GoingOn;
        var all = turns + (goesOn ? later : 0) + (crossValidated ? 0 : later) + (fewer.Length > 0 ? ShareOfCurve : 0);
        var toGo = all;
        var begin = template.Network.Begin(new Random(task.Seed));
        float[]? first = null;
        RawAnswer?[] ofFewer = [];
        Timed(DetectionStage.Training, () =>
        {
            // A fold with all boxes gets no answers: nothing is left to train on.
            foreach (var turn in Enumerable.Range(0, turns).Where(turn => learn.Any(i => fold[i] != turn && Teaches(i))))
            {
                var fitted = Fit(null, learn.Where(i => fold[i] != turn), 1, Share(DetectionStage.Training, turn, turns + 1));
                first ??= fitted;
                Answer(fitted, learn.Where(i => fold[i] == turn));
            }

            if (fewer.Length > 0)
            {
                ofFewer = Ask(Fit(null, fewer, ShareOfCurve, Share(DetectionStage.Training, turns, turns + 1)), judges);
            }

            return 0;
        });
        int[] seen = [.. Enumerable.Range(0, _all.Length).Where(i => answers[i] is not null)];
        template.Calibrate([.. seen.Select(i => (answers[i]!, _all[i]))]);
        return Timed(DetectionStage.Finishing, Finish);

        // 5. The evaluated head is fine-tuned from the first one, on all examples it may see; the served head from the evaluated one, if
        // there are further examples. With few images, both are trained from scratch.
        DetectionResult Finish()
        {
            DetectionHead? evaluated = null;
            var parameters = first ?? begin;
            if (!crossValidated)
            {
                parameters = Next(first, learn, Share(DetectionStage.Finishing, 0, 2));
                evaluated = template.Make(parameters);
            }

            Answer(parameters, Enumerable.Range(learn.Length, _all.Length - learn.Length)); // cross-validated: only TestOnly examples
            var unseen = answers.Select(answer => answer is not null).ToArray();
            Answer(parameters, learn.Where(i => answers[i] is null));
            if (goesOn)
            {
                parameters = Next(first is null && crossValidated ? null : parameters, open, Share(DetectionStage.Finishing, 1, 2));
            }

            Detections?[] found = [.. answers.Select(answer => answer is null ? null : template.Detections(answer))];
            int[] counted = [.. Enumerable.Range(0, _all.Length).Where(i => unseen[i] && (crossValidated || i >= learn.Length))];
            var report = DetectionEvaluation.Of(task.Categories, [.. counted.Select(i => _all[i].Boxes)],
                [.. counted.Select(i => found[i]!)], crossValidated);
            var suspects = DetectionSuspects.Of([.. _all.Select(example => example.Boxes)], found, template.Thresholds);
            return new(template.Make(parameters), evaluated, report, trials, found, unseen, suspects, Curve(), _seconds);
        }

        float[] Next(float[]? before, int[] examples, Action<double> report) =>
            before is null || anew ? Fit(null, examples, 1, report) : Fit(before, examples, GoingOn, report);

        LearningCurve? Curve()
        {
            int[] judged = [.. Enumerable.Range(0, ofFewer.Length).Where(n => ofFewer[n] is not null && answers[judges[n]] is not null)];
            return judged.Length == 0 ? null : LearningCurve.Fit(
                [new(fewer.Length, At50(n => ofFewer[n]!)), new(taught.Length, At50(n => answers[judges[n]]!))], judged.Length);

            double At50(Func<int, RawAnswer> answer) => DetectionEvaluation.At50([.. judged.Select(n =>
                new JudgedPicture(_all[judges[n]].Boxes, template.Detections(answer(n))))], task.Categories.Count);
        }

        // From scratch (null), or fine-tuned from a head that learned from some of the examples.
        float[] Fit(float[]? from, IEnumerable<int> examples, double share, Action<double> report)
        {
            DetectionView[] some = [.. examples.SelectMany(i => views[i] ?? [])];
            var steps = TrainingPlan.StepsFor(some.Length, new Places(some[0].Width, some[0].Height).Count, share * task.Effort, all);
            var limit = Left() * ShareOfTraining * share / Math.Max(share, toGo);
            toGo -= share;
            return trainer.Train(from ?? begin, some, new(steps, task.Seed, limit, from is null ? HighestRate : RateOfGoingOn), report,
                cancel);
        }

        void Answer(float[] by, IEnumerable<int> examples)
        {
            int[] asked = [.. examples];
            foreach (var (i, answer) in asked.Zip(Ask(by, asked)))
            {
                answers[i] = answer;
            }
        }

        RawAnswer?[] Ask(float[] by, int[] asked) => reader.Ask([.. asked.Select(i => _all[i])], trainer, by);
    }

    /// <summary>Remaining time, at least a second; null without a limit.</summary>
    private TimeSpan? Left() => task.Limit is { } limit ? TimeSpan.FromSeconds(Math.Max(1, (limit - Stopwatch.GetElapsedTime(_start))
        .TotalSeconds)) : null;

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
