using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Headstart.Learning.Detection;

/// <summary>
/// Buffers that begin at multiples of 64 bytes: a vector of 512 bits that crosses such a boundary takes twice as long to read. They share
/// one array, which goes back to a pool in the end.
/// </summary>
internal sealed class AlignedMemory : IDisposable
{
    private const int Line = 64 / sizeof(float);

    private static readonly ConcurrentBag<float[]> Free = [];

    private readonly float[] _array;
    private readonly (int Start, int Length)[] _parts;

    /// <param name="lengths">Length of each buffer; its contents are undefined.</param>
    public AlignedMemory(ReadOnlySpan<int> lengths)
    {
        _parts = new (int, int)[lengths.Length];
        var whole = 0;
        for (var i = 0; i < lengths.Length; i++)
        {
            _parts[i] = (whole, lengths[i]);
            whole += (lengths[i] + Line - 1) / Line * Line;
        }

        // One that is too small is left to the garbage collector.
        _array = Free.TryTake(out var free) && free.Length >= whole + Line ? free
            : GC.AllocateUninitializedArray<float>(whole + Line, pinned: true);
    }

    public Span<float> this[int i] => _array.AsSpan(Start(_array) + _parts[i].Start, _parts[i].Length);

    /// <summary>A buffer of its own.</summary>
    public static Memory<float> Zeros(int length)
    {
        var array = GC.AllocateArray<float>(length + Line, pinned: true);
        return array.AsMemory(Start(array), length);
    }

    /// <summary>The buffers must not be used afterwards.</summary>
    public void Dispose() => Free.Add(_array);

    private static int Start(float[] pinned) =>
        (int)((64 - Marshal.UnsafeAddrOfPinnedArrayElement(pinned, 0) % 64) % 64 / sizeof(float));
}
