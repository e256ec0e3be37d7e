using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>Compares two detectors on the same images.</summary>
public static class DetectionComparison
{
    /// <summary>
    /// Mean average precision at an overlap of 0.5 of the second detector minus that of the first, -1..1, with its 90 % interval from a
    /// thousand bootstrap draws of the images, the same for both (as <see cref="Evaluation.PairedBootstrap"/>).
    /// </summary>
    /// <param name="categories">Number of categories.</param>
    /// <param name="truth">Labelled objects of each image; at least one image.</param>
    /// <param name="first">Objects the first detector found, down to low probabilities.</param>
    /// <param name="second">Objects the second detector found.</param>
    /// <param name="seed">Seed of the draws.</param>
    public static (double Difference, double Low, double High) Difference(int categories, IReadOnlyList<IReadOnlyList<LabelledBox>> truth,
        IReadOnlyList<Detections> first, IReadOnlyList<Detections> second, int seed)
    {
        ArgumentNullException.ThrowIfNull(truth);
        ArgumentOutOfRangeException.ThrowIfZero(truth.Count);
        var (before, after) = (Matches(first), Matches(second));
        var random = new Random(seed);
        var differences = new double[BootstrapDraws];
        foreach (ref var difference in differences.AsSpan())
        {
            var times = new int[truth.Count];
            for (var i = 0; i < times.Length; i++)
            {
                times[random.Next(times.Length)]++;
            }

            difference = Mean(after, times) - Mean(before, times);
        }

        Array.Sort(differences);
        int[] once = [.. Enumerable.Repeat(1, truth.Count)];
        return (Mean(after, once) - Mean(before, once), differences[(int)(BootstrapTail * BootstrapDraws)],
            differences[(int)((1 - BootstrapTail) * BootstrapDraws) - 1]);

        CategoryMatches[] Matches(IReadOnlyList<Detections> answers)
        {
            JudgedPicture[] pictures = [.. truth.Zip(answers, (boxes, found) => new JudgedPicture(boxes, found))];
            return [.. Enumerable.Range(0, categories).Select(category => new CategoryMatches(pictures, category))];
        }
    }

    private static double Mean(CategoryMatches[] matches, int[] times) =>
        DetectionEvaluation.Mean(matches.Select(category => category.AveragePrecision(0, times)));
}
