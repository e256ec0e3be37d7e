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

    private readonly ScalePlan _plan;
    private readonly int _bands;
    private readonly int _length; // of a row, in floats
    private readonly float[] _row;
    private readonly float[] _sums; // of the rows of the result that are begun: row i is in place i modulo their number
    private readonly uint[] _finished; // a row of the result: four bytes a pixel
    private int _next; // row of the source
    private int _open; // the first row of the result that is not finished
    private int _begun; // the first row of the result that is not begun

    /// <param name="plan">What to make of which pixels.</param>
    /// <param name="bands">Bytes of a source pixel, 1 to 4.</param>
    public PictureScaler(ScalePlan plan, int bands)
    {
        (_plan, _bands, _length) = (plan, bands, Lanes * (plan.Columns.End - plan.Columns.First));
        _finished = new uint[plan.Columns.Size];
        _row = ArrayPool<float>.Shared.Rent(_length);
        _sums = ArrayPool<float>.Shared.Rent(_length * plan.Rows.Overlap);
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
            Across(Sums(_open), planes);
        }
    }

    public void Dispose()
    {
        ArrayPool<float>.Shared.Return(_row);
        ArrayPool<float>.Shared.Return(_sums);
    }

    private Span<float> Sums(int i) => _sums.AsSpan(i % _plan.Rows.Overlap * _length, _length);

    /// <summary>Finishes row <see cref="_open"/> of the result.</summary>
    private void Across(ReadOnlySpan<float> sums, Span<byte> planes)
    {
        var (columns, plane) = (_plan.Columns, _plan.Width * _plan.Height);
        var (step, taps) = (_plan.ColumnStep, columns.Taps);
        ref var pixels = ref MemoryMarshal.GetReference(sums);
        ref var weights = ref MemoryMarshal.GetReference(columns.Weights);
        var firsts = columns.Firsts;
        for (var i = 0; i < firsts.Length; i++)
        {
            // Within the row: what is checked here is not checked for each pixel.
            ref var pixel = ref Unsafe.Add(ref pixels, Lanes * (firsts[i] - columns.First));
            ref var weight = ref Unsafe.Add(ref weights, i * taps);
            var count = Math.Min(taps, columns.End - firsts[i]);
            var sum = Vector128<float>.Zero;
            for (var k = 0; k < count; k++)
            {
                sum = Vector128.MultiplyAddEstimate(Vector128.LoadUnsafe(ref pixel, (nuint)(Lanes * k)),
                    Vector128.Create(Unsafe.Add(ref weight, k)), sum);
            }

            // In 0..255: weights are positive and have the sum 1.
            var words = Vector128.Narrow(Vector128.ConvertToInt32(Vector128.Round(sum)).AsUInt32(), Vector128<uint>.Zero);
            _finished[i] = Vector128.Narrow(words, Vector128<ushort>.Zero).AsUInt32().ToScalar();
        }

        for (var band = 0; band * plane < planes.Length; band++)
        {
            var values = planes.Slice(band * plane, plane);
            var to = _plan.Start + _open * _plan.RowStep;
            foreach (var pixel in _finished)
            {
                values[to] = (byte)(pixel >> (8 * band));
                to += step;
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
