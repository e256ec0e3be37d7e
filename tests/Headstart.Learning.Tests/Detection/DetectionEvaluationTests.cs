using Headstart.Learning.Detection;

namespace Headstart.Learning.Tests.Detection;

public sealed class DetectionEvaluationTests
{
    private static readonly Box There = new(0.1f, 0.1f, 0.2f, 0.2f);
    private static readonly Box Elsewhere = new(0.6f, 0.6f, 0.2f, 0.2f);

    private int _state = 7;

    [Fact]
    public void Precision_at_each_recall_is_the_best_at_that_or_a_higher_one()
    {
        // Right, wrong, right: up to a recall of a half the precision is 1 (51 of 101 points), then 2 of 3.
        var report = Of([[new(0, There), new(0, Elsewhere)]],
            [[new(0, There, 0.9f), new(0, new(0.1f, 0.7f, 0.1f, 0.1f), 0.8f), new(0, Elsewhere, 0.7f)]]);

        Assert.Equal((51 + 50 * 2 / 3.0) / 101, report.At50.Value, 1e-9);
        Assert.Equal((51 + 50 * 2 / 3.0) / 101, report.At50To95.Value, 1e-9);
        Assert.Equal((0.7f, 2 / 3.0, 1.0), (report.Categories[0].Threshold, report.Categories[0].Precision, report.Categories[0].Recall));
    }

    [Fact]
    public void An_object_is_found_once_and_by_the_most_probable_answer()
    {
        var report = Of([[new(0, There)]], [[new(0, There, 0.5f), new(0, There, 0.9f)]]);

        Assert.Equal(1, report.At50.Value, 1e-9); // the second answer comes when all is found
        Assert.Equal(1, report.Errors.Right);
    }

    [Fact]
    public void Stricter_overlaps_count_a_box_for_less()
    {
        // 0.2 x 0.142 inside of 0.2 x 0.2: an overlap of 0.71, which is right at five of the ten overlaps.
        var report = Of([[new(0, There)]], [[new(0, There with { Height = 0.142f }, 0.9f)]]);

        Assert.Equal(1, report.At50.Value, 1e-9);
        Assert.Equal(0.5, report.At50To95.Value, 1e-9);
    }

    [Fact]
    public void What_is_difficult_is_neither_right_nor_wrong()
    {
        var with = Of([[new(0, There), new(0, Elsewhere, Difficult: true)]],
            [[new(0, Elsewhere, 0.95f), new(0, Elsewhere with { Width = 0.1f }, 0.93f), new(0, There, 0.9f)]]);

        Assert.Equal((1.0, 1), (with.At50.Value, with.Categories[0].Boxes));
        Assert.Equal(new DetectionErrors(1, 0, 0, 0, 0, 0), with.Errors);
    }

    [Fact]
    public void Average_precision_is_that_of_an_independent_program()
    {
        // average_precision.py in this folder draws the same scenes and prints these numbers.
        var (truth, answers) = Scenes();
        var pictures = truth.Zip(answers, (t, a) => new JudgedPicture(t, a, 1)).ToList();
        double[][] expected =
        [
            [0.168933, 0.08628, 0.08628, 0.076379, 0.021602, 0.011101, 0.006601, 0, 0, 0],
            [0.128053, 0.128053, 0.122695, 0.122695, 0.122695, 0.105404, 0.092409, 0.017327, 0.017327, 0],
        ];

        Assert.Equal((41, 58), (truth.Sum(t => t.Count), answers.Sum(a => a.Count)));
        for (var category = 0; category < 2; category++)
        {
            var matches = new CategoryMatches(pictures, category);
            Assert.Equal(expected[category], Enumerable.Range(0, 10).Select(overlap => matches.AveragePrecision(overlap)), Close);
            Assert.Equal(expected[category].Average(), matches.AveragePrecision(), 1e-5);
        }

        Assert.True(double.IsNaN(new CategoryMatches(pictures, 2).AveragePrecision(0))); // nothing to find
        var medium = DetectionEvaluation.Of(["a", "b", "c"], truth, [.. answers.Select(a => new Detections(100, 100, a))], false)
            .Sizes.Single(size => size.Name == "medium");
        Assert.Equal((0.160974 + 0.140594) / 2, medium.At50, 1e-5);
    }

    [Fact]
    public void Mistakes_have_a_kind()
    {
        Box shifted = new(0.2f, 0.1f, 0.2f, 0.2f), nothing = new(0.1f, 0.7f, 0.1f, 0.1f);
        Assert.Equal(new DetectionErrors(1, 0, 0, 0, 1, 0), Errors([new(0, There)], [new(0, There, 0.9f), new(0, There, 0.9f)]));
        Assert.Equal(new DetectionErrors(0, 1, 0, 0, 0, 1), Errors([new(0, There)], [new(0, nothing, 0.9f)]));
        Assert.Equal(new DetectionErrors(0, 0, 1, 0, 0, 0), Errors([new(0, There)], [new(0, shifted, 0.9f)]));
        Assert.Equal(new DetectionErrors(0, 0, 0, 1, 0, 0), Errors([new(0, There)], [new(1, There, 0.9f)]));
        Assert.Equal(new DetectionErrors(0, 1, 0, 0, 0, 0), Errors([new(0, There)], [new(0, There, 0.4f)])); // below the threshold

        static DetectionErrors Errors(LabelledBox[] truth, DetectedObject[] answers)
        {
            var mistakes = PictureMistakes.Of(new(truth, answers, 1), [0.5f, 0.5f]);
            int Count(AnswerOutcome kind) => mistakes.Answers.Count(answer => answer == kind);
            return new(Count(AnswerOutcome.Right), mistakes.Objects.Count(kind => kind == ObjectOutcome.Missed),
                Count(AnswerOutcome.WrongPlace), Count(AnswerOutcome.WrongCategory), Count(AnswerOutcome.Twice),
                Count(AnswerOutcome.Background));
        }
    }

    [Fact]
    public void The_interval_holds_the_value_and_is_narrow_where_all_pictures_agree()
    {
        var (truth, answers) = Scenes();
        var drawn = Of(truth, answers);
        Assert.InRange(drawn.At50.Value, drawn.At50.Low, drawn.At50.High);
        Assert.True(drawn.At50.Low < drawn.At50.High);
        Assert.InRange(drawn.At50To95.Value, drawn.At50To95.Low, drawn.At50To95.High);

        var perfect = Of(truth, [.. truth.Select(t => t.Select(label => new DetectedObject(label.Category, label.Box, 0.9f)).ToList())]);
        Assert.Equal(new PrecisionEstimate(1, 1, 1), perfect.At50);
    }

    [Fact]
    public void Nothing_to_judge_is_no_failure()
    {
        Assert.Equal(0, Of([], []).Pictures);
        var empty = Of([[]], [[new(0, There, 0.9f)]]);
        Assert.Equal((0.0, null), (empty.At50.Value, empty.Categories[0].At50));
        Assert.Throws<ArgumentException>(() => Of([[]], []));
    }

    private static bool Close(double one, double other) => Math.Abs(one - other) < 1e-5;

    private static DetectionReport Of(IReadOnlyList<IReadOnlyList<LabelledBox>> truth,
        IReadOnlyList<IReadOnlyList<DetectedObject>> answers) => DetectionEvaluation.Of(["a", "b", "c"], truth,
            [.. answers.Select(found => new Detections(100, 100, found))], crossValidated: false);

    private double Draw()
    {
        _state = (int)((_state * 1_103_515_245L + 12_345) % (1L << 31));
        return _state / (double)(1L << 31);
    }

    private double[] DrawBox() => [Draw() * 0.7, Draw() * 0.7, 0.05 + Draw() * 0.25, 0.05 + Draw() * 0.25];

    private (List<IReadOnlyList<LabelledBox>> Truth, List<IReadOnlyList<DetectedObject>> Answers) Scenes()
    {
        static Box Of(double[] b) => new((float)b[0], (float)b[1], (float)b[2], (float)b[3]);
        var (truth, answers) = (new List<IReadOnlyList<LabelledBox>>(), new List<IReadOnlyList<DetectedObject>>());
        for (var picture = 0; picture < 15; picture++)
        {
            var own = new List<(int Category, double[] Box, bool Crowd)>();
            for (var (i, count) = (0, (int)(Draw() * 6)); i < count; i++)
            {
                own.Add(((int)(Draw() * 2), DrawBox(), Draw() < 0.15));
            }

            var found = new List<DetectedObject>();
            foreach (var (category, b, _) in own)
            {
                for (var (i, count) = (0, (int)(Draw() * 3)); i < count; i++)
                {
                    double[] moved = [b[0] + (Draw() - 0.5) * 0.06, b[1] + (Draw() - 0.5) * 0.06, b[2] * (0.8 + Draw() * 0.4),
                        b[3] * (0.8 + Draw() * 0.4)];
                    found.Add(new(Draw() < 0.85 ? category : 1 - category, Of(moved), (float)Draw()));
                }
            }

            for (var (i, count) = (0, (int)(Draw() * 4)); i < count; i++)
            {
                found.Add(new((int)(Draw() * 3), Of(DrawBox()), (float)(Draw() * 0.6)));
            }

            truth.Add([.. own.Select(label => new LabelledBox(label.Category, Of(label.Box), label.Crowd))]);
            answers.Add(found);
        }

        return (truth, answers);
    }
}
