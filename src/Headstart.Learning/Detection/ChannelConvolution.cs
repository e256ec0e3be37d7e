using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Headstart.Learning.Detection;

/// <summary>
/// Depthwise convolutions of maps stored as <c>[h, w, c]</c>. They read a zero-padded map, so that the borders are no special case, and
/// keep the sums of four places at once in registers.
/// </summary>
/// <param name="Height">h</param>
/// <param name="Width">w</param>
/// <param name="Channels">c, a multiple of <see cref="Lanes"/>.</param>
/// <param name="Kernel">Kernel size along each side; odd.</param>
internal readonly record struct ChannelConvolution(int Height, int Width, int Channels, int Kernel)
{
    public const int Lanes = 16;

    private const int Places = 4; // at once

    /// <summary>Length of a zero-padded map.</summary>
    public int PaddedLength => (Height + Kernel - 1) * PaddedRow;

    private int PaddedRow => (Width + Kernel - 1) * Channels;

    /// <summary>Copies a map and pads it with zeros.</summary>
    /// <param name="map"><c>[h, w, c]</c></param>
    /// <param name="padded">Receives <see cref="PaddedLength"/> values.</param>
    public void Pad(float[] map, float[] padded)
    {
        Array.Clear(padded);
        var reach = Kernel / 2;
        for (var y = 0; y < Height; y++)
        {
            map.AsSpan(y * Width * Channels, Width * Channels).CopyTo(padded.AsSpan((y + reach) * PaddedRow + reach * Channels));
        }
    }

    /// <summary>Adds the convolution to <paramref name="sums"/>.</summary>
    /// <param name="padded">From <see cref="Pad"/>.</param>
    /// <param name="taps"><c>[kernel, kernel, c]</c></param>
    /// <param name="sums"><c>[h, w, c]</c></param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Add(float[] padded, float[] taps, float[] sums)
    {
        Check(padded, taps, sums);
        var (channels, row, step) = ((nuint)Channels, (nuint)PaddedRow, (nuint)Kernel);
        for (var y = 0; y < Height; y++)
        {
            for (int x = 0, count; x < Width; x += count)
            {
                count = Width - x >= Places ? Places : 1;
                for (var channel = 0; channel < Channels; channel += Lanes)
                {
                    ref var to = ref sums[(y * Width + x) * Channels + channel];
                    ref var from = ref padded[y * PaddedRow + x * Channels + channel];
                    ref var tap = ref taps[channel];
                    var one = Vector512.LoadUnsafe(ref to);
                    if (count == 1)
                    {
                        for (nuint i = 0; i < step * step; i++)
                        {
                            one = Vector512.FusedMultiplyAdd(Vector512.LoadUnsafe(ref from, i / step * row + i % step * channels),
                                Vector512.LoadUnsafe(ref tap, i * channels), one);
                        }

                        one.StoreUnsafe(ref to);
                        continue;
                    }

                    var two = Vector512.LoadUnsafe(ref to, channels);
                    var three = Vector512.LoadUnsafe(ref to, 2 * channels);
                    var four = Vector512.LoadUnsafe(ref to, 3 * channels);
                    for (nuint down = 0; down < step; down++)
                    {
                        for (nuint right = 0, at = down * row; right < step; right++, at += channels)
                        {
                            var factor = Vector512.LoadUnsafe(ref tap, (down * step + right) * channels);
                            one = Vector512.FusedMultiplyAdd(factor, Vector512.LoadUnsafe(ref from, at), one);
                            two = Vector512.FusedMultiplyAdd(factor, Vector512.LoadUnsafe(ref from, at + channels), two);
                            three = Vector512.FusedMultiplyAdd(factor, Vector512.LoadUnsafe(ref from, at + 2 * channels), three);
                            four = Vector512.FusedMultiplyAdd(factor, Vector512.LoadUnsafe(ref from, at + 3 * channels), four);
                        }
                    }

                    one.StoreUnsafe(ref to);
                    two.StoreUnsafe(ref to, channels);
                    three.StoreUnsafe(ref to, 2 * channels);
                    four.StoreUnsafe(ref to, 3 * channels);
                }
            }
        }
    }

    /// <summary>Gradient of the taps: adds the products of the inputs and the slopes of the outputs.</summary>
    /// <param name="padded">From <see cref="Pad"/>.</param>
    /// <param name="slopes"><c>[h, w, c]</c>, of the outputs.</param>
    /// <param name="sums"><c>[kernel, kernel, c]</c></param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Correlate(float[] padded, float[] slopes, float[] sums)
    {
        Check(padded, sums, slopes);
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
                    for (; x + Places <= Width; x += Places, at += Places * channels)
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
    private void Check(float[] padded, float[] taps, float[] map)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(Channels % Lanes, 0);
        ArgumentOutOfRangeException.ThrowIfLessThan(padded.Length, PaddedLength);
        ArgumentOutOfRangeException.ThrowIfLessThan(taps.Length, Kernel * Kernel * Channels);
        ArgumentOutOfRangeException.ThrowIfLessThan(map.Length, Height * Width * Channels);
    }
}
