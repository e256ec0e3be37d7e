using Headstart.Learning.Evaluation;

namespace Headstart.Learning.Tests.Evaluation;

public sealed class EvaluationTests
{
    [Fact]
    public void Counts_precision_and_recall_come_from_the_confusion_matrix()
    {
        var evaluation = Learning.Evaluation.Evaluation.Of([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 0, 0], ["ant", "bee", "cat", "dog"]);

        Assert.Equal((6, 0.5), (evaluation.Count, evaluation.Accuracy));
        Assert.Equal([[2, 1, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]], evaluation.Confusion);
        Assert.Equal([new("ant", 3, 0.5, 2 / 3.0), new("bee", 2, 0.5, 0.5), new("cat", 1, null, 0), new("dog", 0, null, null)],
            evaluation.Classes);
        Assert.Equal(Wilson.Interval95(3, 6), evaluation.AccuracyInterval);
    }

    [Fact]
    public void Nothing_to_evaluate_says_nothing()
    {
        var evaluation = Learning.Evaluation.Evaluation.Of([], [], ["ant", "bee"]);

        Assert.Equal((0, 0.0, new Interval(0, 1)), (evaluation.Count, evaluation.Accuracy, evaluation.AccuracyInterval));
    }

    [Fact]
    public void Lists_that_do_not_fit_are_refused()
    {
        Assert.Throws<ArgumentException>(() => Learning.Evaluation.Evaluation.Of([0], [0, 1], ["ant", "bee"]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Learning.Evaluation.Evaluation.Of([2], [0], ["ant", "bee"]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Learning.Evaluation.Evaluation.Of([0], [-1], ["ant", "bee"]));
    }
}
