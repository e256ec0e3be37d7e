using System.Numerics.Tensors;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Heads;

/// <summary>
/// Limited-memory BFGS (Nocedal and Wright, Numerical Optimization, algorithm 7.4) with a bisecting weak Wolfe line search (Lewis and
/// Overton, 2013) and a diagonal guess of the Hessian to start from.
/// </summary>
internal static class Lbfgs
{
    /// <summary>Writes the gradient at a point and returns the value there.</summary>
    public delegate double Objective(ReadOnlySpan<double> point, Span<double> gradient);

    /// <summary>Minimises a smooth function; finds the minimum of a convex one.</summary>
    /// <param name="objective">The function.</param>
    /// <param name="x">The start; receives the minimum.</param>
    /// <param name="hessian">A positive guess of the Hessian's diagonal.</param>
    /// <param name="tolerance">Ends when no component of the gradient is larger.</param>
    /// <param name="cancel">Looked at before each iteration.</param>
    /// <param name="proceed">Sees the point before each iteration and says whether to go on.</param>
    /// <returns>Number of iterations.</returns>
    public static int Minimise(Objective objective, double[] x, ReadOnlySpan<double> hessian, double tolerance, CancellationToken cancel,
        Func<double[], bool>? proceed = null)
    {
        var steps = new List<(double[] Step, double[] Change, double Curvature)>(LbfgsMemory);
        var (gradient, direction) = (new double[x.Length], new double[x.Length]);
        var (next, nextGradient) = (new double[x.Length], new double[x.Length]);
        var value = objective(x, gradient);
        for (var iteration = 0; iteration < LbfgsIterations; iteration++)
        {
            cancel.ThrowIfCancellationRequested();
            if (Math.Abs(TensorPrimitives.MaxMagnitude<double>(gradient)) <= tolerance || proceed?.Invoke(x) is false)
            {
                return iteration;
            }

            Direction(gradient, hessian, steps, direction);
            if (!LineSearch(objective, x, gradient, direction, next, nextGradient, ref value))
            {
                return iteration; // at the limit of double precision
            }

            Remember(steps, x, next, gradient, nextGradient);
            next.CopyTo(x, 0);
            nextGradient.CopyTo(gradient, 0);
        }

        return LbfgsIterations;
    }

    private static void Direction(double[] gradient, ReadOnlySpan<double> hessian,
        List<(double[] Step, double[] Change, double Curvature)> steps, double[] direction)
    {
        TensorPrimitives.Negate(gradient, direction);
        var alphas = new double[steps.Count];
        for (var i = steps.Count - 1; i >= 0; i--)
        {
            alphas[i] = TensorPrimitives.Dot<double>(steps[i].Step, direction) / steps[i].Curvature;
            TensorPrimitives.MultiplyAdd(steps[i].Change, -alphas[i], direction, direction);
        }

        TensorPrimitives.Divide(direction, hessian, direction);
        if (steps.Count > 0)
        {
            TensorPrimitives.Multiply(direction, Scale(steps[^1], hessian), direction);
        }

        for (var i = 0; i < steps.Count; i++)
        {
            var beta = TensorPrimitives.Dot<double>(steps[i].Change, direction) / steps[i].Curvature;
            TensorPrimitives.MultiplyAdd(steps[i].Step, alphas[i] - beta, direction, direction);
        }
    }

    /// <summary>How much flatter the function is along the last step than the guess says (Nocedal and Wright, 7.20).</summary>
    private static double Scale((double[] Step, double[] Change, double Curvature) last, ReadOnlySpan<double> hessian)
    {
        var expected = 0.0;
        for (var i = 0; i < hessian.Length; i++)
        {
            expected += last.Change[i] * last.Change[i] / hessian[i];
        }

        return last.Curvature / expected;
    }

    /// <summary>Finds <c>next</c> along the direction, and sets <c>value</c> from that at <c>x</c> to that at <c>next</c>.</summary>
    private static bool LineSearch(
        Objective objective, double[] x, double[] gradient, double[] direction, double[] next, double[] nextGradient, ref double value)
    {
        const double Decrease = 1e-4, Flattening = 0.9;
        var before = value;
        var slope = TensorPrimitives.Dot<double>(gradient, direction);
        var (low, high, step) = (0.0, double.PositiveInfinity, 1.0);
        for (var attempt = 0; attempt < 50 && slope < 0; attempt++)
        {
            TensorPrimitives.MultiplyAdd(direction, step, x, next);
            value = objective(next, nextGradient);
            if (!(value <= before + Decrease * step * slope))
            {
                high = step;
            }
            else if (TensorPrimitives.Dot<double>(nextGradient, direction) < Flattening * slope)
            {
                low = step;
            }
            else
            {
                return true;
            }

            step = double.IsFinite(high) ? (low + high) / 2 : 2 * low;
        }

        return false;
    }

    private static void Remember(List<(double[] Step, double[] Change, double Curvature)> steps,
        double[] x, double[] next, double[] gradient, double[] nextGradient)
    {
        var (step, change) = (new double[x.Length], new double[x.Length]);
        TensorPrimitives.Subtract(next, x, step);
        TensorPrimitives.Subtract(nextGradient, gradient, change);
        var curvature = TensorPrimitives.Dot<double>(step, change);
        if (curvature <= 0)
        {
            return; // rounding only: the line search has seen to it that the slope flattens
        }

        if (steps.Count == LbfgsMemory)
        {
            steps.RemoveAt(0);
        }

        steps.Add((step, change, curvature));
    }
}
