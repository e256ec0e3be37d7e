using System.Numerics.Tensors;
using Headstart.Learning.Evaluation;
using Headstart.Learning.Heads;
using Headstart.Reports;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Training;

/// <summary>What heads not trained on an image say about it and its label.</summary>
internal static class ImageFindings
{
    /// <param name="set">The n images.</param>
    /// <param name="probabilities"><c>[n][k]</c>, calibrated, from heads not trained on the image.</param>
    /// <returns><c>[n]</c>: the predicted labels, ascending.</returns>
    public static int[][] Answers(LabelledFeatures set, IReadOnlyList<float[]> probabilities) =>
        set.Tags is null ? [.. probabilities.Select(p => (int[])[TensorPrimitives.IndexOfMax<float>(p)])]
            : Thresholds.Answers(probabilities, set.Tags);

    /// <returns>Labels that are probably wrong, the most probable first, and an estimate of how many are.</returns>
    public static (IReadOnlyList<SuspectReport> Suspects, int Errors) Suspects(Findings found, IReadOnlyList<float[]> probabilities)
    {
        var (set, ids) = Tested(found);
        var suspects = set.Tags is null ? LabelErrors.Find(probabilities, set.Labels)
            .Select(s => (s.Image, s.LabelProbability, s.SuggestedProbability, s.Confident, (int[])[s.Suggested]))
            : LabelErrors.Find(probabilities, set.Tags)
                .Select(s => (s.Image, s.LabelProbability, s.SuggestedProbability, s.Confident, s.Suggested));
        var open = suspects.Where(s => !found.Confirmed.Contains(ids[s.Image])).ToList();
        return ([.. open.Take(MostSuspects).Select(s =>
            new SuspectReport(ids[s.Image], Names(set, set.LabelsOf(s.Image)), Names(set, s.Item5),
            Math.Round(s.LabelProbability, 4), Math.Round(s.SuggestedProbability, 4),
            set.Tags is null ? null : [.. s.Item5.Select(k => set.Categories[k])]))],
            open.Count(s => s.Confident));
    }

    /// <returns>The images whose own labels are least probable.</returns>
    public static IReadOnlyList<HardImageReport> Hardest(Findings found, IReadOnlyList<float[]> probabilities)
    {
        var (set, ids) = Tested(found);
        var answers = Answers(set, probabilities);
        return [.. Enumerable.Range(0, set.Count)
            .Select(i => new HardImageReport(ids[i], Names(set, set.LabelsOf(i)), Names(set, answers[i]), Math.Round(Own(i), 4)))
            .OrderBy(image => image.Probability).Take(MostHardest)];

        double Own(int i) => set.Tags is null ? probabilities[i][set.Labels[i]]
            : probabilities[i].Index().Aggregate(1.0, (all, p) => all * (set.Tags[i].Contains(p.Index) ? p.Item : 1 - p.Item));
    }

    /// <param name="set">The n images.</param>
    /// <param name="ids"><c>[n]</c></param>
    /// <param name="probabilities"><c>[n][k]</c></param>
    /// <returns>The misclassified images, by ascending probability of their own label.</returns>
    public static IReadOnlyList<HardImageReport> Mistakes(LabelledFeatures set, IReadOnlyList<Guid> ids,
        IReadOnlyList<float[]> probabilities) => set.Tags is not null ? [] :
    [
        .. Answers(set, probabilities).Index().Where(answer => answer.Item[0] != set.Labels[answer.Index])
            .Select(answer => new HardImageReport(ids[answer.Index], set.Categories[set.Labels[answer.Index]],
                set.Categories[answer.Item[0]],
                Math.Round(probabilities[answer.Index][set.Labels[answer.Index]], 4)))
            .OrderBy(image => image.Probability).Take(MostMistakes),
    ];

    /// <summary>The training images that some head was not trained on.</summary>
    private static (LabelledFeatures Set, List<Guid> Ids) Tested(Findings found) =>
        (found.Examples.Train.Some(found.Validation.Tested), [.. found.Validation.Tested.Select(i => found.Examples.TrainIds[i])]);

    private static string Names(LabelledFeatures set, int[] labels) => Report.NamesOf(labels.Select(k => set.Categories[k]));
}
