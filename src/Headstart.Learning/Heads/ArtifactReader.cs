using System.Buffers.Binary;

namespace Headstart.Learning.Heads;

/// <summary>Reads little-endian values one after the other; reading past the end is an <see cref="ArgumentException"/>.</summary>
internal ref struct ArtifactReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public readonly int Remaining => _rest.Length;

    public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Take(sizeof(int)));

    public long Int64() => BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long)));

    public double Double() => BinaryPrimitives.ReadDoubleLittleEndian(Take(sizeof(double)));

    public string String() => ArtifactFile.Strict.GetString(Take(Int32()));

    public float[] Floats(long count)
    {
        var source = Take(checked(count * sizeof(float)));
        var values = new float[count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = BinaryPrimitives.ReadSingleLittleEndian(source[(i * sizeof(float))..]);
        }

        return values;
    }

    private ReadOnlySpan<byte> Take(long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _rest.Length);
        var taken = _rest[..(int)count];
        _rest = _rest[(int)count..];
        return taken;
    }
}
