using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Headstart.Learning.Detection;

/// <summary>
/// Depthwise convolutions of maps stored as <c>[h, w, c]</c>. They read a zero-padded map, so that the borders are no special case, and
/// keep the sums of eight neighbouring places in registers, together with the row of values that these share.
/// </summary>
/// <param name="Height">h</param>
/// <param name="Width">w</param>
/// <param name="Channels">c, a multiple of <see cref="Lanes"/>.</param>
internal readonly record struct ChannelConvolution(int Height, int Width, int Channels)
{
    public const int Lanes = 16;
    public const int Kernel = TrainingDefaults.BlockKernel; // ConvolvePlaces is written for 5
    public const int Reach = Kernel / 2;

    private const int Places = 8; // at once
    private const int Chains = 4; // of different places at once

    /// <summary>Length of a zero-padded map.</summary>
    public int PaddedLength => (Height + Kernel - 1) * PaddedRow;

    /// <summary>Length of a row of a padded map.</summary>
    public int PaddedRow => (Width + Kernel - 1) * Channels;

    /// <summary>Copies a map and pads it with zeros.</summary>
    /// <param name="map"><c>[h, w, c]</c></param>
    /// <param name="padded">Receives <see cref="PaddedLength"/> values.</param>
    public void Pad(float[] map, float[] padded)
    {
        Array.Clear(padded);
        for (var y = 0; y < Height; y++)
        {
            map.AsSpan(y * Width * Channels, Width * Channels).CopyTo(padded.AsSpan(Start(y)));
        }
    }

    /// <summary>Index of the first value of a row of the map in the padded map.</summary>
    public int Start(int y) => (y + Reach) * PaddedRow + Reach * Channels;

    /// <summary>The rows in groups of about <paramref name="places"/> places.</summary>
    public IEnumerable<(int First, int Rows)> Bands(int places)
    {
        var rows = Math.Max(1, places / Width);
        for (var first = 0; first < Height; first += rows)
        {
            yield return (first, Math.Min(rows, Height - first));
        }
    }

    /// <summary>Adds the convolution to <paramref name="sums"/>.</summary>
    /// <param name="padded">From <see cref="Pad"/>.</param>
    /// <param name="taps"><c>[kernel, kernel, c]</c></param>
    /// <param name="sums"><c>[h, w, c]</c></param>
    public void Add(ReadOnlySpan<float> padded, ReadOnlySpan<float> taps, Span<float> sums)
    {
        Check(padded, taps, sums, Height * Width);
        Each(padded, taps, sums, Channels, sums, (0, Height), float.NegativeInfinity);
    }

    /// <summary>The convolution of some rows, with negative sums replaced by zero.</summary>
    /// <param name="padded">From <see cref="Pad"/>.</param>
    /// <param name="taps"><c>[kernel, kernel, c]</c></param>
    /// <param name="bias"><c>[c]</c></param>
    /// <param name="to">Receives <c>[rows, w, c]</c>.</param>
    /// <param name="band">The rows.</param>
    public void Rectified(ReadOnlySpan<float> padded, ReadOnlySpan<float> taps, ReadOnlySpan<float> bias, Span<float> to,
        (int First, int Rows) band)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(band.First + band.Rows, Height);
        ArgumentOutOfRangeException.ThrowIfLessThan(bias.Length, Channels);
        Check(padded, taps, to, band.Rows * Width);
        Each(padded, taps, bias, 0, to, band, 0);
    }

    /// <summary>The same for the place in column x of row y.</summary>
    public void RectifiedAt(ReadOnlySpan<float> padded, ReadOnlySpan<float> taps, ReadOnlySpan<float> bias, Span<float> to,
        (int X, int Y) at)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(at.X, Width);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(at.Y, Height);
        ArgumentOutOfRangeException.ThrowIfLessThan(bias.Length, Channels);
        Check(padded, taps, to, places: 1);
        ConvolvePlace(ref Unsafe.AsRef(in padded[at.Y * PaddedRow + at.X * Channels]), ref Unsafe.AsRef(in taps[0]),
            ref Unsafe.AsRef(in bias[0]), ref to[0], 0);
    }

    /// <param name="padded">The map.</param>
    /// <param name="taps">The kernel.</param>
    /// <param name="start">What the sums begin with.</param>
    /// <param name="step">Distance in <paramref name="start"/> from one place to the next; 0 if all begin with the same.</param>
    /// <param name="to">Receives the sums.</param>
    /// <param name="band">The rows.</param>
    /// <param name="least">Smaller sums become this.</param>
    private void Each(ReadOnlySpan<float> padded, ReadOnlySpan<float> taps, ReadOnlySpan<float> start, int step, Span<float> to,
        (int First, int Rows) band, float least)
    {
        ref var tap = ref Unsafe.AsRef(in taps[0]);
        for (var y = 0; y < band.Rows; y++)
        {
            for (int x = 0, count; x < Width; x += count)
            {
                count = Width - x >= Places ? Places : 1;
                ref var from = ref Unsafe.AsRef(in padded[(band.First + y) * PaddedRow + x * Channels]);
                var place = y * Width + x;
                ref var first = ref Unsafe.AsRef(in start[place * step]);
                ref var sums = ref to[place * Channels];
                if (count == 1)
                {
                    ConvolvePlace(ref from, ref tap, ref first, ref sums, least);
                }
                else
                {
                    ConvolvePlaces(ref from, ref tap, ref first, (nuint)step, ref sums, least);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ConvolvePlace(ref float from, ref float tap, ref float first, ref float to, float least)
    {
        var (channels, row) = ((nuint)Channels, (nuint)PaddedRow);
        nuint channel = 0;
        for (; channel + 4 * Lanes <= channels; channel += 4 * Lanes)
        {
            // Four sums, since each product waits for the one before.
            ref var start = ref Unsafe.Add(ref first, channel);
            var (s0, s1) = (Vector512.LoadUnsafe(ref start), Vector512.LoadUnsafe(ref start, Lanes));
            var (s2, s3) = (Vector512.LoadUnsafe(ref start, 2 * Lanes), Vector512.LoadUnsafe(ref start, 3 * Lanes));
            for (nuint down = 0; down < Kernel; down++)
            {
                ref var value = ref Unsafe.Add(ref from, channel + down * row);
                ref var taps = ref Unsafe.Add(ref tap, channel + down * Kernel * channels);
                for (nuint right = 0, at = 0; right < Kernel; right++, at += channels)
                {
                    s0 = Multiply(ref value, ref taps, at, s0);
                    s1 = Multiply(ref value, ref taps, at + Lanes, s1);
                    s2 = Multiply(ref value, ref taps, at + 2 * Lanes, s2);
                    s3 = Multiply(ref value, ref taps, at + 3 * Lanes, s3);
                }
            }

            Vector512.MaxNative(Vector512.Create(least), s0).StoreUnsafe(ref to, channel);
            Vector512.MaxNative(Vector512.Create(least), s1).StoreUnsafe(ref to, channel + Lanes);
            Vector512.MaxNative(Vector512.Create(least), s2).StoreUnsafe(ref to, channel + 2 * Lanes);
            Vector512.MaxNative(Vector512.Create(least), s3).StoreUnsafe(ref to, channel + 3 * Lanes);
        }

        for (; channel < channels; channel += Lanes)
        {
            var sum = Vector512.LoadUnsafe(ref first, channel);
            for (nuint i = 0; i < Kernel * Kernel; i++)
            {
                ref var value = ref Unsafe.Add(ref from, i / Kernel * row + i % Kernel * channels + channel);
                sum = Multiply(Vector512.LoadUnsafe(ref value), Vector512.LoadUnsafe(ref tap, i * channels + channel), sum);
            }

            Vector512.MaxNative(Vector512.Create(least), sum).StoreUnsafe(ref to, channel);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ConvolvePlaces(ref float from, ref float tap, ref float first, nuint next, ref float to, float least)
    {
        var (channels, step) = ((nuint)Channels, (nuint)PaddedRow);
        for (nuint channel = 0; channel < channels; channel += Lanes)
        {
            var s0 = Vector512.LoadUnsafe(ref first, channel);
            var s1 = Vector512.LoadUnsafe(ref first, channel + next);
            var s2 = Vector512.LoadUnsafe(ref first, channel + 2 * next);
            var s3 = Vector512.LoadUnsafe(ref first, channel + 3 * next);
            var s4 = Vector512.LoadUnsafe(ref first, channel + 4 * next);
            var s5 = Vector512.LoadUnsafe(ref first, channel + 5 * next);
            var s6 = Vector512.LoadUnsafe(ref first, channel + 6 * next);
            var s7 = Vector512.LoadUnsafe(ref first, channel + 7 * next);
            for (nuint down = 0; down < Kernel; down++)
            {
                ref var row = ref Unsafe.Add(ref from, channel + down * step);
                ref var taps = ref Unsafe.Add(ref tap, channel + down * Kernel * channels);
                var t0 = Vector512.LoadUnsafe(ref taps);
                var t1 = Vector512.LoadUnsafe(ref taps, channels);
                var t2 = Vector512.LoadUnsafe(ref taps, 2 * channels);
                var t3 = Vector512.LoadUnsafe(ref taps, 3 * channels);
                var t4 = Vector512.LoadUnsafe(ref taps, 4 * channels);
                var x0 = Vector512.LoadUnsafe(ref row);
                var x1 = Vector512.LoadUnsafe(ref row, channels);
                var x2 = Vector512.LoadUnsafe(ref row, 2 * channels);
                var x3 = Vector512.LoadUnsafe(ref row, 3 * channels);
                var x4 = Vector512.LoadUnsafe(ref row, 4 * channels);
                var x5 = Vector512.LoadUnsafe(ref row, 5 * channels);
                var x6 = Vector512.LoadUnsafe(ref row, 6 * channels);
                var x7 = Vector512.LoadUnsafe(ref row, 7 * channels);
                var x8 = Vector512.LoadUnsafe(ref row, 8 * channels);
                var x9 = Vector512.LoadUnsafe(ref row, 9 * channels);
                var x10 = Vector512.LoadUnsafe(ref row, 10 * channels);
                var x11 = Vector512.LoadUnsafe(ref row, 11 * channels);
                s0 = Multiply(t4, x4, Multiply(t3, x3, Multiply(t2, x2, Multiply(t1, x1, Multiply(t0, x0, s0)))));
                s1 = Multiply(t4, x5, Multiply(t3, x4, Multiply(t2, x3, Multiply(t1, x2, Multiply(t0, x1, s1)))));
                s2 = Multiply(t4, x6, Multiply(t3, x5, Multiply(t2, x4, Multiply(t1, x3, Multiply(t0, x2, s2)))));
                s3 = Multiply(t4, x7, Multiply(t3, x6, Multiply(t2, x5, Multiply(t1, x4, Multiply(t0, x3, s3)))));
                s4 = Multiply(t4, x8, Multiply(t3, x7, Multiply(t2, x6, Multiply(t1, x5, Multiply(t0, x4, s4)))));
                s5 = Multiply(t4, x9, Multiply(t3, x8, Multiply(t2, x7, Multiply(t1, x6, Multiply(t0, x5, s5)))));
                s6 = Multiply(t4, x10, Multiply(t3, x9, Multiply(t2, x8, Multiply(t1, x7, Multiply(t0, x6, s6)))));
                s7 = Multiply(t4, x11, Multiply(t3, x10, Multiply(t2, x9, Multiply(t1, x8, Multiply(t0, x7, s7)))));
            }

            Vector512.MaxNative(Vector512.Create(least), s0).StoreUnsafe(ref to, channel);
            Vector512.MaxNative(Vector512.Create(least), s1).StoreUnsafe(ref to, channel + channels);
            Vector512.MaxNative(Vector512.Create(least), s2).StoreUnsafe(ref to, channel + 2 * channels);
            Vector512.MaxNative(Vector512.Create(least), s3).StoreUnsafe(ref to, channel + 3 * channels);
            Vector512.MaxNative(Vector512.Create(least), s4).StoreUnsafe(ref to, channel + 4 * channels);
            Vector512.MaxNative(Vector512.Create(least), s5).StoreUnsafe(ref to, channel + 5 * channels);
            Vector512.MaxNative(Vector512.Create(least), s6).StoreUnsafe(ref to, channel + 6 * channels);
            Vector512.MaxNative(Vector512.Create(least), s7).StoreUnsafe(ref to, channel + 7 * channels);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Multiply(Vector512<float> tap, Vector512<float> value, Vector512<float> sum) =>
        Vector512.FusedMultiplyAdd(tap, value, sum);

    /// <summary>Gradient of the taps: adds the products of the inputs and the slopes of the outputs.</summary>
    /// <param name="padded">From <see cref="Pad"/>.</param>
    /// <param name="slopes"><c>[h, w, c]</c>, of the outputs.</param>
    /// <param name="sums"><c>[kernel, kernel, c]</c></param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Correlate(float[] padded, float[] slopes, float[] sums)
    {
        Check(padded, sums, slopes, Height * Width);
        var channels = (nuint)Channels;
        for (var y = 0; y < Height; y++)
        {
            for (var tap = 0; tap < Kernel * Kernel; tap++)
            {
                for (var channel = 0; channel < Channels; channel += Lanes)
                {
                    ref var from = ref padded[(y + tap / Kernel) * PaddedRow + tap % Kernel * Channels + channel];
                    ref var slope = ref slopes[y * Width * Channels + channel];
                    var (one, two, three, four) = (Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero,
                        Vector512<float>.Zero);
                    var x = 0;
                    nuint at = 0;
                    for (; x + Chains <= Width; x += Chains, at += Chains * channels)
                    {
                        one = Multiply(ref from, ref slope, at, one);
                        two = Multiply(ref from, ref slope, at + channels, two);
                        three = Multiply(ref from, ref slope, at + 2 * channels, three);
                        four = Multiply(ref from, ref slope, at + 3 * channels, four);
                    }

                    for (; x < Width; x++, at += channels)
                    {
                        one = Multiply(ref from, ref slope, at, one);
                    }

                    ref var sum = ref sums[tap * Channels + channel];
                    (Vector512.LoadUnsafe(ref sum) + (one + two + (three + four))).StoreUnsafe(ref sum);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Multiply(ref float one, ref float other, nuint at, Vector512<float> sum) =>
        Vector512.FusedMultiplyAdd(Vector512.LoadUnsafe(ref one, at), Vector512.LoadUnsafe(ref other, at), sum);

    /// <summary>The loops read and write without further bounds checks.</summary>
    private void Check(ReadOnlySpan<float> padded, ReadOnlySpan<float> taps, ReadOnlySpan<float> map, int places)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(Channels % Lanes, 0);
        ArgumentOutOfRangeException.ThrowIfLessThan(padded.Length, PaddedLength);
        ArgumentOutOfRangeException.ThrowIfLessThan(taps.Length, Kernel * Kernel * Channels);
        ArgumentOutOfRangeException.ThrowIfLessThan(map.Length, places * Channels);
    }
}
