using Headstart.Learning.Detection;
using Headstart.Learning.Heads;

namespace Headstart.Learning.Tests.Detection;

public sealed class DetectionTrainingTests(TrainedDetector trained)
{
    [Fact]
    public void Drawn_objects_are_learned_and_reported_on_those_held_out()
    {
        var result = trained.Result;

        Assert.False(result.Report.CrossValidated);
        Assert.Equal(20, result.Report.Pictures);
        Assert.True(result.Report.At50.Value > 0.5, $"{result.Report.At50}");
        var taught = DrawnObjects.Draw(40, seed: 1)[..20].Count(example => example.Boxes.Count > 0);
        Assert.Equal([taught / 2, taught], result.Curve!.Points.Select(point => point.Images));
        Assert.Equal(result.Report.At50.Value, result.Curve.Points[1].Accuracy);
        Assert.Equal(40, result.Answers.Count);
        Assert.All(result.Unseen.Skip(20), Assert.True);
        Assert.Single(result.Trials, trial => trial.Chosen);
        Assert.Equal(DrawnObjects.Categories, result.Head.Categories);
        Assert.Equal(result.Evaluated!.Thresholds, result.Head.Thresholds);
    }

    [Fact]
    public void Found_objects_are_where_they_were_drawn()
    {
        var drawn = DrawnObjects.Draw(8, seed: 9);
        var right = 0;
        foreach (var example in drawn)
        {
            var found = Detector.Detect(trained.Backbone, trained.Result.Head, example.Read(), threshold: 0.05f);
            Assert.Equal((128, 96), (found.Width, found.Height));
            Assert.Equal(found.Objects.OrderByDescending(answer => answer.Probability), found.Objects);
            right += example.Boxes.Count(label => found.Objects.Any(answer => answer.Category == label.Category
                && answer.Box.Iou(label.Box) > 0.5f));
        }

        Assert.True(right >= 0.7 * drawn.Sum(example => example.Boxes.Count), $"{right} of {drawn.Sum(e => e.Boxes.Count)}");
    }

    [Fact]
    public void Threshold_and_most_limit_the_answer()
    {
        var file = DrawnObjects.Draw(1, seed: 9)[0].Read();
        var all = Detector.Detect(trained.Backbone, trained.Result.Head, file, threshold: 0.01f);

        Assert.True(all.Objects.Count > 1);
        Assert.Equal(all.Objects.Take(1), Detector.Detect(trained.Backbone, trained.Result.Head, file, threshold: 0.01f, most: 1).Objects);
        Assert.All(Detector.Detect(trained.Backbone, trained.Result.Head, file, threshold: 0.5f).Objects,
            answer => Assert.True(answer.Probability >= 0.5f));
    }

    [Theory]
    [InlineData(1, 1)] // one picture: nobody can answer for it
    [InlineData(5, 1)]
    [InlineData(8, 3)] // a category without any box
    public void Very_few_examples_are_no_failure(int pictures, int categories)
    {
        Headstart.Tests.Needs.Time();
        DetectionExample[] drawn = [.. DrawnObjects.Draw(pictures, seed: 4, categories: 1)
            .Append(new([], () => "no picture"u8.ToArray()))];
        string[] names = [.. Enumerable.Range(0, categories).Select(i => $"c{i}")];

        var result = DetectionTraining.Train(new(names, drawn, [], [trained.Backbone]) { Effort = 0.02 }, null, CancellationToken.None);

        using var head = result.Head;
        Assert.Null(result.Evaluated);
        Assert.True(result.Report.CrossValidated);
        Assert.Null(result.Answers[^1]);
        Assert.Equal(categories, result.Report.Categories.Count);
        Assert.NotNull(Detector.Detect(trained.Backbone, head, drawn[0].Read()));
    }

    [Fact]
    public void Nothing_to_learn_from_is_a_sentence()
    {
        static DetectionExample Of(params LabelledBox[] boxes) => new(boxes, () => []);
        void Refused(string because, params DetectionExample[] examples) => Assert.Contains(because, Assert.Throws<HeadTrainingException>(
            () => DetectionTraining.Train(new(["a"], examples, [], [trained.Backbone]), null, CancellationToken.None)).Message);

        Refused("no box to learn from", Of(), Of(new LabelledBox(0, new(0, 0, 1, 1), Difficult: true)));
        Refused("category that does not exist", Of(new LabelledBox(1, new(0, 0, 1, 1))));
        Refused("no area", Of(new LabelledBox(0, new(0, 0, 0, 1))));
        Refused("can be read", Of(new LabelledBox(0, new(0, 0, 1, 1))));
    }

    [Fact]
    public void A_training_can_be_stopped() => Assert.ThrowsAny<OperationCanceledException>(() => DetectionTraining.Train(
        new(DrawnObjects.Categories, DrawnObjects.Draw(4, seed: 1), [], [trained.Backbone]), null, new CancellationToken(canceled: true)));

    [Fact]
    public void Equal_trainings_make_equal_heads()
    {
        Assert.Equal(Head(), Head());

        byte[] Head()
        {
            using var head = DetectionTraining.Train(new(DrawnObjects.Categories, DrawnObjects.Draw(6, seed: 1), [], [trained.Backbone])
            {
                Effort = 0.02,
            }, null, CancellationToken.None).Head;
            return head.Write();
        }
    }

    [Fact]
    public void A_training_that_is_stopped_while_it_compares_backbones_is_cancelled_and_has_not_failed()
    {
        using var stop = new CancellationTokenSource();
        var drawn = DrawnObjects.Draw(16, seed: 1);
        var fold = DetectionFolds.Assign(drawn, 2, TrainingDefaults.FoldsOfReport, seed: 1);
        DetectionExample[] examples = [.. drawn.Select((example, i) => fold[i] != 0 ? example : new(example.Boxes, () =>
        {
            stop.Cancel();
            throw new IOException("The host stops."); // or whatever a reader says by then
        }))];

        Assert.ThrowsAny<OperationCanceledException>(() => DetectionTraining.Train(
            new(DrawnObjects.Categories, examples, [], [trained.Backbone, trained.Backbone]) { Effort = 0.01, Seed = 1 }, null,
            stop.Token));
    }

    [Fact]
    public void A_training_without_any_time_left_makes_a_head_all_the_same()
    {
        var steps = new Counter();

        var result = DetectionTraining.Train(new(DrawnObjects.Categories, DrawnObjects.Draw(8, seed: 1), [], [trained.Backbone])
        {
            Limit = TimeSpan.FromMilliseconds(1),
        }, steps, CancellationToken.None);

        using var head = result.Head;
        Assert.Equal(8, result.Report.Pictures);
        Assert.InRange(steps.Finishing, 1, TrainingDefaults.FewestSteps / 4);
    }

    [Fact]
    public void A_training_ends_by_its_steps_or_by_its_limit_and_learns_ever_more_slowly()
    {
        var plan = new TrainingPlan(Steps: 100, Seed: 1, Limit: TimeSpan.FromSeconds(10));

        Assert.Equal(0.5, plan.ShareAt(50, TimeSpan.FromSeconds(1)));
        Assert.Equal(1, plan.ShareAt(50, TimeSpan.FromSeconds(10)));
        Assert.Equal(0.5, (plan with { Limit = null }).ShareAt(50, TimeSpan.FromDays(1)));
        float[] rates = [.. Enumerable.Range(0, 100).Select(step => plan.RateAt(step / 100.0))];
        var warm = (int)(100 * TrainingDefaults.WarmUp);
        Assert.Equal(rates[..warm].Order(), rates[..warm]);
        Assert.Equal(rates[warm..].OrderDescending(), rates[warm..]);
        Assert.InRange(rates.Max(), 0.99f * TrainingDefaults.HighestRate, 1.01f * TrainingDefaults.HighestRate);
        Assert.Equal(rates[50] / 5, (plan with { Rate = TrainingDefaults.RateOfGoingOn }).RateAt(0.5), 1e-6f);
    }

    [Fact]
    public void The_category_with_the_smallest_objects_decides_the_resolution()
    {
        static DetectionExample Of(int category, float side, int count) =>
            new([.. Enumerable.Repeat(new LabelledBox(category, new(0, 0, side, side)), count)], () => []);

        Assert.Equal(224, DetectionChoice.ResolutionFor([Of(0, 0.3f, 100)], 2));
        Assert.Equal(480, DetectionChoice.ResolutionFor([Of(0, 0.3f, 100), Of(1, 0.06f, 4)], 2));
        Assert.Equal(224, DetectionChoice.ResolutionFor([Of(0, 0.3f, 100), Of(0, 0.05f, 20)], 2)); // a fifth of the category
        Assert.Equal(640, DetectionChoice.ResolutionFor([Of(0, 0.001f, 1)], 1));
    }

    private sealed class Counter : IProgress<DetectionProgress>
    {
        public int Finishing { get; private set; }

        public void Report(DetectionProgress value) => Finishing += value.Stage == DetectionStage.Finishing ? 1 : 0;
    }

    [Fact]
    public void Folds_have_about_as_many_boxes_of_each_category_and_groups_stay_together()
    {
        DetectionExample[] examples = [.. DrawnObjects.Draw(40, seed: 2)
            .Select((example, i) => example with { Group = i < 10 ? 1 : null })];

        var fold = DetectionFolds.Assign(examples, 2, folds: 4, seed: 1);

        Assert.Single(fold.Take(10).Distinct());
        for (var category = 0; category < 2; category++)
        {
            var counts = Enumerable.Range(0, 4).Select(f => examples.Where((_, i) => fold[i] == f)
                .Sum(example => example.Boxes.Count(label => label.Category == category))).ToList();
            Assert.True(counts.Max() - counts.Min() <= 10, string.Join(", ", counts)); // the group is one
        }

        Assert.True(Enumerable.Range(0, 4).All(fold.Contains));
    }

    [Fact]
    public void Probabilities_that_are_too_sure_are_put_right()
    {
        var random = new Random(1);
        var outcomes = Enumerable.Range(0, 5_000).Select(_ => (P: 0.02f + 0.96f * random.NextSingle(), Draw: random.NextSingle()))
            .Select(drawn => (drawn.P, IsRight: drawn.Draw < drawn.P * drawn.P)).ToList();

        var (slope, intercept) = DetectionCalibration.Fit(outcomes);

        var nine = DetectionCalibration.Probability(MathF.Log(0.9f / 0.1f), slope, intercept);
        Assert.InRange(nine, 0.76f, 0.88f); // 0.81 in truth
        Assert.Equal((1, 0), DetectionCalibration.Fit([]));
    }

    [Fact]
    public void Labels_that_are_contradicted_are_suspect()
    {
        Box there = new(0.1f, 0.1f, 0.2f, 0.2f), sloppy = new(0.1f, 0.1f, 0.4f, 0.2f), elsewhere = new(0.6f, 0.6f, 0.2f, 0.2f);
        IReadOnlyList<SuspectedBox> Of(LabelledBox[] truth, DetectedObject[] answers) =>
            DetectionSuspects.Of([truth], [new Detections(100, 100, answers)], [0.5f, 0.5f]);

        Assert.Equal([BoxSuspicion.Missing], Of([], [new(0, there, 0.9f)]).Select(suspect => suspect.Kind));
        Assert.Equal([BoxSuspicion.WrongCategory], Of([new(1, there)], [new(0, there, 0.9f)]).Select(suspect => suspect.Kind));
        Assert.Equal([BoxSuspicion.Sloppy], Of([new(0, sloppy)], [new(0, there, 0.9f)]).Select(suspect => suspect.Kind));
        Assert.Equal([BoxSuspicion.Empty], Of([new(0, elsewhere)], []).Select(suspect => suspect.Kind));
        Assert.Empty(Of([new(0, there)], [new(0, there, 0.9f)]));
        Assert.Empty(Of([new(0, there, Difficult: true)], []));
    }
}
