using CsCheck;
using Headstart.Learning.Evaluation;

namespace Headstart.Learning.Tests.Evaluation;

public sealed class WilsonTests
{
    [Theory] // R: prop.test(x, n, correct = FALSE)
    [InlineData(146, 153, 0.90858, 0.97766)]
    [InlineData(5, 10, 0.23659, 0.76341)]
    [InlineData(0, 10, 0, 0.27753)]
    [InlineData(10, 10, 0.72247, 1)]
    public void Known_intervals_are_reproduced(int successes, int n, double low, double high)
    {
        var interval = Wilson.Interval95(successes, n);

        Assert.Equal(low, interval.Low, 1e-4);
        Assert.Equal(high, interval.High, 1e-4);
    }

    [Fact]
    public void Intervals_hold_the_share_and_are_symmetric() =>
        (from n in Gen.Int[1, 100_000] from x in Gen.Int[0, n] select (x, n)).Sample((x, n) =>
        {
            var (interval, mirrored) = (Wilson.Interval95(x, n), Wilson.Interval95(n - x, n));
            Assert.InRange((double)x / n, interval.Low, interval.High);
            Assert.InRange(interval.Low, 0, interval.High);
            Assert.InRange(interval.High, interval.Low, 1);
            Assert.Equal(1 - interval.High, mirrored.Low, 1e-9);
        });

    [Fact]
    public void Without_trials_everything_is_possible() => Assert.Equal(new Interval(0, 1), Wilson.Interval95(0, 0));
}
