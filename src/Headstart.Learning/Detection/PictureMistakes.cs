namespace Headstart.Learning.Detection;

internal enum ObjectOutcome
{
    Difficult,
    Found,
    Missed,
    Mistaken, // an answer for it has the wrong place or category
}

internal enum AnswerOutcome
{
    Unsure, // below its threshold
    Ignored, // inside a difficult object
    Right,
    WrongPlace,
    WrongCategory,
    Twice,
    Background,
}

/// <summary>Outcomes of the objects and the answers of one image, by TIDE's error types (Bolya et al., ECCV 2020); TIDE's "both" counts as
/// the wrong category.</summary>
/// <param name="Objects">Outcome of each object, by index.</param>
/// <param name="Answers">Outcome of each answer, by index.</param>
/// <param name="Nearest">Index of the object that each answer is about, or -1.</param>
internal sealed record PictureMistakes(ObjectOutcome[] Objects, AnswerOutcome[] Answers, int[] Nearest)
{
    /// <summary>Lowest overlap of an answer in the right place.</summary>
    public const float RightOverlap = 0.5f;

    private const float SomeOverlap = 0.1f; // an answer that overlaps less is not about the object (TIDE)

    /// <param name="picture">An image with its answers, most probable first.</param>
    /// <param name="thresholds">Lowest probability that counts, by category.</param>
    public static PictureMistakes Of(JudgedPicture picture, IReadOnlyList<float> thresholds)
    {
        var (truth, answers) = (picture.Truth, picture.Answers);
        ObjectOutcome[] objects = [.. truth.Select(label => label.Difficult ? ObjectOutcome.Difficult : ObjectOutcome.Missed)];
        var (outcomes, nearest) = (new AnswerOutcome[answers.Count], new int[answers.Count]);
        Array.Fill(nearest, -1);
        List<int> left = [];
        for (var n = 0; n < answers.Count; n++)
        {
            if (answers[n].Probability < thresholds[answers[n].Category])
            {
                continue;
            }

            var match = Best(n, g => truth[g].Category == answers[n].Category && objects[g] == ObjectOutcome.Missed);
            if (match.Overlap >= RightOverlap)
            {
                (outcomes[n], nearest[n], objects[match.Object]) = (AnswerOutcome.Right, match.Object, ObjectOutcome.Found);
            }
            else
            {
                left.Add(n);
            }
        }

        foreach (var n in left)
        {
            var same = Best(n, g => !truth[g].Difficult && truth[g].Category == answers[n].Category);
            var other = Best(n, g => !truth[g].Difficult && truth[g].Category != answers[n].Category);
            (outcomes[n], nearest[n]) = truth.Any(label => label.Difficult && answers[n].Box.Inside(label.Box) >= RightOverlap)
                ? (AnswerOutcome.Ignored, -1)
                : same.Overlap >= RightOverlap ? (AnswerOutcome.Twice, same.Object)
                : other.Overlap >= RightOverlap ? (AnswerOutcome.WrongCategory, other.Object)
                : same.Overlap >= SomeOverlap ? (AnswerOutcome.WrongPlace, same.Object)
                : other.Overlap >= SomeOverlap ? (AnswerOutcome.WrongCategory, other.Object) : (AnswerOutcome.Background, -1);
            if (outcomes[n] is AnswerOutcome.WrongPlace or AnswerOutcome.WrongCategory && objects[nearest[n]] == ObjectOutcome.Missed)
            {
                objects[nearest[n]] = ObjectOutcome.Mistaken;
            }
        }

        return new(objects, outcomes, nearest);

        (int Object, float Overlap) Best(int answer, Func<int, bool> counts) => Enumerable.Range(0, truth.Count).Where(counts)
            .Select(g => (g, answers[answer].Box.Iou(truth[g].Box))).DefaultIfEmpty((-1, 0f)).MaxBy(pair => pair.Item2);
    }
}
