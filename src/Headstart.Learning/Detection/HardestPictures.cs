namespace Headstart.Learning.Detection;

/// <summary>A picture with mistakes.</summary>
/// <param name="Picture">Its index.</param>
/// <param name="Missed">Objects that were not found, or in the wrong place or as something else.</param>
/// <param name="Wrong">Answers that are not right.</param>
public sealed record HardPicture(int Picture, int Missed, int Wrong);

/// <summary>The pictures that a detector does worst on.</summary>
public static class HardestPictures
{
    private const float RightOverlap = 0.5f;
    private const float SomeOverlap = 0.1f;

    /// <param name="truth">What there is in each picture.</param>
    /// <param name="answers">What was found there.</param>
    /// <param name="thresholds">By category: answers below do not count.</param>
    /// <param name="most">How many to return.</param>
    /// <returns>Those with most mistakes first; none without mistakes.</returns>
    public static IReadOnlyList<HardPicture> Of(IReadOnlyList<IReadOnlyList<LabelledBox>> truth, IReadOnlyList<Detections> answers,
        IReadOnlyList<float> thresholds, int most) =>
    [
        .. truth.Zip(answers).Select((pair, i) => Of(i, new(pair.First, pair.Second.Objects,
            (double)Math.Max(1, pair.Second.Width) / Math.Max(1, pair.Second.Height)), thresholds))
            .Where(picture => picture.Missed + picture.Wrong > 0).OrderByDescending(picture => picture.Missed + picture.Wrong).Take(most),
    ];

    private static HardPicture Of(int index, JudgedPicture picture, IReadOnlyList<float> thresholds)
    {
        var mistakes = PictureMistakes.Of(picture, thresholds, RightOverlap, SomeOverlap);
        return new(index, mistakes.Objects.Count(outcome => outcome is ObjectOutcome.Missed or ObjectOutcome.Mistaken),
            mistakes.Answers.Count(outcome => outcome is AnswerOutcome.WrongPlace or AnswerOutcome.WrongCategory or AnswerOutcome.Twice
                or AnswerOutcome.Background));
    }
}
