using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>AdamW (Loshchilov and Hutter, ICLR 2019), with a moving average of the parameters.</summary>
internal sealed class Adam(float[] parameters)
{
    private const float FirstDecay = 0.9f, SecondDecay = 0.99f, Tiny = 1e-8f;

    private readonly float[] _first = new float[parameters.Length];
    private readonly float[] _second = new float[parameters.Length];
    private int _steps;

    /// <summary>The parameters averaged over the steps; training returns these.</summary>
    public float[] Average { get; } = [.. parameters];

    /// <summary>One AdamW step, in place.</summary>
    /// <param name="gradient">As long as the parameters; clipped to a norm of <see cref="LongestGradient"/>.</param>
    /// <param name="rate">Learning rate.</param>
    public void Step(float[] gradient, float rate)
    {
        _steps++;
        var length = MathF.Sqrt(System.Numerics.Tensors.TensorPrimitives.SumOfSquares<float>(gradient));
        var scale = float.IsFinite(length) ? Math.Min(1, LongestGradient / Math.Max(length, Tiny)) : 0;
        var (firstShare, secondShare) = (1 - MathF.Pow(FirstDecay, _steps), 1 - MathF.Pow(SecondDecay, _steps));
        // A short average at first, so that it forgets the starting parameters.
        var keep = Math.Min(AverageDecay, (1f + _steps) / (10 + _steps));
        for (var i = 0; i < parameters.Length; i++)
        {
            var slope = scale == 0 ? 0 : gradient[i] * scale;
            _first[i] = FirstDecay * _first[i] + (1 - FirstDecay) * slope;
            _second[i] = SecondDecay * _second[i] + (1 - SecondDecay) * slope * slope;
            parameters[i] -= rate * (_first[i] / firstShare / (MathF.Sqrt(_second[i] / secondShare) + Tiny)
                + DetectionDecay * parameters[i]);
            Average[i] = keep * Average[i] + (1 - keep) * parameters[i];
        }
    }
}
