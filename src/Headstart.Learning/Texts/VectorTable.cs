using System.Numerics.Tensors;

namespace Headstart.Learning.Texts;

/// <summary>
/// Vectors trained a few rows at a time with AdaGrad (Duchi, Hazan and Singer 2011), one step length per row, so that few texts and many
/// need no different settings. In managed memory, because libtorch is slow at adding up thousands of single rows: 70 of the 80 ms of a
/// lesson.
/// </summary>
internal sealed class VectorTable(float[] values, int dimensions)
{
    private const float Step = 0.1f;

    private readonly float[] _squares = [.. Enumerable.Repeat(1e-6f, values.Length / dimensions)]; // sums of squared gradients
    private readonly int[] _places = [.. Enumerable.Repeat(-1, values.Length / dimensions)]; // position of a row in _slopes
    private readonly List<int> _touched = [];
    private float[] _slopes = [];

    public ReadOnlySpan<float> Row(int row) => values.AsSpan(row * dimensions, dimensions);

    /// <summary>Adds to the gradient of a row.</summary>
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

    /// <summary>Moves all rows along their gradients, uphill.</summary>
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
