using System.Buffers;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Headstart.Learning.Imaging;

/// <summary>
/// Scales what a decoder gives row by row, first down, then across, and looks only at the rows and columns that the result shows. There
/// are as many rows in memory as one row of the source counts in. Sums are floats, and rounded once (a half to the even side, as ONNX's
/// <c>Round</c>), so that it makes no difference in which direction an image lies.
/// </summary>
internal sealed class PictureScaler : IDisposable
{
    private const int Lanes = 4; // floats for a pixel, whatever it has
    private const int Together = 4; // pixels

    private static readonly Vector128<byte> BandByBand = Vector128.Create((byte)0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);

    private readonly ScalePlan _plan;
    private readonly int _bands;
    private readonly int _length; // of a row, in floats
    private readonly int _stride; // with zeros behind it, as many as a pixel of the result looks at
    private readonly float[] _row;
    private readonly float[] _sums; // of the rows of the result that are begun: row i is in place i modulo their number
    private readonly int[] _offsets; // of the first float that counts in each pixel of a row
    private readonly float[] _weights; // [groups, Taps, Together, Lanes]: the weight of a pixel is there for each of its floats
    private readonly uint[] _finished; // a row of the result: four bytes a pixel
    private int _next; // row of the source
    private int _open; // the first row of the result that is not finished
    private int _begun; // the first row of the result that is not begun

    /// <param name="plan">What to make of which pixels.</param>
    /// <param name="bands">Bytes of a source pixel, 1 to 4.</param>
    public PictureScaler(ScalePlan plan, int bands)
    {
        (_plan, _bands, _length) = (plan, bands, Lanes * (plan.Columns.End - plan.Columns.First));
        _stride = _length + Lanes * plan.Columns.Taps;
        (_offsets, _weights) = Ordered(plan.Columns);
        _finished = new uint[_offsets.Length];
        _row = ArrayPool<float>.Shared.Rent(_length);
        _sums = ArrayPool<float>.Shared.Rent(_stride * plan.Rows.Overlap);
        for (var i = 0; i < plan.Rows.Overlap; i++)
        {
            _sums.AsSpan(i * _stride + _length, _stride - _length).Clear();
        }
    }

    /// <summary>Takes the next row.</summary>
    /// <param name="pixels">The whole row, <c>[width, bands]</c>.</param>
    /// <param name="planes"><c>[p, Height, Width]</c> for the first p bands: receives what is finished by now.</param>
    public void Add(ReadOnlySpan<byte> pixels, Span<byte> planes)
    {
        var (rows, y) = (_plan.Rows, _next++);
        if (y < rows.First || y >= rows.End)
        {
            return;
        }

        var row = _row.AsSpan(0, _length);
        Widen(pixels[(_bands * _plan.Columns.First)..(_bands * _plan.Columns.End)], row);
        for (var i = _open; i < _begun; i++)
        {
            var weights = rows.WeightsOf(i);
            if (y - rows.FirstOf(i) is var k && k < weights.Length)
            {
                TensorPrimitives.MultiplyAdd(row, weights[k], Sums(i), Sums(i));
            }
        }

        for (; _begun < rows.Size && rows.FirstOf(_begun) == y; _begun++)
        {
            TensorPrimitives.Multiply(row, rows.WeightsOf(_begun)[0], Sums(_begun));
        }

        for (; _open < _begun && rows.FirstOf(_open) + rows.WeightsOf(_open).Length == y + 1; _open++)
        {
            Across(_sums.AsSpan(_open % rows.Overlap * _stride, _stride), planes);
        }
    }

    public void Dispose()
    {
        ArrayPool<float>.Shared.Return(_row);
        ArrayPool<float>.Shared.Return(_sums);
    }

    private Span<float> Sums(int i) => _sums.AsSpan(i % _plan.Rows.Overlap * _stride, _length);

    /// <summary>In the order in which <see cref="Across"/> needs them; the last pixel is there again until the last group is
    /// full.</summary>
    private static (int[] Offsets, float[] Weights) Ordered(TriangleFilter columns)
    {
        var size = columns.Size;
        var count = (size + Together - 1) / Together * Together;
        var (offsets, weights) = (new int[count], new float[count * columns.Taps * Lanes]);
        for (var i = 0; i < count; i++)
        {
            var pixel = Math.Min(i, size - 1);
            offsets[i] = Lanes * (columns.FirstOf(pixel) - columns.First);
            for (var k = 0; k < columns.Taps; k++)
            {
                weights.AsSpan(((i / Together * columns.Taps + k) * Together + i % Together) * Lanes, Lanes)
                    .Fill(columns.Weights[pixel * columns.Taps + k]);
            }
        }

        return (offsets, weights);
    }

    /// <summary>Finishes row <see cref="_open"/> of the result.</summary>
    private void Across(Span<float> sums, Span<byte> planes)
    {
        var taps = _plan.Columns.Taps;
        ref var pixels = ref MemoryMarshal.GetReference(sums);
        ref var weights = ref MemoryMarshal.GetArrayDataReference(_weights);
        ref var finished = ref MemoryMarshal.GetArrayDataReference(_finished);
        for (var i = 0; i < _offsets.Length; i += Together)
        {
            // Within the row, and the zeros behind it: what the constructor sees to is not checked for each pixel.
            ref var pixel0 = ref Unsafe.Add(ref pixels, _offsets[i]);
            ref var pixel1 = ref Unsafe.Add(ref pixels, _offsets[i + 1]);
            ref var pixel2 = ref Unsafe.Add(ref pixels, _offsets[i + 2]);
            ref var pixel3 = ref Unsafe.Add(ref pixels, _offsets[i + 3]);
            var (first, second) = (Vector256<float>.Zero, Vector256<float>.Zero);
            for (nuint k = 0; k < (nuint)(Lanes * taps); k += Lanes)
            {
                first = Vector256.MultiplyAddEstimate(Two(ref pixel0, ref pixel1, k), Vector256.LoadUnsafe(ref weights), first);
                second = Vector256.MultiplyAddEstimate(Two(ref pixel2, ref pixel3, k),
                    Vector256.LoadUnsafe(ref weights, (nuint)Vector256<float>.Count), second);
                weights = ref Unsafe.Add(ref weights, Together * Lanes);
            }

            Vector128.Narrow(Rounded(first), Rounded(second)).AsUInt32().StoreUnsafe(ref finished, (nuint)i);
        }

        Spread(planes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Two(ref float first, ref float second, nuint k) =>
        Vector256.Create(Vector128.LoadUnsafe(ref first, k), Vector128.LoadUnsafe(ref second, k));

    /// <summary>In 0..255: weights are positive and have the sum 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ushort> Rounded(Vector256<float> sums)
    {
        var whole = Vector256.ConvertToInt32Native(Vector256.Round(sums)).AsUInt32();
        return Vector128.Narrow(whole.GetLower(), whole.GetUpper());
    }

    /// <summary>Takes the bands of the finished row to their planes.</summary>
    private void Spread(Span<byte> planes)
    {
        var (to, step, size, i) = (_plan.Start + _open * _plan.RowStep, _plan.ColumnStep, _plan.Columns.Size, 0);
        var plane = _plan.Width * _plan.Height;
        if (step == 1 && planes.Length == 3 * plane)
        {
            ref var red = ref MemoryMarshal.GetReference(planes.Slice(to, size));
            ref var green = ref MemoryMarshal.GetReference(planes.Slice(plane + to, size));
            ref var blue = ref MemoryMarshal.GetReference(planes.Slice(2 * plane + to, size));
            for (; i <= size - Together; i += Together)
            {
                var bands = Vector128.Shuffle(Vector128.LoadUnsafe(ref _finished[i]).AsByte(), BandByBand).AsUInt32();
                Unsafe.WriteUnaligned(ref Unsafe.Add(ref red, i), bands.ToScalar());
                Unsafe.WriteUnaligned(ref Unsafe.Add(ref green, i), bands.GetElement(1));
                Unsafe.WriteUnaligned(ref Unsafe.Add(ref blue, i), bands.GetElement(2));
            }
        }

        for (; i < size; i++)
        {
            for (var band = 0; band * plane < planes.Length; band++)
            {
                planes[band * plane + to + i * step] = (byte)(_finished[i] >> (8 * band));
            }
        }
    }

    private void Widen(ReadOnlySpan<byte> pixels, Span<float> row)
    {
        if (_bands == Lanes)
        {
            Widen(ref MemoryMarshal.GetReference(pixels), ref MemoryMarshal.GetReference(row), row.Length);
            return;
        }

        for (var (from, to) = (0, 0); from < pixels.Length; (from, to) = (from + _bands, to + Lanes))
        {
            for (var band = 0; band < _bands; band++)
            {
                row[to + band] = pixels[from + band];
            }
        }
    }

    /// <summary>Sixteen bytes at a time; TensorPrimitives converts bytes one by one.</summary>
    private static void Widen(ref byte from, ref float to, int count)
    {
        var i = 0;
        for (; i <= count - Vector128<byte>.Count; i += Vector128<byte>.Count)
        {
            var bytes = Vector128.LoadUnsafe(ref from, (nuint)i);
            if (Avx512F.IsSupported)
            {
                Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(bytes)).StoreUnsafe(ref to, (nuint)i);
            }
            else
            {
                var (low, high) = Vector128.Widen(bytes);
                Widen4(low, ref to, i);
                Widen4(high, ref to, i + Vector128<ushort>.Count);
            }
        }

        for (; i < count; i++)
        {
            Unsafe.Add(ref to, i) = Unsafe.Add(ref from, i);
        }
    }

    private static void Widen4(Vector128<ushort> shorts, ref float to, int i)
    {
        var (low, high) = Vector128.Widen(shorts);
        Vector128.ConvertToSingle(low.AsInt32()).StoreUnsafe(ref to, (nuint)i);
        Vector128.ConvertToSingle(high.AsInt32()).StoreUnsafe(ref to, (nuint)(i + Lanes));
    }
}
