using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Headstart.Learning.Detection;

/// <summary>What the head does to each place between its products. All lengths are multiples of <see cref="ChannelConvolution.Lanes"/>, and
/// no argument is shorter than <c>to</c> or than one place.</summary>
internal static class PlaceVectors
{
    private const int Lanes = ChannelConvolution.Lanes;

    /// <summary>Sets every place.</summary>
    /// <param name="to"><c>[n, c]</c></param>
    /// <param name="place"><c>[c]</c></param>
    public static void Fill(Span<float> to, ReadOnlySpan<float> place)
    {
        for (var at = 0; at < to.Length; at += place.Length)
        {
            place.CopyTo(to[at..]);
        }
    }

    /// <summary>Sets each place to the sum of a map's and <paramref name="shift"/>.</summary>
    /// <param name="map"><c>[n, c]</c></param>
    /// <param name="shift"><c>[c]</c></param>
    /// <param name="to"><c>[n, c]</c></param>
    public static void Add(ReadOnlySpan<float> map, ReadOnlySpan<float> shift, Span<float> to)
    {
        ReadOnlySpan<Vector512<float>> read = Vectors(map), added = Vectors(shift);
        var write = Vectors(to);
        for (int at = 0, i = 0; at < write.Length; at++)
        {
            write[at] = read[at] + added[i];
            i = i + 1 == added.Length ? 0 : i + 1;
        }
    }

    /// <summary>Adds a row of a coarser map, each place twice.</summary>
    /// <param name="coarse"><c>[n / 2, c]</c></param>
    /// <param name="to"><c>[n, c]</c></param>
    /// <param name="channels">c</param>
    public static void AddTwice(ReadOnlySpan<float> coarse, Span<float> to, int channels)
    {
        var (count, places) = (channels / Lanes, to.Length / channels);
        var read = Vectors(coarse);
        var write = Vectors(to);
        for (var place = 0; place < places; place++)
        {
            for (var i = 0; i < count; i++)
            {
                write[place * count + i] += read[place / 2 * count + i];
            }
        }
    }

    /// <summary>Divides each place by the root mean square of its channels.</summary>
    /// <param name="map"><c>[n, c]</c></param>
    /// <param name="to">Receives <c>[n, c]</c>; may be <paramref name="map"/>.</param>
    /// <param name="channels">c</param>
    /// <param name="rectify">Whether negative values become zero.</param>
    public static void Normalise(ReadOnlySpan<float> map, Span<float> to, int channels, bool rectify)
    {
        var read = Vectors(map);
        var write = Vectors(to);
        var least = rectify ? Vector512<float>.Zero : Vector512.Create(float.NegativeInfinity);
        for (var (at, count) = (0, channels / Lanes); at < write.Length; at += count)
        {
            var place = read.Slice(at, count);
            var squares = Vector512<float>.Zero;
            foreach (var vector in place)
            {
                squares = Vector512.FusedMultiplyAdd(vector, vector, squares);
            }

            var factor = Vector512.Create(1 / MathF.Sqrt(Vector512.Sum(squares) / channels + TrainingDefaults.LeastSquare));
            for (var i = 0; i < place.Length; i++)
            {
                write[at + i] = Vector512.MaxNative(least, place[i] * factor);
            }
        }
    }

    private static Span<Vector512<float>> Vectors(Span<float> values) => MemoryMarshal.Cast<float, Vector512<float>>(values);

    private static ReadOnlySpan<Vector512<float>> Vectors(ReadOnlySpan<float> values) =>
        MemoryMarshal.Cast<float, Vector512<float>>(values);
}
