using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Headstart.Learning.Imaging;

/// <summary>
/// Scales rows as a decoder delivers them, first down, then across, and reads only the rows and columns that the result needs. It buffers
/// as many rows as one source row contributes to. Sums are floats and rounded once (half to even, as ONNX's <c>Round</c>), so that the
/// orientation of an image makes no difference.
/// </summary>
internal sealed class PictureScaler : IDisposable
{
    private const int Lanes = 4; // floats per pixel, whatever the number of bands
    private const int Together = 4; // pixels

    private static readonly Vector128<byte> BandByBand = Vector128.Create((byte)0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);

    private readonly ScalePlan _plan;
    private readonly int _bands;
    private readonly int _length; // of a row, in floats
    private readonly int _stride; // padded with as many zeros as a result pixel reads
    private readonly float[] _row;
    private readonly float[] _sums; // of the unfinished rows of the result: row i is at i modulo their number
    private readonly int[] _offsets; // of the first float that each pixel of a row reads
    private readonly float[] _weights; // [groups, Taps, Together, Lanes]: a pixel's weight is repeated for each of its floats
    private readonly uint[] _finished; // a row of the result: four bytes per pixel
    private int _next; // next row of the source
    private int _open; // first unfinished row of the result
    private int _begun; // first row of the result that has not begun

    /// <param name="plan">Which source pixels contribute to which result pixels.</param>
    /// <param name="bands">Bytes per source pixel, 1 to 4.</param>
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

    /// <summary>Adds the next row.</summary>
    /// <param name="pixels">The whole row, <c>[width, bands]</c>.</param>
    /// <param name="planes"><c>[p, Height, Width]</c> for the first p bands: receives the rows finished so far.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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
                Add(row, weights[k], Sums(i));
            }
        }

        for (; _begun < rows.Size && rows.FirstOf(_begun) == y; _begun++)
        {
            Sums(_begun).Clear();
            Add(row, rows.WeightsOf(_begun)[0], Sums(_begun));
        }

        for (; _open < _begun && rows.FirstOf(_open) + rows.WeightsOf(_open).Length == y + 1; _open++)
        {
            Across(_sums.AsSpan(_open % rows.Overlap * _stride, _stride), planes);
        }
    }

    /// <summary>Adds the weighted row. <c>TensorPrimitives</c> computes the same, but it is generic code, which the runtime takes half a
    /// minute after the start to optimise; until then, a photograph takes twice the time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add(ReadOnlySpan<float> row, float weight, Span<float> sums)
    {
        ref var from = ref MemoryMarshal.GetReference(row);
        ref var to = ref MemoryMarshal.GetReference(sums[..row.Length]);
        var i = 0;
        for (; i <= row.Length - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            (Vector512.LoadUnsafe(ref from, (nuint)i) * weight + Vector512.LoadUnsafe(ref to, (nuint)i)).StoreUnsafe(ref to, (nuint)i);
        }

        for (; i < row.Length; i += Lanes)
        {
            (Vector128.LoadUnsafe(ref from, (nuint)i) * weight + Vector128.LoadUnsafe(ref to, (nuint)i)).StoreUnsafe(ref to, (nuint)i);
        }
    }

    public void Dispose()
    {
        ArrayPool<float>.Shared.Return(_row);
        ArrayPool<float>.Shared.Return(_sums);
    }

    private Span<float> Sums(int i) => _sums.AsSpan(i % _plan.Rows.Overlap * _stride, _length);

    /// <summary>Ordered as <see cref="Across"/> reads them; the last pixel is repeated to fill the last group.</summary>
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
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Across(Span<float> sums, Span<byte> planes)
    {
        var taps = _plan.Columns.Taps;
        ref var pixels = ref MemoryMarshal.GetReference(sums);
        ref var weights = ref MemoryMarshal.GetArrayDataReference(_weights);
        ref var finished = ref MemoryMarshal.GetArrayDataReference(_finished);
        for (var i = 0; i < _offsets.Length; i += Together)
        {
            // Within the row and the zeros after it: the constructor guarantees that, so it is not checked for each pixel.
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

    /// <summary>In 0..255, because weights are positive and add up to 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ushort> Rounded(Vector256<float> sums)
    {
        var whole = Vector256.ConvertToInt32Native(Vector256.Round(sums)).AsUInt32();
        return Vector128.Narrow(whole.GetLower(), whole.GetUpper());
    }

    /// <summary>Distributes the bands of the finished row to their planes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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
            ByteConversion.ToFloats(pixels, 1, 0, row);
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
}
