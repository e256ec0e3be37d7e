using Headstart.Learning.Heads;

namespace Headstart.Learning.Tests.Heads;

public sealed class HeadTests
{
    private static readonly Head Head = new(["cat", "dog"], new DenseLayer(3, [1, 2, 3, 4, 5, 6], [0.5f, -0.5f]));

    [Fact]
    public void Logits_are_weights_times_features_plus_bias()
    {
        var logits = new float[2];

        Head.Logits([1, 0, -1], logits);

        Assert.Equal([-1.5f, -2.5f], logits);
    }

    [Fact]
    public void Probabilities_add_up_to_one_even_for_huge_logits()
    {
        Assert.Equal(1, Head.Probabilities([1, 0, -1]).Sum(), 1e-6);
        Assert.Equal(1 / (1 + Math.Exp(-1)), Head.Probabilities([1, 0, -1])[0], 1e-6);
        Assert.Equal([0, 1], Head.Probabilities([1000, 1000, 1000]));
    }

    [Fact]
    public void The_slope_is_what_the_logits_less_their_mean_rise_by()
    {
        var head = new Head(["a", "b", "c"], new DenseLayer(2, [1, 2, 3, 4, 8, 0], [5, 6, 7]));

        Assert.Equal([-3, 0], Rounded(head.Slope([0, 0], 0)));
        Assert.Equal([4, -2], Rounded(head.Slope([9, 9], 2)));
        Assert.Throws<ArgumentOutOfRangeException>(() => head.Slope([1], 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => head.Slope([1, 2], 3));
    }

    [Fact]
    public void Sizes_that_do_not_fit_are_refused()
    {
        Assert.Throws<ArgumentException>(() => Head.Logits([1, 2], new float[2]));
        Assert.Throws<ArgumentException>(() => Head.Logits([1, 2, 3], new float[3]));
        Assert.Throws<ArgumentException>(() => new DenseLayer(2, [1, 2, 3], [0, 0]));
        Assert.Throws<ArgumentException>(() => new DenseLayer(1, [float.NaN], [0]));
        Assert.Throws<ArgumentException>(() => new Head(["a"], Head.Output));
        Assert.Throws<ArgumentException>(() => new Head(["a", "b"], Head.Output, new DenseLayer(1, [1, 2], [0, 0])));
        Assert.Throws<ArgumentException>(() => Head.With([0.5f]));
        Assert.Throws<ArgumentException>(() => Head.With([0.5f, float.NaN]));
    }

    [Fact]
    public void A_hidden_unit_below_zero_says_nothing_and_has_no_slope()
    {
        var head = new Head(["a", "b"], new DenseLayer(2, [1, 0, 0, 1], [0, 0]), new DenseLayer(1, [2, -2], [0, 1]));
        var logits = new float[2];

        head.Logits([3], logits);

        Assert.Equal([6, 0], logits);
        Assert.Equal([1], head.Slope([3], 0)); // half of the 2 is lost against the mean of both
        Assert.Equal([-1], head.Slope([-3], 1));
        Assert.Equal(4 + 6, head.TrainableParameters);
    }

    [Fact]
    public void Labels_that_do_not_exclude_each_other_apply_from_their_thresholds_on()
    {
        var head = new Head(["sea", "sunset"], new DenseLayer(2, [1, 0, 0, 1], [0, 0]), null, [0.5f, 0.9f]);

        Assert.Equal([0, 1], head.Answer([1, 3]));
        Assert.Equal([0], head.Answer([1, 2]));
        Assert.Empty(head.Answer([-1, -1]));
        Assert.Equal(1 / (1 + Math.Exp(-1)), head.Probabilities([1, 2])[0], 1e-6);
        Assert.Equal([0, 1], head.Slope([1, 2], 1));
    }

    private static IEnumerable<float> Rounded(float[] values) => values.Select(value => MathF.Round(value, 4));
}
