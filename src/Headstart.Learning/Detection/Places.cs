namespace Headstart.Learning.Detection;

/// <summary>The places of all maps of a canvas, finest map first, row by row: their positions, and the boxes predicted there.</summary>
internal sealed class Places
{
    private readonly float[] _x, _y, _stride;

    /// <param name="width">Width of the canvas in pixels, a multiple of <see cref="Letterbox.Multiple"/>.</param>
    /// <param name="height">Height of the canvas in pixels, a multiple of <see cref="Letterbox.Multiple"/>.</param>
    public Places(int width, int height)
    {
        Count = DetectorBackbone.Strides.Sum(stride => width / stride * (height / stride));
        (_x, _y, _stride) = (new float[Count], new float[Count], new float[Count]);
        var i = 0;
        foreach (var stride in DetectorBackbone.Strides)
        {
            for (var (row, columns) = (0, width / stride); row < height / stride; row++)
            {
                for (var column = 0; column < columns; column++, i++)
                {
                    (_x[i], _y[i], _stride[i]) = ((column + 0.5f) * stride, (row + 0.5f) * stride, stride);
                }
            }
        }
    }

    public int Count { get; }

    /// <summary>Centre of a place in canvas pixels.</summary>
    public (float X, float Y) Centre(int i) => (_x[i], _y[i]);

    public float Stride(int i) => _stride[i];

    /// <summary>The box predicted at a place, in canvas pixels.</summary>
    /// <param name="i">Index of the place.</param>
    /// <param name="sides"><c>[4, places]</c>, see <see cref="HeadNetwork.Run"/>.</param>
    public Sides Box(int i, ReadOnlySpan<float> sides)
    {
        var stride = _stride[i];
        return new(_x[i] - stride * Length(sides[i]), _y[i] - stride * Length(sides[Count + i]),
            _x[i] + stride * Length(sides[2 * Count + i]), _y[i] + stride * Length(sides[3 * Count + i]));
    }

    /// <summary>Limits distances to more than any canvas, so that the exponential stays finite.</summary>
    private static float Length(float logarithm) => MathF.Exp(Math.Min(logarithm, TrainingDefaults.LongestSide));
}

/// <summary>A box in canvas pixels.</summary>
internal readonly record struct Sides(float Left, float Top, float Right, float Bottom)
{
    public float Width => Right - Left;

    public float Height => Bottom - Top;

    public float Area => Math.Max(0, Width) * Math.Max(0, Height);

    public float Iou(Sides other)
    {
        var overlap = Math.Max(0, Math.Min(Right, other.Right) - Math.Max(Left, other.Left))
            * Math.Max(0, Math.Min(Bottom, other.Bottom) - Math.Max(Top, other.Top));
        return overlap <= 0 ? 0 : overlap / (Area + other.Area - overlap);
    }
}

/// <summary>An object in canvas pixels; if <paramref name="Ignored"/>, neither finding nor missing it counts.</summary>
internal readonly record struct Truth(int Category, Sides Box, bool Ignored);
