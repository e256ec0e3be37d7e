using Headstart.Learning.Evaluation;

namespace Headstart.Learning.Tests.Evaluation;

public sealed class PrecisionRecallCurveTests
{
    [Fact]
    public void Each_image_of_the_category_is_a_point_and_precision_is_averaged_over_them()
    {
        var curve = PrecisionRecallCurve.Of("ants", [0.1f, 0.4f, 0.35f, 0.8f], [false, false, true, true])!;

        Assert.Equal(("ants", (1 + 2 / 3.0) / 2), (curve.Category, curve.AveragePrecision)); // as scikit-learn's average_precision_score
        Assert.Equal([new(0.8f, 1, 0.5), new(0.35f, 2 / 3.0, 1)], curve.Points);
    }

    [Fact]
    public void Equal_probabilities_cannot_be_told_apart()
    {
        var curve = PrecisionRecallCurve.Of("ants", [0.5f, 0.5f, 0.5f, 0.5f], [false, true, false, false])!;

        Assert.Equal(0.25, curve.AveragePrecision);
        Assert.Equal([new(0.5, 0.25, 1)], curve.Points);
    }

    [Fact]
    public void Of_many_points_some_are_kept_from_the_first_to_the_last()
    {
        var curve = PrecisionRecallCurve.Of("ants", [.. Enumerable.Range(0, 500).Select(i => 1 - i / 500f)],
            [.. Enumerable.Range(0, 500).Select(i => i < 250)])!;

        Assert.Equal((1, 20), (curve.AveragePrecision, curve.Points.Count));
        Assert.Equal((1 / 250.0, 1.0), (curve.Points[0].Recall, curve.Points[^1].Recall));
    }

    [Fact]
    public void A_category_without_images_has_none_and_lists_that_do_not_fit_are_refused()
    {
        Assert.Null(PrecisionRecallCurve.Of("ants", [0.1f], [false]));
        Assert.Throws<ArgumentException>(() => PrecisionRecallCurve.Of("ants", [0.1f], [true, false]));
    }
}
