using Headstart.Learning.Backbones;
using Headstart.Learning.Heads;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Tests.Heads;

public sealed class RealPhotographsTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Cats_and_dogs_are_told_apart_from_60_photographs()
    {
        var set = await SharedData.Features(Good(), "cats_dogs");

        Assert.Equal(60, set.Count);
        var accuracy = HeadTraining.CrossValidate(set, seed: 1, Cancel).Accuracy;
        Assert.True(accuracy >= 0.95, $"Cross-validated accuracy is {accuracy:F3}.");
    }

    [Fact]
    public async Task Ants_and_bees_are_told_apart_on_photographs_never_seen()
    {
        var (train, test) = (await SharedData.Features(Good(), "hymenoptera/train"), await SharedData.Features(Good(), "hymenoptera/test"));

        var validation = HeadTraining.CrossValidate(train, seed: 1, Cancel);
        var head = HeadTraining.Train(train, validation.Method, Cancel);

        var predicted = test.Features.Select(row => Array.IndexOf(head.Probabilities(row), head.Probabilities(row).Max())).ToList();
        var evaluation = Learning.Evaluation.Evaluation.Of(test.Labels, predicted, test.Categories);
        Assert.True(evaluation.Accuracy >= 0.93, $"{evaluation.Accuracy:F3}");
        Assert.InRange(validation.Accuracy!.Value, evaluation.AccuracyInterval.Low, evaluation.AccuracyInterval.High);
    }

    [Theory]
    [InlineData(0.003)]
    [InlineData(0.1)]
    [InlineData(10)]
    public async Task The_solution_is_the_optimum(double l2)
    {
        var set = await SharedData.Features(SharedData.Smallest(), "cats_dogs");

        var head = HeadTraining.Train(set, new(HeadKind.Logistic, l2), Cancel);

        Assert.True(LargestSlope(set, head, l2) < 1e-5, $"The gradient is {LargestSlope(set, head, l2):E2}.");
    }

    [Fact]
    public async Task Real_features_give_the_same_bits_twice()
    {
        var set = await SharedData.Features(SharedData.Smallest(), "cats_dogs");

        byte[] Bytes() => new HeadArtifact([new("b", "s", "p", "")], HeadTraining.Train(set, new(HeadKind.Logistic, 0.1), Cancel),
            NoveltyDetector.Of(set)).Write();

        Assert.Equal(Bytes(), Bytes());
    }

    private static BackboneFile Good() => SharedData.Backbones().Single(file => file.Manifest.Id == "mobilenetv2-1.0");

    /// <summary>
    /// Largest component of the objective's gradient with respect to the weights on centred and scaled features, worked out here from its
    /// definition and from nothing but the finished head.
    /// </summary>
    private static double LargestSlope(LabelledFeatures set, Head head, double l2)
    {
        var (n, d, k) = (set.Count, set.Dimensions, set.Categories.Count);
        var support = set.Support();
        var mean = Enumerable.Range(0, d).Select(j => set.Features.Average(row => (double)row[j])).ToArray();
        var scale = Math.Sqrt(set.Features.Average(row => row.Zip(mean, (value, m) => (value - m) * (value - m)).Sum()) / FeatureVariance);
        var slope = new double[k, d + 1];
        for (var i = 0; i < n; i++)
        {
            var p = head.Probabilities(set.Features[i]);
            for (var c = 0; c < k; c++)
            {
                var error = (p[c] - (set.Labels[i] == c ? 1 : 0)) / ((double)k * support[set.Labels[i]]);
                slope[c, d] += error;
                for (var j = 0; j < d; j++)
                {
                    slope[c, j] += error * (set.Features[i][j] - mean[j]) / scale;
                }
            }
        }

        for (var c = 0; c < k; c++)
        {
            for (var j = 0; j < d; j++)
            {
                slope[c, j] += l2 * head.Output.Weights.Span[c * d + j] * scale;
            }
        }

        return slope.Cast<double>().Max(Math.Abs);
    }
}
