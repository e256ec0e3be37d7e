using Headstart.Learning.Detection;

namespace Headstart.Learning.Tests.Detection;

public sealed class BoxTests
{
    [Fact]
    public void Overlap_is_the_share_of_the_union_that_both_cover()
    {
        Box one = new(0, 0, 0.4f, 0.4f), other = new(0.2f, 0.2f, 0.4f, 0.4f);

        Assert.Equal(0.04 / 0.28, one.Iou(other), 1e-6);
        Assert.Equal(one.Iou(other), other.Iou(one));
        Assert.Equal(1, one.Iou(one), 1e-6);
        Assert.Equal(0, one.Iou(new(0.4f, 0, 0.4f, 0.4f))); // they only touch
        Assert.Equal(0, one.Iou(new(0, 0, 0, 0)));
        Assert.Equal(0.25, one.Inside(other), 1e-6);
    }

    [Fact]
    public void What_is_outside_is_cut_off()
    {
        Assert.Equal(new Box(0, 0.5f, 0.5f, 0.5f), new Box(-0.5f, 0.5f, 1, 2).Clip());
        Assert.Equal(0, new Box(1.5f, 0, 1, 1).Clip().Area);
        Assert.False(new Box(0, 0, 0, 1).IsSound);
        Assert.False(new Box(float.NaN, 0, 1, 1).IsSound);
        Assert.False(new Box(0, 0, float.PositiveInfinity, 1).IsSound);
        Assert.True(new Box(0, 0, 1, 1).IsSound);
    }
}
