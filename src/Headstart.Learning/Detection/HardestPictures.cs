namespace Headstart.Learning.Detection;

/// <summary>An image with mistakes.</summary>
/// <param name="Picture">Index of the image.</param>
/// <param name="Missed">Number of objects that were not found, or with the wrong place or category.</param>
/// <param name="Wrong">Number of wrong answers.</param>
public sealed record HardPicture(int Picture, int Missed, int Wrong);

/// <summary>The images on which a detector makes the most mistakes.</summary>
public static class HardestPictures
{
    /// <param name="truth">Labelled objects of each image.</param>
    /// <param name="answers">Objects found in each image.</param>
    /// <param name="thresholds">By category: answers with a lower probability do not count.</param>
    /// <param name="most">Maximum number of images.</param>
    /// <returns>Only images with mistakes, most mistakes first.</returns>
    public static IReadOnlyList<HardPicture> Of(IReadOnlyList<IReadOnlyList<LabelledBox>> truth, IReadOnlyList<Detections> answers,
        IReadOnlyList<float> thresholds, int most) =>
    [
        .. truth.Zip(answers).Select((pair, i) => Of(i, new(pair.First, pair.Second), thresholds))
            .Where(picture => picture.Missed + picture.Wrong > 0).OrderByDescending(picture => picture.Missed + picture.Wrong).Take(most),
    ];

    private static HardPicture Of(int index, JudgedPicture picture, IReadOnlyList<float> thresholds)
    {
        var mistakes = PictureMistakes.Of(picture, thresholds);
        return new(index, mistakes.Objects.Count(outcome => outcome is ObjectOutcome.Missed or ObjectOutcome.Mistaken),
            mistakes.Answers.Count(outcome => outcome is AnswerOutcome.WrongPlace or AnswerOutcome.WrongCategory or AnswerOutcome.Twice
                or AnswerOutcome.Background));
    }
}
