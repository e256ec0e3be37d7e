using System.Diagnostics;
using Headstart.Learning.Backbones;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>
/// Chooses what reads the images: each backbone at the resolution that the boxes ask for, then the best one at another resolution, by the
/// mean average precision of a short training on a fold kept aside.
/// </summary>
internal sealed class DetectionChoice(DetectionTask task, int cores, CancellationToken cancel)
{
    /// <param name="learn">Indices of the examples to learn from, from 0 on.</param>
    /// <param name="fold">Of each.</param>
    /// <param name="report">Receives the share done.</param>
    public IReadOnlyList<DetectionTrial> Make(int[] learn, int[] fold, Action<double> report)
    {
        var asked = ResolutionFor(task.Examples);
        if (learn.Length < FewImagesToTry)
        {
            return [new(Favourite().Manifest.Id, asked, null, 0, Chosen: true)];
        }

        int[] sample = [.. learn.Where(i => i < task.Examples.Count)];
        new Random(task.Seed).Shuffle(sample);
        sample = sample[..Math.Min(sample.Length, ImagesOfTrial)];
        var trials = new List<DetectionTrial>();
        var worthTrying = task.Backbones.Where(backbone => task.Backbones.Count <= EnoughBackbones
            || backbone.Manifest.Id != BackboneFolders.BuiltInId).ToList();
        foreach (var backbone in worthTrying)
        {
            trials.Add(Try(backbone, asked, sample, fold));
            report(trials.Count / (worthTrying.Count + 1.0));
        }

        var best = trials.MaxBy(trial => trial.At50)!;
        var other = Resolutions.Where(resolution => resolution != asked).MinBy(resolution => (Math.Abs(resolution - asked), -resolution));
        trials.Add(Try(task.Backbones.First(backbone => backbone.Manifest.Id == best.BackboneId), other, sample, fold));
        best = trials.MaxBy(trial => trial.At50)!;
        return [.. trials.Select(trial => trial with { Chosen = trial == best })];
    }

    /// <summary>So many pixels that small objects, of which a tenth are smaller, are a stride and a half across.</summary>
    internal static int ResolutionFor(IReadOnlyList<DetectionExample> examples)
    {
        float[] sides = [.. examples.SelectMany(example => example.Boxes).Where(label => !label.Difficult)
            .Select(label => MathF.Sqrt(label.Box.Area)).Order()];
        var small = sides.Length == 0 ? 1 : sides[sides.Length / 10];
        return Resolutions.Where(resolution => resolution * small >= SmallestObject).DefaultIfEmpty(Resolutions[^1]).First();
    }

    private DetectorBackbone Favourite() => task.Backbones.MaxBy(backbone => backbone.Manifest.PublishedAccuracy ?? 0)!;

    private DetectionTrial Try(DetectorBackbone backbone, int resolution, int[] sample, int[] fold)
    {
        var start = Stopwatch.GetTimestamp();
        var reader = new ViewReader(backbone, resolution, cores, task.GiveWay, cancel);
        DetectionExample[] examples = [.. sample.Select(i => task.Examples[i])];
        int[] learn = [.. Enumerable.Range(0, sample.Length).Where(n => fold[sample[n]] != 0)];
        DetectionView[] views = [.. reader.Draw([.. learn.Select(n => examples[n])], _ => 0, ViewsOfTrial, task.Seed, _ => { })
            .SelectMany(drawn => drawn ?? [])];
        if (views.Length == 0)
        {
            return new(backbone.Manifest.Id, resolution, 0, Stopwatch.GetElapsedTime(start).TotalSeconds, false);
        }

        var template = new HeadTemplate(task.Categories, backbone, reader, resolution);
        var trainer = new HeadTrainer(template.Network, cores, task.GiveWay);
        var steps = Math.Max(1, (int)(StepsOfTrial * task.Effort));
        var parameters = trainer.Train(template.Network.Begin(new Random(task.Seed)), views,
            new(steps, HighestRate, steps, task.Seed), (_, _) => true, cancel);
        var judged = Enumerable.Range(0, sample.Length).Where(n => fold[sample[n]] == 0).AsParallel().AsOrdered().WithDegreeOfParallelism(cores)
            .Select(n => reader.Plain(examples[n]) is var (view, frame)
                ? (examples[n].Boxes, Answer: new RawAnswer(trainer.Find(parameters, view), frame)) : default)
            .Where(picture => picture.Answer is not null).ToList();
        var best = Enumerable.Range(0, SameObject.Length).Max(same => DetectionEvaluation.At50([.. judged.Select(picture =>
            new JudgedPicture(picture.Boxes, template.Detections(picture.Answer, same).Objects, picture.Answer.Frame.Aspect))],
            task.Categories.Count));
        return new(backbone.Manifest.Id, resolution, best, Stopwatch.GetElapsedTime(start).TotalSeconds, false);
    }
}
