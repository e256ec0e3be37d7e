using Headstart.Learning.Evaluation;
using Headstart.Learning.Heads;

namespace Headstart.Learning.Tests.Evaluation;

public sealed class LearningCurveTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void A_power_law_is_continued()
    {
        static double Accuracy(int images) => 1 - (0.02 + 1.5 * Math.Pow(images, -0.6));
        var curve = LearningCurve.Fit([.. ((int[])[50, 100, 200, 400]).Select(images => new CurvePoint(images, Accuracy(images)))],
            tested: 2000);

        var forecast = curve.At(800);

        Assert.InRange(forecast.Accuracy, Accuracy(800) - 0.01, Accuracy(800) + 0.01);
        Assert.InRange(Accuracy(800), forecast.Low, forecast.High);
        var (gain, low, high) = curve.Gain(400, 800);
        Assert.InRange(gain, low, high);
        Assert.InRange(gain, 0.005, 0.03);
    }

    [Fact]
    public void Few_test_images_leave_much_open()
    {
        CurvePoint[] points = [new(20, 0.7), new(40, 0.8), new(80, 0.85)];

        double Width(int tested) => LearningCurve.Fit(points, tested).At(160) is var forecast ? forecast.High - forecast.Low : 0;

        Assert.True(Width(40) > 2 * Width(2000), $"{Width(40):F3} and {Width(2000):F3}");
    }

    [Theory]
    [InlineData(6)]
    [InlineData(700)] // more than are fitted in the coordinates of their span
    public void Texts_that_are_in_both_categories_do_not_end_it(int count)
    {
        var row = (int i, int category) => i % 2 == 0 ? ((int[])[0], (float[])[1]) : ([1 + i % 5 + 5 * category], [1]);
        var set = new LabelledFeatures(new SparseRows(2_000, Enumerable.Range(0, 2 * count).Select(i => row(i / 2, i % 2))),
            [.. Enumerable.Range(0, 2 * count).Select(i => i % 2)], ["a", "b"]);

        var curve = LearningCurve.Measure(set, new(HeadKind.Logistic, 0.1), repeats: 2, seed: 1, Cancel);

        Assert.All(curve.Points, point => Assert.InRange(point.Accuracy, 0, 1));
        Assert.InRange(curve.Points[^1].Accuracy, count == 6 ? 0 : 0.7, 0.8); // half of them can be told apart
    }

    [Fact]
    public async Task Half_of_the_images_foretell_what_all_of_them_will_do()
    {
        var file = SharedData.Backbones().Single(backbone => backbone.Manifest.Id == "mobilenetv2-1.0");
        var right = 0;
        foreach (var set in (string[])["flowers", "clothing", "steel_defects"])
        {
            var all = await SharedData.Features(file, $"{set}/train");
            var half = all.Some([.. Enumerable.Range(0, all.Count).GroupBy(i => all.Labels[i])
                .SelectMany(group => group.Take(group.Count() / 2))]);
            var forecast = LearningCurve.Measure(half, HeadTraining.CrossValidate(half, 1, Cancel).Method, repeats: 3, seed: 1, Cancel)
                .At(all.Count);
            var measured = HeadTraining.CrossValidate(all, 1, Cancel).Accuracy!.Value;
            TestContext.Current.TestOutputHelper!.WriteLine(
                $"{set}: {forecast.Accuracy:F3} ({forecast.Low:F3} to {forecast.High:F3}), measured {measured:F3}");
            right += Math.Abs(forecast.Accuracy - measured) <= 0.04 ? 1 : 0;
        }

        Assert.True(right >= 2, $"{right} of 3");
    }
}
