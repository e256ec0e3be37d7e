using Headstart.Learning.Evaluation;
using Headstart.Learning.Heads;
using Headstart.Learning.Native;
using TorchSharp;

namespace Headstart.Learning.Tests.Heads;

public sealed class FitPlanTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(20, 60, 25)] // fewer images than features: a space for each part
    [InlineData(120, 12, 10)] // more: one for all, and hidden layers as fits of their own
    public void Fits_made_elsewhere_and_in_any_order_say_the_same(int perCategory, int dimensions, int fits)
    {
        var set = Clusters(perCategory, dimensions);
        var here = HeadTraining.CrossValidate(set, 3, Cancel);
        using var validation = new ValidationPlan(set, 3, null, linearOnly: false);
        Assert.Equal(fits, validation.Count);

        var there = validation.Conclude(Elsewhere(validation.Count, () => new ValidationPlan(set, 3, null, linearOnly: false)));

        Assert.Equal((here.Accuracy, here.StandardError, here.Method, here.Folds, here.Repeats),
            (there.Accuracy, there.StandardError, there.Method, there.Folds, there.Repeats));
        Assert.Equal(here.OutOfFold.SelectMany(row => row), there.OutOfFold.SelectMany(row => row));

        using var curve = new CurvePlan(set, here.Method, 2, 3);
        Assert.Equal(LearningCurve.Measure(set, here.Method, 2, 3, Cancel).Points,
            curve.Conclude(Elsewhere(curve.Count, () => new CurvePlan(set, here.Method, 2, 3))).Points);
    }

    [Fact]
    public void Heads_of_large_sets_are_as_good_as_the_optimum_itself()
    {
        TorchRuntime.EnsureLoaded();
        var set = Clusters(perCategory: 700, dimensions: 600, noise: 12);
        using var scope = torch.NewDisposeScope();
        using var spaces = new PartSpaces(set);
        Assert.Equal(FitPrecision.Single, spaces.Precision);

        foreach (var strength in (double[])[1, 0.01])
        {
            var exactly = spaces.Inputs.to(torch.float64);
            var parameters = new double[spaces.Space.Rows * 3];
            new LogisticRegression(exactly, set).Fit(parameters, strength, 1e-8, Cancel);
            var optimum = LogisticRegression.Probabilities(exactly, parameters, set);

            var head = HeadTraining.Train(set, new(HeadKind.Logistic, strength), Cancel);

            Assert.All(set.Features.Index(), row => Assert.All(head.Probabilities(row.Item).Index(), p =>
                Assert.Equal(optimum[row.Index * 3 + p.Index], p.Item, 2e-3)));
        }
    }

    /// <summary>Every fit by a plan of its own, the last one first.</summary>
    private static float[][] Elsewhere(int count, Func<FitPlan> plan) => [.. Enumerable.Range(0, count).Reverse().Select(number =>
    {
        using var other = plan();
        Assert.Equal(count, other.Count);
        return other.Fit(number, Cancel);
    }).Reverse()];

    [Fact]
    public void Hidden_layers_are_fitted_to_the_folds_of_one_repeat_only()
    {
        var set = Clusters(perCategory: 60, dimensions: 8);
        using var linear = new ValidationPlan(set, 3, repeats: 3, linearOnly: true);
        using var all = new ValidationPlan(set, 3, repeats: 3, linearOnly: false);

        Assert.Equal(linear.Count + linear.Count / 3, all.Count);
    }

    private static LabelledFeatures Clusters(int perCategory, int dimensions, float noise = 3)
    {
        var random = new Random(9);
        float[][] centres = [.. Enumerable.Range(0, 3).Select(_ => Row(dimensions, _ => 2 * random.NextSingle() - 1))];
        int[] labels = [.. Enumerable.Range(0, 3 * perCategory).Select(i => i % 3)];
        return new([.. labels.Select(label => Row(dimensions, d => centres[label][d] + noise * (random.NextSingle() - 0.5f)))], labels,
            ["a", "b", "c"]);

        static float[] Row(int dimensions, Func<int, float> value) => [.. Enumerable.Range(0, dimensions).Select(value)];
    }
}
