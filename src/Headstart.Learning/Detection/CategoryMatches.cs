using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>
/// All answers of one category over all images, and which are right at each overlap from 0.5 to 0.95, as in COCO's <c>COCOeval</c> (Lin et
/// al., ECCV 2014): in order of falling probability, each answer takes the free object it overlaps most. An answer that takes a difficult
/// object, or lies in it, counts as neither right nor wrong.
/// </summary>
internal sealed class CategoryMatches
{
    /// <summary>0.5, 0.55 … 0.95.</summary>
    public static readonly double[] Overlaps = [.. Enumerable.Range(0, 10).Select(i => 0.5 + 0.05 * i)];

    private const int RecallPoints = 101;

    private readonly List<Answer> _answers = [];
    private readonly int[] _objects; // [images]

    /// <param name="pictures">Images with their labels and answers.</param>
    /// <param name="category">Index of the category.</param>
    /// <param name="counts">Whether a box of this size counts; null: all do.</param>
    public CategoryMatches(IReadOnlyList<JudgedPicture> pictures, int category, Func<JudgedPicture, Box, bool>? counts = null)
    {
        _objects = new int[pictures.Count];
        for (var i = 0; i < pictures.Count; i++)
        {
            var picture = pictures[i];
            // Ignored objects come last.
            List<Wanted> wanted = [.. picture.Truth.Where(label => label.Category == category)
                .Select(label => new Wanted(label.Box, label.Difficult, label.Difficult || counts?.Invoke(picture, label.Box) == false))
                .OrderBy(label => label.IsIgnored)];
            _objects[i] = wanted.Count(label => !label.IsIgnored);
            DetectedObject[] answered = [.. picture.Answers.Where(answer => answer.Category == category)
                .OrderByDescending(answer => answer.Probability).Take(MostObjects)];
            var bits = answered.Select(_ => (Right: 0, Ignored: 0)).ToArray();
            for (var t = 0; t < Overlaps.Length; t++)
            {
                Match(answered, wanted, t, bits, box => counts?.Invoke(picture, box) == false);
            }

            _answers.AddRange(answered.Select((answer, n) => new Answer(answer.Probability, i, bits[n].Right, bits[n].Ignored)));
        }

        _answers = [.. _answers.OrderByDescending(answer => answer.Probability)];
    }

    /// <summary>Number of objects to find.</summary>
    public int Objects => _objects.Sum();

    /// <summary>Mean precision at 101 recalls; the precision at a recall is the best at that or any higher recall.</summary>
    /// <param name="overlap">Index into <see cref="Overlaps"/>.</param>
    /// <param name="times">How often each image counts; null: once.</param>
    /// <returns>NaN without objects.</returns>
    public double AveragePrecision(int overlap, int[]? times = null)
    {
        var (right, wrong, all) = (0, 0, 0);
        for (var i = 0; i < _objects.Length; i++)
        {
            all += _objects[i] * (times?[i] ?? 1);
        }

        if (all == 0)
        {
            return double.NaN;
        }

        var curve = new (double Recall, double Precision)[_answers.Count];
        for (var n = 0; n < _answers.Count; n++)
        {
            var answer = _answers[n];
            var count = (answer.Ignored >> overlap & 1) == 1 ? 0 : times?[answer.Picture] ?? 1;
            _ = (answer.Right >> overlap & 1) == 1 ? right += count : wrong += count;
            curve[n] = ((double)right / all, right + wrong == 0 ? 0 : (double)right / (right + wrong));
        }

        var (sum, best, at) = (0.0, 0.0, curve.Length - 1);
        for (var point = RecallPoints - 1; point >= 0; point--)
        {
            for (; at >= 0 && curve[at].Recall >= point / (double)(RecallPoints - 1); at--)
            {
                best = Math.Max(best, curve[at].Precision);
            }

            sum += best;
        }

        return sum / RecallPoints;
    }

    /// <summary>Average precision averaged over <see cref="Overlaps"/>.</summary>
    public double AveragePrecision(int[]? times = null) =>
        Enumerable.Range(0, Overlaps.Length).Average(overlap => AveragePrecision(overlap, times));

    /// <summary>Precision and recall at each probability threshold, at an overlap of 0.5; highest threshold first.</summary>
    public List<DetectionCurvePoint> Curve()
    {
        var (points, right, counted, all) = (new List<DetectionCurvePoint>(), 0, 0, Objects);
        for (var n = 0; n < _answers.Count; n++)
        {
            counted += 1 - (_answers[n].Ignored & 1);
            right += _answers[n].Right & 1 & ~_answers[n].Ignored;
            if (counted > 0 && (n + 1 == _answers.Count || _answers[n + 1].Probability < _answers[n].Probability))
            {
                points.Add(new(_answers[n].Probability, (double)right / counted, all == 0 ? 0 : (double)right / all));
            }
        }

        return points;
    }

    /// <summary>Each answer's probability, and whether it is right at an overlap of 0.5; without ignored answers.</summary>
    public IEnumerable<(float Probability, bool IsRight)> Outcomes() =>
        _answers.Where(answer => (answer.Ignored & 1) == 0).Select(answer => (answer.Probability, (answer.Right & 1) == 1));

    private static void Match(DetectedObject[] answered, List<Wanted> wanted, int overlap, (int Right, int Ignored)[] bits,
        Func<Box, bool> isOutside)
    {
        var taken = new bool[wanted.Count];
        for (var n = 0; n < answered.Length; n++)
        {
            var (best, match) = (Math.Min(Overlaps[overlap], 1 - 1e-10), -1);
            for (var g = 0; g < wanted.Count; g++)
            {
                if (taken[g] && !wanted[g].IsCrowd)
                {
                    continue;
                }

                if (match >= 0 && !wanted[match].IsIgnored && wanted[g].IsIgnored)
                {
                    break;
                }

                var overlaps = (double)(wanted[g].IsCrowd ? answered[n].Box.Inside(wanted[g].Box) : answered[n].Box.Iou(wanted[g].Box));
                if (overlaps >= best)
                {
                    (best, match) = (overlaps, g);
                }
            }

            if (match >= 0)
            {
                taken[match] = true;
                bits[n].Right |= 1 << overlap;
            }

            if (match >= 0 ? wanted[match].IsIgnored : isOutside(answered[n].Box))
            {
                bits[n].Ignored |= 1 << overlap;
            }
        }
    }

    private readonly record struct Wanted(Box Box, bool IsCrowd, bool IsIgnored);

    // Right and Ignored: one bit per overlap.
    private readonly record struct Answer(float Probability, int Picture, int Right, int Ignored);
}

/// <summary>An image with its labels and a detector's answers.</summary>
/// <param name="Truth">Labelled objects.</param>
/// <param name="Answers">Objects found.</param>
/// <param name="Aspect">Width over height.</param>
internal sealed record JudgedPicture(IReadOnlyList<LabelledBox> Truth, IReadOnlyList<DetectedObject> Answers, double Aspect)
{
    public JudgedPicture(IReadOnlyList<LabelledBox> truth, Detections found)
        : this(truth, found.Objects, (double)Math.Max(1, found.Width) / Math.Max(1, found.Height))
    {
    }

    /// <summary>Side of the square with the box's area, as a share of the image's longer side.</summary>
    public double Side(Box box) => Math.Sqrt(box.Area * (Aspect >= 1 ? 1 / Aspect : Aspect));
}
