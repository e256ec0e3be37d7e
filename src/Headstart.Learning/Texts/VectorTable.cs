using System.Numerics.Tensors;

namespace Headstart.Learning.Texts;

/// <summary>
/// Vectors that are learned a few rows at a time. Each row has a step length of its own, which shrinks as the row learns (Duchi, Hazan and
/// Singer 2011, a number a row), so that a few texts and many need no different settings. In managed memory: adding up thousands of single
/// rows is what libtorch is slow at, 70 of the 80 ms that a lesson took.
/// </summary>
internal sealed class VectorTable(float[] values, int dimensions)
{
    private const float Step = 0.1f;

    private readonly float[] _squares = [.. Enumerable.Repeat(1e-6f, values.Length / dimensions)]; // sums of all slopes so far
    private readonly int[] _places = [.. Enumerable.Repeat(-1, values.Length / dimensions)]; // among the slopes
    private readonly List<int> _touched = [];
    private float[] _slopes = [];

    public ReadOnlySpan<float> Row(int row) => values.AsSpan(row * dimensions, dimensions);

    /// <summary>Adds to the slope of a row, which it will climb.</summary>
    public void Push(int row, ReadOnlySpan<float> slope, float share)
    {
        if (_places[row] < 0)
        {
            _places[row] = _touched.Count;
            _touched.Add(row);
            if (_touched.Count * dimensions > _slopes.Length)
            {
                Array.Resize(ref _slopes, 2 * _touched.Count * dimensions);
            }
        }

        var sum = _slopes.AsSpan(_places[row] * dimensions, dimensions);
        TensorPrimitives.MultiplyAdd(slope, share, sum, sum);
    }

    /// <summary>Climbs all slopes that were pushed.</summary>
    public void Climb()
    {
        foreach (var (place, row) in _touched.Index())
        {
            var slope = _slopes.AsSpan(place * dimensions, dimensions);
            var own = values.AsSpan(row * dimensions, dimensions);
            _squares[row] += TensorPrimitives.SumOfSquares<float>(slope) / dimensions;
            TensorPrimitives.MultiplyAdd(slope, Step / MathF.Sqrt(_squares[row]), own, own);
            slope.Clear();
            _places[row] = -1;
        }

        _touched.Clear();
    }
}
