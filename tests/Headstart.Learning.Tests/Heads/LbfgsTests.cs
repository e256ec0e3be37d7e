using Headstart.Learning.Heads;

namespace Headstart.Learning.Tests.Heads;

public sealed class LbfgsTests
{
    [Fact]
    public void A_badly_scaled_quadratic_is_minimised()
    {
        double[] x = [5, -3, 8, 1];
        double[] scale = [1, 100, 1e4, 1e-2];

        Lbfgs.Minimise(Quadratic(scale), x, [1, 1, 1, 1], 1e-10, TestContext.Current.CancellationToken);

        Assert.All(x, value => Assert.Equal(1, value, 1e-6));
    }

    [Fact]
    public void The_right_diagonal_makes_a_quadratic_one_step()
    {
        double[] x = [5, -3, 8, 1];
        double[] scale = [1, 100, 1e4, 1e-2];

        Assert.Equal(1, Lbfgs.Minimise(Quadratic(scale), x, scale, 1e-10, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void The_banana_is_minimised_though_it_is_not_convex()
    {
        double[] x = [-1.2, 1];

        Lbfgs.Minimise((point, gradient) =>
        {
            var (a, b) = (1 - point[0], point[1] - point[0] * point[0]);
            gradient[0] = -2 * a - 400 * point[0] * b;
            gradient[1] = 200 * b;
            return a * a + 100 * b * b;
        }, x, [1, 1], 1e-9, TestContext.Current.CancellationToken);

        Assert.All(x, value => Assert.Equal(1, value, 1e-6));
    }

    [Fact]
    public void A_search_leaves_no_large_arrays_behind()
    {
        const int Length = 50_000;
        var objective = Quadratic([.. Enumerable.Range(1, Length).Select(i => (double)i)]);
        double[] hessian = [.. Enumerable.Repeat(1.0, Length)], x = new double[Length];
        Search(); // fills the pool

        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.InRange(Search(), 20, 300); // more than are remembered

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, Length * sizeof(double));

        int Search()
        {
            Array.Clear(x);
            return Lbfgs.Minimise(objective, x, hessian, 1e-3, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public void A_cancelled_search_stops()
    {
        using var cancel = new CancellationTokenSource();
        var evaluations = 0;
        var quadratic = Quadratic([1, 2, 3, 4]);

        Assert.ThrowsAny<OperationCanceledException>(() => Lbfgs.Minimise((point, gradient) =>
        {
            if (++evaluations == 2)
            {
                cancel.Cancel();
            }

            return quadratic(point, gradient);
        }, new double[4], [1, 1, 1, 1], 1e-12, cancel.Token));
        Assert.InRange(evaluations, 2, 10);
    }

    private static Lbfgs.Objective Quadratic(double[] scale) => (point, gradient) =>
    {
        var value = 0.0;
        for (var i = 0; i < point.Length; i++)
        {
            gradient[i] = scale[i] * (point[i] - 1);
            value += gradient[i] * (point[i] - 1) / 2;
        }

        return value;
    };
}
