using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Headstart.Learning.Detection;

/// <summary>
/// 1 x 1 convolutions: products of a map and a small matrix, in tiles whose sums stay in registers (<see cref="PointTile"/>). The part of
/// the matrix in use stays in the L1 cache.
/// </summary>
internal static class PointConvolution
{
    private const int Lanes = ChannelConvolution.Lanes;
    private const int Rows = 8; // at once
    private const int Band = 64; // places, and
    private const int Depth = 64; // channels of a map whose products are added at once
    private const int Planes = 32; // the same for a map stored by channel, which is copied
    private const int Tile = 32; // places: small enough for both maps to stay in the L1 cache

    /// <summary>Adds the product of <c>[n, a]</c> and <c>[a, b]</c> to <c>[n, b]</c>.</summary>
    /// <param name="from"><c>[n, a]</c></param>
    /// <param name="matrix"><c>[a, b]</c></param>
    /// <param name="to"><c>[n, b]</c></param>
    /// <param name="a">Input channels.</param>
    /// <param name="b">Output channels, a multiple of <see cref="ChannelConvolution.Lanes"/>.</param>
    public static void Add(ReadOnlySpan<float> from, ReadOnlySpan<float> matrix, Span<float> to, int a, int b)
    {
        var places = Check(from, to, matrix, a, b);
        for (var place = 0; place < places; place += Band)
        {
            var count = Math.Min(Band, places - place);
            for (var channel = 0; channel < a; channel += Depth)
            {
                var depth = Math.Min(Depth, a - channel);
                PointTile.Add(from.Slice(place * a + channel, (count - 1) * a + depth), (a, 1), matrix.Slice(channel * b, depth * b),
                    to.Slice(place * b, count * b), b);
            }
        }
    }

    /// <summary>The same for places of a map that is stored by channel.</summary>
    /// <param name="planes"><c>[a, places]</c></param>
    /// <param name="first">Index of the first of the n places.</param>
    /// <param name="matrix"><c>[a, b]</c></param>
    /// <param name="to"><c>[n, b]</c></param>
    /// <param name="a">Input channels.</param>
    /// <param name="b">Output channels, a multiple of <see cref="ChannelConvolution.Lanes"/>.</param>
    public static void AddPlanes(ReadOnlySpan<float> planes, int first, ReadOnlySpan<float> matrix, Span<float> to, int a, int b)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(b % Lanes, 0);
        var (plane, places) = (planes.Length / a, to.Length / b);
        Span<float> tile = stackalloc float[Planes * Band];
        for (var place = 0; place < places; place += Band)
        {
            var count = Math.Min(Band, places - place);
            for (var channel = 0; channel < a; channel += Planes)
            {
                // Copied, because the same place of several planes may compete for one line of the cache.
                var depth = Math.Min(Planes, a - channel);
                for (var i = 0; i < depth; i++)
                {
                    planes.Slice((channel + i) * plane + first + place, count).CopyTo(tile[(i * Band)..]);
                }

                PointTile.Add(tile, (1, Band), matrix.Slice(channel * b, depth * b), to.Slice(place * b, count * b), b);
            }
        }
    }

    /// <summary>Adds the product of <c>[n, a]</c>, transposed, and <c>[n, b]</c> to <c>[a, b]</c>.</summary>
    /// <param name="one"><c>[n, a]</c></param>
    /// <param name="other"><c>[n, b]</c></param>
    /// <param name="sums"><c>[a, b]</c></param>
    /// <param name="a">Channels of <paramref name="one"/>.</param>
    /// <param name="b">Channels of <paramref name="other"/>, a multiple of <see cref="ChannelConvolution.Lanes"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Correlate(float[] one, float[] other, float[] sums, int a, int b)
    {
        var places = Check(one, other, sums, a, b);
        var (left, right) = ((nuint)a, (nuint)b);
        for (var start = 0; start < places; start += Tile)
        {
            var end = (nuint)Math.Min(Tile, places - start);
            for (int row = 0, count; row < a; row += count)
            {
                count = a - row >= Rows ? Rows : 1;
                for (var column = 0; column < b; column += Lanes)
                {
                    ref var value = ref one[start * a + row];
                    ref var factor = ref other[start * b + column];
                    ref var sum = ref sums[row * b + column];
                    var s0 = Vector512.LoadUnsafe(ref sum);
                    if (count == 1)
                    {
                        for (nuint i = 0; i < end; i++)
                        {
                            s0 = Multiply(Vector512.LoadUnsafe(ref factor, i * right), ref value, i * left, s0);
                        }

                        s0.StoreUnsafe(ref sum);
                        continue;
                    }

                    var (s1, s2, s3) = (Vector512.LoadUnsafe(ref sum, right), Vector512.LoadUnsafe(ref sum, 2 * right),
                        Vector512.LoadUnsafe(ref sum, 3 * right));
                    var (s4, s5, s6, s7) = (Vector512.LoadUnsafe(ref sum, 4 * right), Vector512.LoadUnsafe(ref sum, 5 * right),
                        Vector512.LoadUnsafe(ref sum, 6 * right), Vector512.LoadUnsafe(ref sum, 7 * right));
                    for (nuint i = 0, at = 0; i < end; i++, at += left)
                    {
                        var place = Vector512.LoadUnsafe(ref factor, i * right);
                        s0 = Multiply(place, ref value, at, s0);
                        s1 = Multiply(place, ref value, at + 1, s1);
                        s2 = Multiply(place, ref value, at + 2, s2);
                        s3 = Multiply(place, ref value, at + 3, s3);
                        s4 = Multiply(place, ref value, at + 4, s4);
                        s5 = Multiply(place, ref value, at + 5, s5);
                        s6 = Multiply(place, ref value, at + 6, s6);
                        s7 = Multiply(place, ref value, at + 7, s7);
                    }

                    s0.StoreUnsafe(ref sum);
                    s1.StoreUnsafe(ref sum, right);
                    s2.StoreUnsafe(ref sum, 2 * right);
                    s3.StoreUnsafe(ref sum, 3 * right);
                    s4.StoreUnsafe(ref sum, 4 * right);
                    s5.StoreUnsafe(ref sum, 5 * right);
                    s6.StoreUnsafe(ref sum, 6 * right);
                    s7.StoreUnsafe(ref sum, 7 * right);
                }
            }
        }
    }

    /// <summary>Adds all rows to <paramref name="sum"/>.</summary>
    /// <param name="rows"><c>[n, a]</c></param>
    /// <param name="sum"><c>[a]</c>; a is a multiple of <see cref="ChannelConvolution.Lanes"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Sum(float[] rows, Span<float> sum)
    {
        for (var start = 0; start < rows.Length; start += Tile * sum.Length)
        {
            var tile = rows.AsSpan(start, Math.Min(Tile * sum.Length, rows.Length - start));
            for (var column = 0; column < sum.Length; column += Lanes)
            {
                var s0 = Vector512.Create<float>(sum[column..]);
                for (var at = column; at < tile.Length; at += sum.Length)
                {
                    s0 += Vector512.Create<float>(tile[at..]);
                }

                s0.CopyTo(sum[column..]);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Multiply(Vector512<float> row, ref float value, nuint at, Vector512<float> sum) =>
        Vector512.FusedMultiplyAdd(row, Vector512.Create(Unsafe.Add(ref value, at)), sum);

    /// <summary>The loops read and write without further bounds checks.</summary>
    private static int Check(ReadOnlySpan<float> wide, ReadOnlySpan<float> other, ReadOnlySpan<float> matrix, int a, int b)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(b % Lanes, 0);
        var places = wide.Length / a;
        ArgumentOutOfRangeException.ThrowIfNotEqual(wide.Length, places * a);
        ArgumentOutOfRangeException.ThrowIfNotEqual(other.Length, places * b);
        ArgumentOutOfRangeException.ThrowIfNotEqual(matrix.Length, a * b);
        return places;
    }
}
