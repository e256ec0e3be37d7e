using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>Scores a detector's answers against the labels.</summary>
public static class DetectionEvaluation
{
    /// <param name="categories">Category names.</param>
    /// <param name="truth">Labelled objects of each image.</param>
    /// <param name="answers">Objects found in each image, down to low probabilities.</param>
    /// <param name="crossValidated">See <see cref="DetectionReport"/>.</param>
    /// <exception cref="ArgumentException">The counts differ.</exception>
    public static DetectionReport Of(IReadOnlyList<string> categories, IReadOnlyList<IReadOnlyList<LabelledBox>> truth,
        IReadOnlyList<Detections> answers, bool crossValidated)
    {
        ArgumentNullException.ThrowIfNull(categories);
        ArgumentNullException.ThrowIfNull(truth);
        ArgumentNullException.ThrowIfNull(answers);
        if (truth.Count != answers.Count)
        {
            throw new ArgumentException($"There are {truth.Count} pictures and answers to {answers.Count}.", nameof(answers));
        }

        JudgedPicture[] pictures = [.. truth.Zip(answers, (boxes, found) => new JudgedPicture(boxes, found))];
        CategoryMatches[] matches = [.. categories.Select((_, category) => new CategoryMatches(pictures, category))];
        DetectedCategory[] each = [.. categories.Zip(matches, Category)];
        float[] thresholds = [.. each.Select(category => category.Threshold)];
        var (at50, all) = Intervals(matches, pictures.Length);
        var (errors, found) = Errors(pictures, thresholds);
        return new(pictures.Length, crossValidated, at50, all, each, errors, Sizes(pictures, categories.Count, found),
            CalibrationError(matches));
    }

    /// <summary>Mean average precision at an overlap of 0.5; 0 without labelled objects.</summary>
    internal static double At50(IReadOnlyList<JudgedPicture> pictures, int categories) =>
        Mean(Enumerable.Range(0, categories).Select(category => new CategoryMatches(pictures, category).AveragePrecision(0)));

    /// <summary>Ignores NaN, the value of a category without objects.</summary>
    internal static double Mean(IEnumerable<double> values) => values.Where(double.IsFinite).DefaultIfEmpty(0).Average();

    private static DetectedCategory Category(string name, CategoryMatches matches)
    {
        var (curve, best) = (matches.Curve(), Best(matches));
        double? at50 = matches.Objects > 0 ? matches.AveragePrecision(0) : null;
        double? all = matches.Objects > 0 ? matches.AveragePrecision() : null;
        return best is null ? new(name, matches.Objects, at50, all, UntriedThreshold, 0, 0, Thin(curve))
            : new(name, matches.Objects, at50, all, best.Probability, best.Precision, best.Recall, Thin(curve));
    }

    /// <summary>The point with the best F1; null if nothing right was found.</summary>
    internal static DetectionCurvePoint? Best(CategoryMatches matches) =>
        matches.Curve().MaxBy(F1) is { Recall: > 0 } best ? best : null;

    private static double F1(DetectionCurvePoint point) =>
        2 * point.Precision * point.Recall / Math.Max(1e-9, point.Precision + point.Recall);

    /// <summary>The first, the last, and evenly spaced points between them.</summary>
    private static List<DetectionCurvePoint> Thin(List<DetectionCurvePoint> points) => points.Count <= MostCurvePoints ? points
        : [.. Enumerable.Range(0, MostCurvePoints).Select(i => points[i * (points.Count - 1) / (MostCurvePoints - 1)])];

    private static (PrecisionEstimate At50, PrecisionEstimate All) Intervals(CategoryMatches[] matches, int pictures)
    {
        var random = new Random(Seed);
        // Large sets have narrow intervals, so fewer draws suffice.
        var draws = Math.Clamp(DetectionDrawWork / Math.Max(1, pictures * matches.Length), FewestDraws, BootstrapDraws);
        var (halves, all) = (new double[draws], new double[draws]);
        int[][] times = [.. Enumerable.Range(0, draws).Select(_ => Draw())];
        Parallel.For(0, draws, draw =>
        {
            halves[draw] = Mean(matches.Select(category => category.AveragePrecision(0, times[draw])));
            all[draw] = Mean(matches.Select(category => category.AveragePrecision(times[draw])));
        });
        return (Estimate(Mean(matches.Select(category => category.AveragePrecision(0))), halves),
            Estimate(Mean(matches.Select(category => category.AveragePrecision())), all));

        int[] Draw()
        {
            var drawn = new int[pictures];
            for (var i = 0; i < pictures; i++)
            {
                drawn[random.Next(pictures)]++;
            }

            return drawn;
        }
    }

    private static PrecisionEstimate Estimate(double value, double[] draws)
    {
        Array.Sort(draws);
        return new(value, draws[(int)(0.025 * draws.Length)], draws[(int)(0.975 * draws.Length)]);
    }

    /// <returns>Error counts, and which objects of each image were found.</returns>
    private static (DetectionErrors Errors, bool[][] Found) Errors(JudgedPicture[] pictures, float[] thresholds)
    {
        var (right, missed, place, category, twice, background) = (0, 0, 0, 0, 0, 0);
        var found = new bool[pictures.Length][];
        for (var i = 0; i < pictures.Length; i++)
        {
            var mistakes = PictureMistakes.Of(pictures[i], thresholds);
            found[i] = [.. mistakes.Objects.Select(kind => kind == ObjectOutcome.Found)];
            right += mistakes.Objects.Count(kind => kind == ObjectOutcome.Found);
            missed += mistakes.Objects.Count(kind => kind == ObjectOutcome.Missed);
            place += mistakes.Answers.Count(kind => kind == AnswerOutcome.WrongPlace);
            category += mistakes.Answers.Count(kind => kind == AnswerOutcome.WrongCategory);
            twice += mistakes.Answers.Count(kind => kind == AnswerOutcome.Twice);
            background += mistakes.Answers.Count(kind => kind == AnswerOutcome.Background);
        }

        return (new(right, missed, place, category, twice, background), found);
    }

    private static List<DetectedSize> Sizes(JudgedPicture[] pictures, int categories, bool[][] found)
    {
        var sizes = new List<DetectedSize>();
        foreach (var (name, from, to) in ((string, double, double)[])[("small", 0, SmallSide), ("medium", SmallSide, LargeSide),
            ("large", LargeSide, double.PositiveInfinity)])
        {
            bool Counts(JudgedPicture picture, Box box) => picture.Side(box) is var side && side >= from && side < to;
            var own = pictures.SelectMany((picture, i) => picture.Truth.Zip(found[i])
                .Where(pair => !pair.First.Difficult && Counts(picture, pair.First.Box)).Select(pair => pair.Second)).ToList();
            if (own.Count > 0)
            {
                sizes.Add(new(name, own.Count, Mean(Enumerable.Range(0, categories)
                    .Select(category => new CategoryMatches(pictures, category, Counts).AveragePrecision(0))),
                    own.Count(isFound => isFound) / (double)own.Count));
            }
        }

        return sizes;
    }

    private static double CalibrationError(CategoryMatches[] matches)
    {
        var outcomes = matches.SelectMany(category => category.Outcomes()).ToList();
        return outcomes.Count == 0 ? 0 : outcomes
            .GroupBy(outcome => Math.Min(CalibrationBins - 1, (int)(outcome.Probability * CalibrationBins)))
            .Sum(bin => Math.Abs(bin.Sum(outcome => outcome.Probability) - bin.Count(outcome => outcome.IsRight))) / outcomes.Count;
    }
}
