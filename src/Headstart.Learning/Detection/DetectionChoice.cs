using System.Diagnostics;
using Headstart.Learning.Backbones;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>
/// Chooses the backbone and the resolution. The resolution follows from the box sizes. The backbone is chosen by short trainings, judged by
/// mean average precision on a fold kept aside: first all backbones at a low resolution, which saves most of the work, then the two best
/// with twice the steps (successive halving, Jamieson and Talwalkar, AISTATS 2016).
/// </summary>
internal sealed class DetectionChoice(DetectionTask task, CancellationToken cancel)
{
    private readonly long _start = Stopwatch.GetTimestamp();

    /// <param name="learn">Indices of the examples to learn from: 0 to n - 1.</param>
    /// <param name="fold">Fold of each example.</param>
    /// <param name="report">Receives progress, 0..1.</param>
    public IReadOnlyList<DetectionTrial> Make(int[] learn, int[] fold, Action<double> report)
    {
        var asked = ResolutionFor(task.Examples, task.Categories.Count);
        // The most accurate backbones first, in case there is no time to try all.
        var candidates = task.Backbones.Where(backbone => task.Backbones.Count <= EnoughBackbones
                || backbone.Manifest.Id != BackboneFolders.BuiltInId)
            .OrderByDescending(backbone => backbone.Manifest.PublishedAccuracy ?? 0).ToList();
        if (learn.Length < FewImagesToTry || candidates.Count == 1)
        {
            return [new(candidates[0].Manifest.Id, asked, null, 0, Chosen: true)];
        }

        int[] sample = [.. learn.Where(i => i < task.Examples.Count)];
        new Random(task.Seed).Shuffle(sample);
        sample = sample[..Math.Min(sample.Length, ImagesOfTrial)];
        var resolution = Math.Min(asked, ResolutionOfTrial);
        var trials = new List<DetectionTrial>();
        foreach (var backbone in candidates.TakeWhile(_ => InTime()))
        {
            trials.Add(Try(backbone, resolution, (sample, fold), StepsOfTrial));
            report(trials.Count / (candidates.Count + 2.0));
        }

        trials = [.. trials.OrderByDescending(trial => trial.At50)];
        if (trials.Count > 2 && InTime())
        {
            trials = [.. trials[..2].ConvertAll(trial => Try(Named(trial.BackboneId), resolution, (sample, fold), 2 * StepsOfTrial))
                .OrderByDescending(trial => trial.At50), .. trials[2..]];
        }

        return resolution == asked && trials.Count > 0 ? [trials[0] with { Chosen = true }, .. trials[1..]]
            : [.. trials, new(trials.Count > 0 ? trials[0].BackboneId : candidates[0].Manifest.Id, asked, null, 0, Chosen: true)];
    }

    /// <summary>The lowest resolution at which half of each category's objects are <see cref="SmallestObject"/> pixels across. Per
    /// category, because mean average precision weighs categories equally. Half, because more pixels leave fewer training steps, which
    /// costs the larger objects what the smaller ones gain.</summary>
    internal static int ResolutionFor(IReadOnlyList<DetectionExample> examples, int categories)
    {
        var boxes = examples.SelectMany(example => example.Boxes).Where(label => !label.Difficult).ToLookup(label => label.Category);
        var small = Enumerable.Range(0, categories).Where(boxes.Contains).Select(category =>
        {
            float[] sides = [.. boxes[category].Select(label => MathF.Sqrt(label.Box.Area)).Order()];
            return sides[sides.Length / 2];
        }).DefaultIfEmpty(1).Min();
        return Resolutions.Where(resolution => resolution * small >= SmallestObject).DefaultIfEmpty(Resolutions[^1]).First();
    }

    private DetectorBackbone Named(string id) => task.Backbones.First(backbone => backbone.Manifest.Id == id);

    private bool InTime() => task.Limit is not { } limit || Stopwatch.GetElapsedTime(_start) < limit * ShareOfChoice;

    private DetectionTrial Try(DetectorBackbone backbone, int resolution, (int[] Sample, int[] Fold) on, int steps)
    {
        var (sample, fold) = on;
        var start = Stopwatch.GetTimestamp();
        var reader = new ViewReader(backbone, resolution, task.GiveWay, cancel);
        DetectionExample[] examples = [.. sample.Select(i => task.Examples[i])];
        int[] learn = [.. Enumerable.Range(0, sample.Length).Where(n => fold[sample[n]] != 0)];
        DetectionView[] views = [.. reader.Draw([.. learn.Select(n => examples[n])], _ => 0, ViewsOfTrial, task.Seed, _ => { })
            .SelectMany(drawn => drawn ?? [])];
        if (views.Length == 0)
        {
            return new(backbone.Manifest.Id, resolution, 0, Stopwatch.GetElapsedTime(start).TotalSeconds, false);
        }

        var template = new HeadTemplate(task.Categories, backbone, reader, resolution);
        var trainer = new HeadTrainer(template.Network, task.GiveWay);
        var parameters = trainer.Train(template.Network.Begin(new Random(task.Seed)), views,
            new(Math.Max(1, (int)(steps * task.Effort)), task.Seed), _ => { }, cancel);
        DetectionExample[] asked = [.. Enumerable.Range(0, sample.Length).Where(n => fold[sample[n]] == 0).Select(n => examples[n])];
        var judged = asked.Zip(reader.Ask(asked, trainer, parameters)).Where(picture => picture.Second is not null).ToList();
        var best = Enumerable.Range(0, SameObject.Length).Max(same => DetectionEvaluation.At50([.. judged.Select(picture =>
            new JudgedPicture(picture.First.Boxes, template.Detections(picture.Second!, same)))], task.Categories.Count));
        return new(backbone.Manifest.Id, resolution, best, Stopwatch.GetElapsedTime(start).TotalSeconds, false);
    }
}
