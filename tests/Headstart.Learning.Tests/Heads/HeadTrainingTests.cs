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
        byte[] Bytes() => new HeadArtifact([new("b", "s", "p", "")], HeadTraining.Train(set, one.Method, Cancel), NoveltyDetector.Of(set))
            .Write();

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
        Assert.Equal(validation.Accuracy!.Value, (double)agreeing / set.Count, 0.05);
        Assert.InRange(validation.Accuracy.Value, 0.5, 0.99);
        Assert.InRange(validation.StandardError!.Value, 0.01, 0.06);
    }

    [Fact]
    public void In_large_folds_too_weak_penalties_win_where_they_are_best()
    {
        // What tells the labels apart is small beside the rest: strong penalties hardly see it, and each weaker one does better.
        var random = new Random(3);
        float[][] features = [.. Enumerable.Range(0, 300).Select(i => Enumerable.Range(0, 20)
            .Select(d => d == 0 ? 0.05f * (i % 2) + 0.01f * random.NextSingle() : random.NextSingle()).ToArray())];
        var set = LabelledFeatures.Tagged(features, [.. features.Select((_, i) => i % 2 == 0 ? (int[])[0] : [1])], ["a", "b"]);

        var validation = HeadTraining.CrossValidate(set, seed: 1, Cancel, linearOnly: true);

        Assert.Equal(TrainingDefaults.Penalties[^1], validation.Method.Strength);
        Assert.InRange(validation.Accuracy!.Value, 0.95, 1);
    }

    [Fact]
    public void Pure_noise_is_not_said_to_be_learned()
    {
        var random = new Random(5);
        var set = new LabelledFeatures(
            [.. Enumerable.Range(0, 100).Select(_ => Enumerable.Range(0, 300).Select(_ => random.NextSingle()).ToArray())],
            [.. Enumerable.Range(0, 100).Select(i => i % 2)], ["a", "b"]);

        Assert.InRange(HeadTraining.CrossValidate(set, 1, Cancel).Accuracy!.Value, 0.3, 0.7);
    }

    [Fact]
    public void Constant_features_change_nothing()
    {
        var set = Clusters(perCategory: 5, dimensions: 6);
        var padded = set with { Features = [.. set.Features.Select(row => (float[])[.. row, 0, 123.4f, 1e-30f])] };

        var (head, with) = (HeadTraining.Train(set, new(HeadKind.Logistic, 0.1), Cancel),
            HeadTraining.Train(padded, new(HeadKind.Logistic, 0.1), Cancel));

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
    public void A_hidden_layer_is_chosen_where_no_line_divides_the_categories()
    {
        var set = Quadrants(200);

        var validation = HeadTraining.CrossValidate(set, 1, Cancel);
        var head = HeadTraining.Train(set, validation.Method, Cancel);

        Assert.Equal(HeadKind.Hidden, validation.Method.Kind);
        Assert.True(validation.Accuracy > 0.9, $"{validation.Accuracy:0.000}");
        Assert.Equal((6 + 1) * 64 + (64 + 1) * 2, head.TrainableParameters);
        var test = Quadrants(200, seed: 2);
        Assert.True(test.Features.Zip(test.Labels).Count(example => head.Best(example.First) == example.Second) > 180);
        Assert.NotEqual(HeadKind.Hidden, HeadTraining.CrossValidate(set, 1, Cancel, linearOnly: true).Method.Kind);
    }

    [Fact]
    public void A_hidden_layer_is_not_chosen_where_a_line_does() =>
        Assert.NotEqual(HeadKind.Hidden, HeadTraining.CrossValidate(Clusters(perCategory: 70, dimensions: 8, noise: 4), 1, Cancel)
            .Method.Kind);

    [Fact]
    public void What_varies_within_all_categories_alike_is_learned_to_be_ignored()
    {
        var (train, test) = (Smeared(perCategory: 40, seed: 1), Smeared(perCategory: 200, seed: 2));

        var validation = HeadTraining.CrossValidate(train, 1, Cancel);
        var head = HeadTraining.Train(train, validation.Method, Cancel);

        Assert.Equal(HeadKind.Prototypes, validation.Method.Kind);
        var (right, nearest) = (Right(head), Right(HeadTraining.Train(train, new(HeadKind.Prototypes, 1), Cancel)));
        Assert.True(right > 0.9 && nearest < 0.8, $"{right:0.000} and {nearest:0.000}");

        double Right(Head of) => test.Features.Zip(test.Labels, (features, label) => of.Best(features) == label ? 1.0 : 0).Average();
    }

    [Theory]
    [InlineData(300, true)]
    [InlineData(400, false)]
    public void Discriminant_analysis_is_tried_until_it_takes_longer_than_all_other_fits(int perCategory, bool tried) =>
        Assert.Equal(tried, HeadTraining.Methods(Smeared(perCategory, seed: 1), linearOnly: true)
            .Exists(method => method.Kind == HeadKind.Prototypes));

    [Fact]
    public void A_hidden_layer_has_the_same_bits_for_the_same_set()
    {
        var set = Quadrants(100);
        byte[] Bytes() => new HeadArtifact([new("b", "s", "p", "")], HeadTraining.Train(set, new(HeadKind.Hidden, 0.1), Cancel),
            NoveltyDetector.Of(set)).Write();

        Assert.Equal(Bytes(), Bytes());
    }

    [Fact]
    public void Labels_that_do_not_exclude_each_other_are_learned_one_against_the_rest()
    {
        var set = Tagged(120);

        var validation = HeadTraining.CrossValidate(set, 1, Cancel);
        var head = HeadTraining.Train(set, validation.Method, Cancel);

        Assert.Equal(HeadKind.Logistic, validation.Method.Kind);
        Assert.True(validation.Accuracy > 0.9, $"{validation.Accuracy:0.000}");
        var test = Tagged(120, seed: 2);
        var right = Enumerable.Range(0, test.Count).Count(i => head.Answer(test.Features[i]).SequenceEqual(test.LabelsOf(i)));
        Assert.True(right > 100, $"{right} of 120");
        AssertRefused("'b' has no example", LabelledFeatures.Tagged([[1], [2], [3]], [[0], [], [0]], ["a", "b"]));
        AssertRefused("Every image has the label 'a'", LabelledFeatures.Tagged([[1], [2], [3]], [[0, 1], [0], [0, 1]], ["a", "b"]));
    }

    [Fact]
    public void Sets_with_nothing_to_learn_are_refused_with_a_sentence()
    {
        LabelledFeatures Set(float[][] features, int[] labels, params string[] categories) => new(features, labels, categories);

        AssertRefused("two categories", Set([[1], [2]], [0, 0], "only"));
        AssertRefused("'b' has no example", Set([[1], [2]], [0, 0], "a", "b"));
        AssertRefused("identical features", Set([[1, 2], [1, 2], [1, 2], [1, 2]], [0, 0, 1, 1], "a", "b"));
        AssertRefused("finite", Set([[1], [2], [3], [float.NaN]], [0, 0, 1, 1], "a", "b"));
        AssertRefused("same length", Set([[1], [2], [3], [4, 5]], [0, 0, 1, 1], "a", "b"));
        AssertRefused("does not exist", Set([[1], [2], [3], [4]], [0, 0, 1, 2], "a", "b"));
        AssertRefused("labels", Set([[1], [2], [3], [4]], [0, 0, 1], "a", "b"));
    }

    [Fact]
    public void A_category_of_one_image_or_of_look_alikes_is_learned_and_not_measured()
    {
        var set = Clusters(perCategory: 6, dimensions: 5);
        var categories = set.Categories.Count;

        // The first category looks alike, of the second there is one image only.
        int[] kept = [.. Enumerable.Range(0, set.Count).Where(i => set.Labels[i] != 1 || i == Array.IndexOf([.. set.Labels], 1))];
        var few = set.Some(kept) with { Groups = [.. kept.Select((i, place) => set.Labels[i] == 0 ? -1 : place)] };
        var validation = HeadTraining.CrossValidate(few, 1, Cancel);

        Assert.DoesNotContain(1, validation.Tested.Select(i => few.Labels[i]));
        // What is left is one category, of which alone nothing can be told.
        Assert.Empty(validation.Measured);
        Assert.Null(validation.Accuracy);
        Assert.Equal(Enumerable.Range(0, few.Count).Select(i => few.Labels[i]),
            few.Features.Select(features => HeadTraining.Train(few, validation.Method, Cancel).Best(features)));

        var one = set.Some([.. Enumerable.Range(0, categories).Select(k => Array.IndexOf([.. set.Labels], k))]);
        var none = HeadTraining.CrossValidate(one, 1, Cancel);
        Assert.Equal((null, 0, 0), (none.Accuracy, none.Folds, none.Tested.Count));
        Assert.Equal(1, none.Temperature(one));
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

    private static int Predict(Head head, float[] features)
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
            [.. labels.Select(label => centres[label].Zip(Vector(noise), (centre, offset) => centre + offset).ToArray())], labels,
            ["a", "b", "c"]);
    }

    /// <summary>Three categories side by side, which vary four times as much along another direction, the same for all.</summary>
    private static LabelledFeatures Smeared(int perCategory, int seed)
    {
        var random = new Random(seed);
        float Noise() => (float)Enumerable.Range(0, 12).Sum(_ => random.NextDouble()) - 6; // nearly normal, of deviation 1
        int[] labels = [.. Enumerable.Range(0, 3 * perCategory).Select(i => i % 3)];
        float[][] features = [.. labels.Select(label =>
        {
            var smear = 4 * Noise();
            return (float[])[5 * label + smear + Noise(), smear + Noise(), .. Enumerable.Range(0, 6).Select(_ => Noise())];
        })];
        return new LabelledFeatures(features, labels, ["a", "b", "c"]);
    }

    /// <summary>Two categories, each in two opposite quadrants of the first two of six dimensions.</summary>
    private static LabelledFeatures Quadrants(int count, int seed = 1)
    {
        var random = new Random(seed);
        var features = Enumerable.Range(0, count)
            .Select(_ => Enumerable.Range(0, 6).Select(j => (random.NextSingle() - 0.5f) * (j < 2 ? 10 : 1)).ToArray()).ToList();
        return new LabelledFeatures(features, features.ConvertAll(f => f[0] * f[1] > 0 ? 0 : 1), ["same", "other"]);
    }

    /// <summary>Three labels, each telling whether one of the first three of five dimensions is positive, by a clear distance.</summary>
    private static LabelledFeatures Tagged(int count, int seed = 1)
    {
        var random = new Random(seed);
        var features = Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, 5)
            .Select(_ => random.NextSingle() is var x && random.Next(2) == 0 ? x + 0.2f : -x - 0.2f).ToArray()).ToList();
        return LabelledFeatures.Tagged(features, features.ConvertAll(f => Enumerable.Range(0, 3).Where(j => f[j] > 0).ToArray()),
            ["a", "b", "c"]);
    }

    private sealed class Reports : IProgress<double>
    {
        public List<double> Values { get; } = [];

        public void Report(double value) => Values.Add(value);
    }
}
