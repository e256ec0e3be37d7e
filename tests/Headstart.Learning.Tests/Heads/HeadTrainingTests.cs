using Headstart.Learning.Heads;

namespace Headstart.Learning.Tests.Heads;

public sealed class HeadTrainingTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void Clear_clusters_are_learned_from_two_images_each()
    {
        var set = Clusters(perCategory: 2, dimensions: 20);

        var validation = HeadTraining.CrossValidate(set, seed: 1, Cancel);
        var head = HeadTraining.Train(set, validation.Method, Cancel);

        Assert.Equal(2, validation.Folds);
        Assert.Equal(1, validation.Accuracy);
        Assert.All(set.Features.Zip(set.Labels), example => Assert.Equal(example.Second, Predict(head, example.First)));
        Assert.Equal((20 + 1) * 3, head.TrainableParameters);
    }

    [Theory]
    [InlineData(30, 8)] // more images than features
    [InlineData(4, 40)] // fewer
    public void The_same_set_and_seed_give_the_same_bits(int perCategory, int dimensions)
    {
        var set = Clusters(perCategory, dimensions, noise: 2);

        var (one, other) = (HeadTraining.CrossValidate(set, 7, Cancel), HeadTraining.CrossValidate(set, 7, Cancel));
        byte[] Bytes() => new HeadArtifact([new("b", "s", "p", "")], HeadTraining.Train(set, one.Method, Cancel), KnownRegion.Of(set)).Write();

        Assert.Equal((one.Accuracy, one.StandardError, one.Method), (other.Accuracy, other.StandardError, other.Method));
        Assert.Equal(one.OutOfFold.SelectMany(row => row), other.OutOfFold.SelectMany(row => row));
        Assert.Equal(Bytes(), Bytes());
    }

    [Fact]
    public void Out_of_fold_probabilities_add_up_to_one_and_agree_with_the_accuracy()
    {
        var set = Clusters(perCategory: 30, dimensions: 5, noise: 6);

        var validation = HeadTraining.CrossValidate(set, 3, Cancel);

        Assert.All(validation.OutOfFold, row => Assert.Equal(1, row.Sum(), 1e-5));
        var agreeing = validation.OutOfFold.Zip(set.Labels).Count(pair => Array.IndexOf(pair.First, pair.First.Max()) == pair.Second);
        Assert.Equal(validation.Accuracy, (double)agreeing / set.Count, 0.05);
        Assert.InRange(validation.Accuracy, 0.5, 0.99);
        Assert.InRange(validation.StandardError, 0.01, 0.06);
    }

    [Fact]
    public void Pure_noise_is_not_said_to_be_learned()
    {
        var random = new Random(5);
        var set = new LabelledFeatures(
            [.. Enumerable.Range(0, 100).Select(_ => Enumerable.Range(0, 300).Select(_ => random.NextSingle()).ToArray())],
            [.. Enumerable.Range(0, 100).Select(i => i % 2)], ["a", "b"]);

        Assert.InRange(HeadTraining.CrossValidate(set, 1, Cancel).Accuracy, 0.3, 0.7);
    }

    [Fact]
    public void Constant_features_change_nothing()
    {
        var set = Clusters(perCategory: 5, dimensions: 6);
        var padded = set with { Features = [.. set.Features.Select(row => (float[])[.. row, 0, 123.4f, 1e-30f])] };

        var (head, with) = (HeadTraining.Train(set, new(HeadKind.Logistic, 0.1), Cancel), HeadTraining.Train(padded, new(HeadKind.Logistic, 0.1), Cancel));

        for (var i = 0; i < set.Count; i++)
        {
            Assert.All(head.Probabilities(set.Features[i]).Zip(with.Probabilities(padded.Features[i])),
                pair => Assert.Equal(pair.First, pair.Second, 1e-4));
        }
    }

    [Fact]
    public void A_fold_in_which_all_images_are_alike_is_survived()
    {
        var set = new LabelledFeatures([[1, 1], [1, 1], [1, 1], [2, 1]], [0, 0, 1, 1], ["a", "b"]);

        var validation = HeadTraining.CrossValidate(set, 1, Cancel);

        Assert.All(validation.OutOfFold, row => Assert.Equal(1, row.Sum(), 1e-5));
    }

    [Fact]
    public void A_rare_category_weighs_as_much_as_a_common_one()
    {
        var random = new Random(2);
        float[] Around(float centre) => [centre + random.NextSingle() * 2 - 1];
        var set = new LabelledFeatures(
            [.. Enumerable.Range(0, 190).Select(_ => Around(0)), .. Enumerable.Range(0, 10).Select(_ => Around(1.2f))],
            [.. Enumerable.Repeat(0, 190), .. Enumerable.Repeat(1, 10)], ["common", "rare"]);

        var head = HeadTraining.Train(set, new(HeadKind.Logistic, 0.01), Cancel);

        Assert.True(set.Features.Skip(190).Count(row => Predict(head, row) == 1) >= 8);
    }

    [Fact]
    public void Sets_with_nothing_to_learn_are_refused_with_a_sentence()
    {
        LabelledFeatures Set(float[][] features, int[] labels, params string[] categories) => new(features, labels, categories);

        AssertRefused("two categories", Set([[1], [2]], [0, 0], "only"));
        AssertRefused("'b' has 1 ", Set([[1], [2], [3]], [0, 0, 1], "a", "b"));
        AssertRefused("'b' has 0 ", Set([[1], [2]], [0, 0], "a", "b"));
        AssertRefused("exactly the same", Set([[1, 2], [1, 2], [1, 2], [1, 2]], [0, 0, 1, 1], "a", "b"));
        AssertRefused("finite", Set([[1], [2], [3], [float.NaN]], [0, 0, 1, 1], "a", "b"));
        AssertRefused("same length", Set([[1], [2], [3], [4, 5]], [0, 0, 1, 1], "a", "b"));
        AssertRefused("does not exist", Set([[1], [2], [3], [4]], [0, 0, 1, 2], "a", "b"));
        AssertRefused("labels", Set([[1], [2], [3], [4]], [0, 0, 1], "a", "b"));
    }

    [Fact]
    public void Cancelling_stops_both_training_and_validation()
    {
        using var cancel = new CancellationTokenSource();
        cancel.Cancel();
        var set = Clusters(perCategory: 5, dimensions: 6);

        Assert.ThrowsAny<OperationCanceledException>(() => HeadTraining.Train(set, new(HeadKind.Logistic, 1), cancel.Token));
        Assert.ThrowsAny<OperationCanceledException>(() => HeadTraining.CrossValidate(set, 1, cancel.Token));
    }

    [Fact]
    public void Progress_goes_up_to_one()
    {
        var reports = new Reports();

        HeadTraining.CrossValidate(Clusters(perCategory: 5, dimensions: 6), 1, Cancel, reports);

        Assert.Equal(reports.Values.Order(), reports.Values);
        Assert.Equal(1, reports.Values[^1]);
    }

    private static void AssertRefused(string words, LabelledFeatures set) => Assert.Contains(words,
        Assert.Throws<HeadTrainingException>(() => HeadTraining.CrossValidate(set, 1, Cancel)).Message, StringComparison.Ordinal);

    private static int Predict(LinearHead head, float[] features)
    {
        var p = head.Probabilities(features);
        return Array.IndexOf(p, p.Max());
    }

    private static LabelledFeatures Clusters(int perCategory, int dimensions, float noise = 1)
    {
        var random = new Random(1);
        float[] Vector(float scale) => [.. Enumerable.Range(0, dimensions).Select(_ => scale * (random.NextSingle() - 0.5f))];
        float[][] centres = [.. Enumerable.Range(0, 3).Select(_ => Vector(5))];
        int[] labels = [.. Enumerable.Range(0, 3 * perCategory).Select(i => i % 3)];
        return new LabelledFeatures(
            [.. labels.Select(label => centres[label].Zip(Vector(noise), (centre, offset) => centre + offset).ToArray())], labels, ["a", "b", "c"]);
    }

    private sealed class Reports : IProgress<double>
    {
        public List<double> Values { get; } = [];

        public void Report(double value) => Values.Add(value);
    }
}
