namespace Headstart.Learning.Detection;

/// <summary>The places of all maps of a canvas, the finest map first, row by row: where each is and what it says.</summary>
internal sealed class Places
{
    private readonly float[] _x, _y, _stride;

    /// <param name="width">Of the canvas in pixels, a multiple of <see cref="Letterbox.Multiple"/>.</param>
    /// <param name="height">Of the canvas in pixels, a multiple of <see cref="Letterbox.Multiple"/>.</param>
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

    /// <summary>Pixels of its centre.</summary>
    public (float X, float Y) Centre(int i) => (_x[i], _y[i]);

    public float Stride(int i) => _stride[i];

    /// <summary>The box in pixels that a place says, as its sides.</summary>
    /// <param name="i">The place.</param>
    /// <param name="sides"><c>[4, places]</c>, see <see cref="HeadNetwork.Run"/>.</param>
    public Sides Box(int i, ReadOnlySpan<float> sides)
    {
        var stride = _stride[i];
        return new(_x[i] - stride * Length(sides[i]), _y[i] - stride * Length(sides[Count + i]),
            _x[i] + stride * Length(sides[2 * Count + i]), _y[i] + stride * Length(sides[3 * Count + i]));
    }

    /// <summary>A side further away than any canvas is wide says nothing.</summary>
    private static float Length(float logarithm) => MathF.Exp(Math.Min(logarithm, TrainingDefaults.LongestSide));
}

/// <summary>A box in pixels of a canvas.</summary>
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

/// <summary>An object in pixels of a canvas; <paramref name="Ignored"/> where it is neither to be found nor wrong to be found.</summary>
internal readonly record struct Truth(int Category, Sides Box, bool Ignored);
