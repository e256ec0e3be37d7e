using Headstart.Learning.Heads;

namespace Headstart.Learning.Tests.Heads;

public class LabelLossTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_logits_become_is_the_derivative_of_the_loss(bool exclusive)
    {
        float[][] features = [[0], [1], [2]];
        var set = exclusive ? new LabelledFeatures(features, [0, 1, 1], ["a", "b", "c"])
            : LabelledFeatures.Tagged(features, [[0, 2], [], [1]], ["a", "b", "c"]);
        var loss = new LabelLoss(set);
        double[] logits = [0.3, -1, 2, 40, -40, 0, -3, 0.5, 0.1];
        double[] slope = [.. logits];
        loss.Of(slope);

        const double Step = 1e-5;
        Assert.All(Enumerable.Range(0, logits.Length), i => Assert.Equal((At(i, Step) - At(i, -Step)) / (2 * Step), slope[i], 1e-6));

        double At(int i, double by)
        {
            double[] moved = [.. logits];
            moved[i] += by;
            return loss.Of(moved);
        }
    }
}
