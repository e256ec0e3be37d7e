using System.Numerics.Tensors;

namespace Headstart.Learning.Texts;

/// <summary>Builds a feature vector from its nonzero values, in rising order of position.</summary>
internal sealed class FeatureRow
{
    private readonly List<int> _columns = [];
    private readonly List<float> _values = [];

    /// <summary>Start of the part that is being written.</summary>
    public int Offset { get; set; }

    /// <param name="column">Position in the part; greater than all before.</param>
    /// <param name="value">The value.</param>
    public void Add(int column, float value)
    {
        if (value != 0)
        {
            _columns.Add(Offset + column);
            _values.Add(value);
        }
    }

    /// <summary>Appends a dense part, scaled to a length.</summary>
    public void AddUnit(ReadOnlySpan<float> values, float scale = 1)
    {
        var length = TensorPrimitives.Norm(values) / scale;
        for (var i = 0; i < values.Length && length > 0; i++)
        {
            Add(i, values[i] / length);
        }
    }

    public (int[] Columns, float[] Values) Entries() => ([.. _columns], [.. _values]);

    public float[] Whole(int length)
    {
        var whole = new float[length];
        for (var i = 0; i < _columns.Count; i++)
        {
            whole[_columns[i]] = _values[i];
        }

        return whole;
    }
}
