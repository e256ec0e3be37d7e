namespace Headstart.Learning.Imaging;

/// <summary>
/// Weights of source pixels in each target pixel along an axis: a triangle as wide as the shrink factor and at least a pixel, cut off at
/// the image's edges (Pillow's <c>BILINEAR</c>, torchvision's <c>antialias=True</c>, ONNX's <c>Resize</c> with <c>linear</c>,
/// <c>antialias</c> and <c>exclude_outside</c>).
/// </summary>
internal sealed class TriangleFilter
{
    private readonly int[] _first;
    private readonly float[] _weights; // [size, Taps]

    /// <param name="before">Pixels of the whole image that are skipped at the beginning.</param>
    /// <param name="kept">Pixels that are used after those.</param>
    /// <param name="scaled">Length that these are scaled to.</param>
    /// <param name="cut">Scaled pixels that are skipped at the beginning.</param>
    /// <param name="size">Scaled pixels wanted after those.</param>
    /// <param name="decoded">Pixels that the decoder gives of the whole image, and the factor by which it shrank them.</param>
    public TriangleFilter(int before, int kept, int scaled, int cut, int size, (int Pixels, int Halves) decoded)
    {
        Size = size;
        var scale = (double)kept / scaled / decoded.Halves;
        var reach = Math.Max(1, scale);
        var (lowest, end) = (before / decoded.Halves, Math.Min(decoded.Pixels, (before + kept + decoded.Halves - 1) / decoded.Halves));
        Taps = (int)Math.Ceiling(2 * reach);
        (_first, _weights) = (new int[size], new float[size * Taps]);
        for (var i = 0; i < size; i++)
        {
            var centre = (double)before / decoded.Halves + (i + cut + 0.5) * scale;
            var first = Math.Clamp((int)Math.Floor(centre - reach + 0.5), lowest, end - 1);
            var weights = _weights.AsSpan(i * Taps, Math.Min(Taps, end - first));
            var sum = 0.0;
            for (var k = 0; k < weights.Length; k++)
            {
                var weight = Math.Max(0, 1 - Math.Abs(first + k + 0.5 - centre) / reach);
                weights[k] = (float)weight;
                sum += weight;
            }

            for (var k = 0; k < weights.Length; k++)
            {
                weights[k] = (float)(weights[k] / sum);
            }

            _first[i] = first;
        }

        First = _first[0];
        End = Math.Min(end, _first[^1] + Taps);
        for (var (i, from) = (0, 0); i < size; i++)
        {
            while (_first[from] + Taps <= _first[i])
            {
                from++;
            }

            Overlap = Math.Max(Overlap, i + 1 - from);
        }
    }

    /// <summary>Number of target pixels.</summary>
    public int Size { get; }

    /// <summary>Largest number of source pixels that contribute to a target pixel.</summary>
    public int Taps { get; }

    /// <summary>Largest number of target pixels that a source pixel contributes to.</summary>
    public int Overlap { get; }

    /// <summary>The first source pixel that contributes.</summary>
    public int First { get; }

    /// <summary>One past the last source pixel that may contribute.</summary>
    public int End { get; }

    /// <summary><c>[size, Taps]</c>; <see cref="WeightsOf"/> is the beginning of a row.</summary>
    public ReadOnlySpan<float> Weights => _weights;

    /// <summary>The first source pixel that contributes to target pixel <paramref name="i"/>; does not decrease with it.</summary>
    public int FirstOf(int i) => _first[i];

    /// <summary>Weights of the source pixels from <see cref="FirstOf"/> on, which add up to 1; 0 beyond the end of the image.</summary>
    public ReadOnlySpan<float> WeightsOf(int i) => _weights.AsSpan(i * Taps, Math.Min(Taps, End - _first[i]));
}
