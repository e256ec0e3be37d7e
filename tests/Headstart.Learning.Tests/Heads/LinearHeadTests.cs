using Headstart.Learning.Heads;

namespace Headstart.Learning.Tests.Heads;

public sealed class LinearHeadTests
{
    private static readonly LinearHead Head = new(["cat", "dog"], 3, [1, 2, 3, 4, 5, 6], [0.5f, -0.5f]);

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
        var head = new LinearHead(["a", "b", "c"], 2, [1, 2, 3, 4, 8, 0], [5, 6, 7]);

        Assert.Equal([-3, 0], head.Slope([0, 0], 0));
        Assert.Equal([4, -2], head.Slope([9, 9], 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => head.Slope([1], 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => head.Slope([1, 2], 3));
    }

    [Fact]
    public void Sizes_that_do_not_fit_are_refused()
    {
        Assert.Throws<ArgumentException>(() => Head.Logits([1, 2], new float[2]));
        Assert.Throws<ArgumentException>(() => Head.Logits([1, 2, 3], new float[3]));
        Assert.Throws<ArgumentException>(() => new LinearHead(["a", "b"], 2, [1, 2, 3], [0, 0]));
        Assert.Throws<ArgumentException>(() => new LinearHead(["a"], 1, [float.NaN], [0]));
    }
}
