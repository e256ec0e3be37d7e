using System.Numerics.Tensors;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Heads;

/// <summary>
/// Limited-memory BFGS (Nocedal and Wright, Numerical Optimization, algorithm 7.4) with a bisecting weak Wolfe line search (Lewis and
/// Overton, 2013) and a diagonal initial Hessian. Point, value and gradient are float64. The pairs and the direction only decide where to
/// look next and are float32: they are twenty vectors, and reading them is half of an iteration.
/// </summary>
internal static class Lbfgs
{
    /// <summary>Writes the gradient at a point and returns the value there.</summary>
    public delegate double Objective(ReadOnlySpan<double> point, Span<double> gradient);

    /// <summary>Minimises a smooth function; finds the minimum of a convex one.</summary>
    /// <param name="objective">The function.</param>
    /// <param name="x">The start; receives the minimum.</param>
    /// <param name="hessian">A positive estimate of the Hessian's diagonal.</param>
    /// <param name="tolerance">Ends when no component of the gradient is larger.</param>
    /// <param name="cancel">Checked before each iteration.</param>
    /// <param name="proceed">Receives the point before each iteration and returns whether to go on.</param>
    /// <returns>Number of iterations.</returns>
    public static int Minimise(Objective objective, double[] x, ReadOnlySpan<double> hessian, double tolerance, CancellationToken cancel,
        Func<double[], bool>? proceed = null)
    {
        var steps = new List<(float[] Step, float[] Change, float Curvature)>(LbfgsMemory + 1);
        var (gradient, direction) = (new double[x.Length], new double[x.Length]);
        var (way, scratch) = (new float[x.Length], new float[x.Length]);
        var (next, nextGradient) = (new double[x.Length], new double[x.Length]);
        var inverse = new float[x.Length];
        TensorPrimitives.Reciprocal(hessian, direction);
        TensorPrimitives.ConvertTruncating<double, float>(direction, inverse);
        var (step, change) = (new float[x.Length], new float[x.Length]); // buffers of the next pair
        var value = objective(x, gradient);
        for (var iteration = 0; iteration < LbfgsIterations; iteration++)
        {
            cancel.ThrowIfCancellationRequested();
            if (Math.Abs(TensorPrimitives.MaxMagnitude<double>(gradient)) <= tolerance || proceed?.Invoke(x) is false)
            {
                return iteration;
            }

            TensorPrimitives.ConvertTruncating<double, float>(gradient, way);
            Direction(way, inverse, steps, scratch);
            TensorPrimitives.ConvertTruncating<float, double>(way, direction);
            if (!LineSearch(objective, x, gradient, direction, next, nextGradient, ref value))
            {
                return iteration; // at the limit of double precision
            }

            Difference(next, x, step);
            Difference(nextGradient, gradient, change);
            (step, change) = Remember(steps, step, change);
            next.CopyTo(x, 0);
            nextGradient.CopyTo(gradient, 0);
        }

        return LbfgsIterations;
    }

    /// <param name="way">The gradient; receives the direction.</param>
    /// <param name="inverse">Inverse of the estimated Hessian diagonal.</param>
    /// <param name="steps">The pairs, newest last.</param>
    /// <param name="scratch">A buffer of the same length.</param>
    private static void Direction(float[] way, float[] inverse, List<(float[] Step, float[] Change, float Curvature)> steps,
        float[] scratch)
    {
        TensorPrimitives.Negate<float>(way, way);
        var alphas = new float[steps.Count];
        for (var i = steps.Count - 1; i >= 0; i--)
        {
            alphas[i] = TensorPrimitives.Dot<float>(steps[i].Step, way) / steps[i].Curvature;
            TensorPrimitives.MultiplyAdd(steps[i].Change, -alphas[i], way, way);
        }

        TensorPrimitives.Multiply(way, inverse, way);
        if (steps.Count > 0)
        {
            // How much flatter the function is along the last step than estimated (Nocedal and Wright, 7.20).
            TensorPrimitives.Multiply(steps[^1].Change, inverse, scratch);
            TensorPrimitives.Multiply(way, steps[^1].Curvature / TensorPrimitives.Dot<float>(steps[^1].Change, scratch), way);
        }

        for (var i = 0; i < steps.Count; i++)
        {
            var beta = TensorPrimitives.Dot<float>(steps[i].Change, way) / steps[i].Curvature;
            TensorPrimitives.MultiplyAdd(steps[i].Step, alphas[i] - beta, way, way);
        }
    }

    private static void Difference(double[] minuend, double[] subtrahend, float[] difference)
    {
        for (var i = 0; i < difference.Length; i++)
        {
            difference[i] = (float)(minuend[i] - subtrahend[i]);
        }
    }

    /// <summary>Finds <c>next</c> along the direction, and changes <c>value</c> from the one at <c>x</c> to the one at
    /// <c>next</c>.</summary>
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

    /// <returns>Two arrays for the next pair, reused: they are large, and allocating costs more than filling them.</returns>
    private static (float[] Step, float[] Change) Remember(List<(float[] Step, float[] Change, float Curvature)> steps,
        float[] step, float[] change)
    {
        var curvature = TensorPrimitives.Dot<float>(step, change);
        if (!(curvature > 0))
        {
            return (step, change); // only by rounding: the line search makes sure that the slope flattens
        }

        steps.Add((step, change, curvature));
        if (steps.Count <= LbfgsMemory)
        {
            return (new float[step.Length], new float[step.Length]);
        }

        var (oldStep, oldChange, _) = steps[0];
        steps.RemoveAt(0);
        return (oldStep, oldChange);
    }
}
