using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>Finds labels that the answers contradict. Answers by a head that learned from the label are weaker evidence but still useful: a
/// small head does not memorise every box.</summary>
internal static class DetectionSuspects
{
    /// <param name="truth">Boxes of each example.</param>
    /// <param name="answers">Objects found in each example; null for an example to skip.</param>
    /// <param name="thresholds">Lowest probability that counts, by category.</param>
    public static IReadOnlyList<SuspectedBox> Of(IReadOnlyList<IReadOnlyList<LabelledBox>> truth, IReadOnlyList<Detections?> answers,
        IReadOnlyList<float> thresholds)
    {
        var suspects = new List<(double Doubt, SuspectedBox Box)>();
        for (var i = 0; i < truth.Count; i++)
        {
            if (answers[i] is { } found)
            {
                suspects.AddRange(Of(i, truth[i], found.Objects, thresholds));
            }
        }

        return [.. suspects.OrderByDescending(suspect => suspect.Doubt).Take(MostSuspects).Select(suspect => suspect.Box)];
    }

    private static IEnumerable<(double Doubt, SuspectedBox Box)> Of(int example, IReadOnlyList<LabelledBox> truth,
        IReadOnlyList<DetectedObject> answers, IReadOnlyList<float> thresholds)
    {
        float[] sure = [.. thresholds.Select(threshold => Math.Max(threshold, SureToSuspect))];
        var mistakes = PictureMistakes.Of(new(truth, answers, 1), sure);
        for (var n = 0; n < answers.Count; n++)
        {
            var (answer, nearest) = (answers[n], mistakes.Nearest[n]);
            var overlap = nearest < 0 ? 0 : answer.Box.Iou(truth[nearest].Box);
            switch (mistakes.Answers[n])
            {
                case AnswerOutcome.Background:
                    yield return (answer.Probability, new(example, BoxSuspicion.Missing, null, answer));
                    break;
                case AnswerOutcome.WrongCategory when overlap >= PictureMistakes.RightOverlap:
                    yield return (answer.Probability, new(example, BoxSuspicion.WrongCategory, nearest, answer));
                    break;
                case AnswerOutcome.WrongPlace or AnswerOutcome.Right when overlap is > SloppyFrom and < SloppyTo:
                    yield return (answer.Probability * (1 - overlap), new(example, BoxSuspicion.Sloppy, nearest, answer));
                    break;
            }
        }

        for (var g = 0; g < truth.Count; g++)
        {
            if (mistakes.Objects[g] == ObjectOutcome.Missed)
            {
                var most = answers.Where(answer => answer.Box.Iou(truth[g].Box) > SloppyFrom)
                    .Select(answer => answer.Probability).DefaultIfEmpty(0).Max();
                if (most < EmptyBelow)
                {
                    yield return (0.5 * (1 - most), new(example, BoxSuspicion.Empty, g, null)); // weak: small objects are often missed
                }
            }
        }
    }
}
