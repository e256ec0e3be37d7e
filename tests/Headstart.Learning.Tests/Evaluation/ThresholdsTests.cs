using CsCheck;
using Headstart.Learning.Evaluation;

namespace Headstart.Learning.Tests.Evaluation;

public sealed class ThresholdsTests
{
    [Fact]
    public void A_threshold_lies_where_F1_is_highest()
    {
        float[][] probabilities = [[0.4f, 0.9f], [0.3f, 0.8f], [0.1f, 0.3f], [0.05f, 0.2f]];

        // Of the second label 0.8 alone is right: calling 0.9 wrong costs less than missing it.
        Assert.Equal([0.2f, 0.55f], Thresholds.ForF1(probabilities, [[0], [0, 1], [], []]));
    }

    [Fact]
    public void Labels_without_images_and_certain_ones_have_a_threshold_too() =>
        Assert.Equal([0.5f, 0.05f], Thresholds.ForF1([[0.3f, 0.001f], [0.2f, 0.001f]], [[1], [1]]));

    [Fact]
    public void No_threshold_does_better() => Check.Sample(
        Gen.Select(Gen.Float[0.05f, 0.95f], Gen.Bool).Array[2, 30].Where(answers => answers.Any(answer => answer.Item2)), answers =>
        {
            double F1(float threshold) => 2.0 * answers.Count(a => a.Item2 && a.Item1 >= threshold) / (answers.Count(a => a.Item2)
                + answers.Count(a => a.Item1 >= threshold));
            var threshold = Thresholds.ForF1([.. answers.Select(a => (float[])[a.Item1])],
                [.. answers.Select(a => a.Item2 ? (int[])[0] : [])])[0];

            Assert.All(answers, a => Assert.True(F1(threshold) >= F1(a.Item1)));
        });
}
