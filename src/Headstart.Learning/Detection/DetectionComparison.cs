using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>Whether one of two detectors finds the objects of the same pictures better.</summary>
public static class DetectionComparison
{
    /// <summary>
    /// Mean average precision at an overlap of a half of the second less that of the first, -1..1, and its 90 % interval: the pictures are
    /// drawn anew, with replacement, a thousand times, the same ones for both (as <see cref="Evaluation.PairedBootstrap"/>).
    /// </summary>
    /// <param name="categories">k</param>
    /// <param name="truth">What there is in each picture; at least one.</param>
    /// <param name="first">What the first found, from low probabilities on.</param>
    /// <param name="second">What the second found.</param>
    /// <param name="seed">Decides the draws.</param>
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
            JudgedPicture[] pictures = [.. truth.Zip(answers, (boxes, found) => new JudgedPicture(boxes, found.Objects,
                (double)Math.Max(1, found.Width) / Math.Max(1, found.Height)))];
            return [.. Enumerable.Range(0, categories).Select(category => new CategoryMatches(pictures, category))];
        }
    }

    private static double Mean(CategoryMatches[] matches, int[] times) => matches
        .Select(category => category.AveragePrecision(0, times)).Where(double.IsFinite).DefaultIfEmpty(0).Average();
}
