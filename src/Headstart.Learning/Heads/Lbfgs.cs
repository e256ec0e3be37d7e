using System.Buffers;
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
        // Large arrays are rented: a cross-validation makes hundreds of fits, and the collections of what they would leave behind took a
        // quarter of its time.
        using var buffers = new Buffers(x.Length);
        var steps = new List<Pair>(LbfgsMemory + 1);
        var (gradient, direction) = (buffers.Doubles(), buffers.Doubles());
        var (way, scratch) = (buffers.Floats(), buffers.Floats());
        var (next, nextGradient) = (buffers.Doubles(), buffers.Doubles());
        var inverse = buffers.Floats();
        TensorPrimitives.Reciprocal(hessian, direction.Span);
        TensorPrimitives.ConvertTruncating<double, float>(direction.Span, inverse.Span);
        var (step, change) = (buffers.Floats(), buffers.Floats()); // for the next pair
        var value = objective(x, gradient.Span);
        for (var iteration = 0; iteration < LbfgsIterations; iteration++)
        {
            cancel.ThrowIfCancellationRequested();
            if (Math.Abs(TensorPrimitives.MaxMagnitude<double>(gradient.Span)) <= tolerance || proceed?.Invoke(x) is false)
            {
                return iteration;
            }

            TensorPrimitives.ConvertTruncating<double, float>(gradient.Span, way.Span);
            Direction(way.Span, inverse.Span, steps, scratch.Span);
            TensorPrimitives.ConvertTruncating<float, double>(way.Span, direction.Span);
            if (!LineSearch(objective, new(x, gradient.Span), direction.Span, new(next.Span, nextGradient.Span), ref value))
            {
                return iteration; // at the limit of double precision
            }

            Difference(next.Span, x, step.Span);
            Difference(nextGradient.Span, gradient.Span, change.Span);
            (step, change) = Remember(steps, step, change, buffers);
            next.Span.CopyTo(x);
            nextGradient.CopyTo(gradient);
        }

        return LbfgsIterations;
    }

    /// <param name="way">The gradient; receives the direction.</param>
    /// <param name="inverse">Inverse of the estimated Hessian diagonal.</param>
    /// <param name="steps">The pairs, newest last.</param>
    /// <param name="scratch">A buffer of the same length.</param>
    private static void Direction(Span<float> way, ReadOnlySpan<float> inverse, List<Pair> steps, Span<float> scratch)
    {
        TensorPrimitives.Negate(way, way);
        Span<float> alphas = stackalloc float[LbfgsMemory];
        for (var i = steps.Count - 1; i >= 0; i--)
        {
            alphas[i] = TensorPrimitives.Dot<float>(steps[i].Step.Span, way) / steps[i].Curvature;
            TensorPrimitives.MultiplyAdd(steps[i].Change.Span, -alphas[i], way, way);
        }

        TensorPrimitives.Multiply(way, inverse, way);
        if (steps.Count > 0)
        {
            // How much flatter the function is along the last step than estimated (Nocedal and Wright, 7.20).
            TensorPrimitives.Multiply(steps[^1].Change.Span, inverse, scratch);
            TensorPrimitives.Multiply(way, steps[^1].Curvature / TensorPrimitives.Dot<float>(steps[^1].Change.Span, scratch), way);
        }

        for (var i = 0; i < steps.Count; i++)
        {
            var beta = TensorPrimitives.Dot<float>(steps[i].Change.Span, way) / steps[i].Curvature;
            TensorPrimitives.MultiplyAdd(steps[i].Step.Span, alphas[i] - beta, way, way);
        }
    }

    private static void Difference(ReadOnlySpan<double> minuend, ReadOnlySpan<double> subtrahend, Span<float> difference)
    {
        for (var i = 0; i < difference.Length; i++)
        {
            difference[i] = (float)(minuend[i] - subtrahend[i]);
        }
    }

    /// <summary>Finds a point along the direction, and changes <c>value</c> to the one there.</summary>
    private static bool LineSearch(Objective objective, At from, ReadOnlySpan<double> direction, At next, ref double value)
    {
        const double Decrease = 1e-4, Flattening = 0.9;
        var before = value;
        var slope = TensorPrimitives.Dot(from.Gradient, direction);
        var (low, high, step) = (0.0, double.PositiveInfinity, 1.0);
        for (var attempt = 0; attempt < 50 && slope < 0; attempt++)
        {
            TensorPrimitives.MultiplyAdd(direction, step, from.Point, next.Point);
            value = objective(next.Point, next.Gradient);
            if (!(value <= before + Decrease * step * slope))
            {
                high = step;
            }
            else if (TensorPrimitives.Dot(next.Gradient, direction) < Flattening * slope)
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

    /// <returns>Two buffers for the next pair; those of the oldest pair once there are enough.</returns>
    private static (Memory<float> Step, Memory<float> Change) Remember(List<Pair> steps, Memory<float> step, Memory<float> change,
        Buffers buffers)
    {
        var curvature = TensorPrimitives.Dot<float>(step.Span, change.Span);
        if (!(curvature > 0))
        {
            return (step, change); // only by rounding: the line search makes sure that the slope flattens
        }

        var pair = new Pair(step, change, curvature);
        if (steps.Count < LbfgsMemory)
        {
            steps.Add(pair);
            return (buffers.Floats(), buffers.Floats());
        }

        var oldest = steps[0];
        steps.RemoveAt(0);
        steps.Add(pair);
        return (oldest.Step, oldest.Change);
    }

    /// <summary>How the gradient changed in a step.</summary>
    private sealed record Pair(Memory<float> Step, Memory<float> Change, float Curvature);

    private readonly ref struct At(Span<double> point, Span<double> gradient)
    {
        public Span<double> Point { get; } = point;

        public Span<double> Gradient { get; } = gradient;
    }

    /// <summary>Rented arrays of one length, whose contents are undefined.</summary>
    private sealed class Buffers(int length) : IDisposable
    {
        private readonly List<float[]> _floats = [];
        private readonly List<double[]> _doubles = [];

        public Memory<float> Floats()
        {
            _floats.Add(ArrayPool<float>.Shared.Rent(length));
            return _floats[^1].AsMemory(0, length);
        }

        public Memory<double> Doubles()
        {
            _doubles.Add(ArrayPool<double>.Shared.Rent(length));
            return _doubles[^1].AsMemory(0, length);
        }

        public void Dispose()
        {
            _floats.ForEach(array => ArrayPool<float>.Shared.Return(array));
            _doubles.ForEach(array => ArrayPool<double>.Shared.Return(array));
        }
    }
}
