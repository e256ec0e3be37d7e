using System.Collections;

namespace Headstart.Learning.Heads;

/// <summary>Feature vectors that are mostly 0, such as word counts. Acts as a list of dense vectors, which are created on access; training
/// reads only the nonzero values and never creates them. Immutable.</summary>
public sealed class SparseRows : IReadOnlyList<float[]>
{
    private readonly (int[] Columns, float[] Values)[] _rows;

    /// <param name="dimensions">d, the length of each vector.</param>
    /// <param name="rows">For each vector the columns that are not 0, in rising order, and their values.</param>
    public SparseRows(int dimensions, IEnumerable<(int[] Columns, float[] Values)> rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(dimensions);
        (Dimensions, _rows) = (dimensions, [.. rows]);
    }

    /// <summary>d</summary>
    public int Dimensions { get; }

    /// <summary>n</summary>
    public int Count => _rows.Length;

    internal bool AreFinite => _rows.All(row => row.Values.All(float.IsFinite));

    /// <summary>A new array <c>[d]</c>.</summary>
    public float[] this[int index]
    {
        get
        {
            var whole = new float[Dimensions];
            var (columns, values) = _rows[index];
            for (var i = 0; i < columns.Length; i++)
            {
                whole[columns[i]] = values[i];
            }

            return whole;
        }
    }

    /// <summary>Nonzero columns and values of a vector.</summary>
    internal (int[] Columns, float[] Values) Row(int index) => _rows[index];

    /// <summary>A subset: these vectors, in this order.</summary>
    internal SparseRows Some(IReadOnlyList<int> examples) => new(Dimensions, examples.Select(i => _rows[i]));

    public IEnumerator<float[]> GetEnumerator() => Enumerable.Range(0, Count).Select(i => this[i]).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
