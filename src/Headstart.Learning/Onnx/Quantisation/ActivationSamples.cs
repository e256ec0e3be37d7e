using System.Numerics.Tensors;

namespace Headstart.Learning.Onnx.Quantisation;

/// <summary>Statistics of one tensor over the calibration images: mean of each channel, extremes, and a sample of its values.</summary>
internal sealed class ActivationSamples
{
    private const int SampleOfImage = 1_021; // values; a few hundred images give a hundred thousand, and more change no range
    private const int Bins = 2_048;
    private const int Steps = 40;
    private const float Narrowest = 0.3f; // of the observed range: real tails are never longer

    private readonly List<float> _sample = [];
    private double[] _sums = [];
    private (float Low, float High)[] _channels = [];
    private long _places;
    private float _low;
    private float _high;

    /// <summary>Mean of each channel, <c>[c]</c>.</summary>
    public IReadOnlyList<double> Means => [.. _sums.Select(sum => sum / Math.Max(1, _places))];

    /// <summary>Extremes of each channel, 0 included, <c>[c]</c>.</summary>
    public IReadOnlyList<(float Low, float High)> Channels => _channels;

    /// <param name="values"><c>[1, c, h, w]</c> or <c>[1, c]</c>, of one image.</param>
    /// <param name="channels">c</param>
    public void Add(ReadOnlySpan<float> values, int channels)
    {
        if (_sums.Length != channels)
        {
            (_sums, _channels) = (new double[channels], new (float, float)[channels]);
        }

        var places = values.Length / channels;
        for (var channel = 0; channel < channels; channel++)
        {
            var map = values.Slice(channel * places, places);
            _sums[channel] += TensorPrimitives.Sum(map);
            ref var range = ref _channels[channel];
            range = (Math.Min(range.Low, TensorPrimitives.Min(map)), Math.Max(range.High, TensorPrimitives.Max(map)));
        }

        _places += places;
        _low = Math.Min(_low, _channels.Min(range => range.Low));
        _high = Math.Max(_high, _channels.Max(range => range.High));
        for (double at = 0, step = Math.Max(1, values.Length / (double)SampleOfImage); at < values.Length; at += step)
        {
            _sample.Add(values[(int)at]);
        }
    }

    /// <summary>The range with the least mean squared error from rounding inside and clipping outside: a few extreme values do not justify
    /// coarse steps for all others.</summary>
    public EightBits Range()
    {
        var width = (_high - _low) / Bins;
        if (!float.IsNormal(width))
        {
            return EightBits.Of(_low, _high);
        }

        var counts = new double[Bins];
        foreach (var value in _sample)
        {
            counts[Math.Clamp((int)((value - _low) / width), 0, Bins - 1)]++;
        }

        var best = (Error: double.PositiveInfinity, Low: _low, High: _high);
        for (var i = 0; i <= (_low < 0 ? Steps : 0); i++)
        {
            for (var j = 0; j <= (_high > 0 ? Steps : 0); j++)
            {
                var (low, high) = (_low * Share(i), _high * Share(j));
                var error = Error(counts, width, low, high);
                best = error < best.Error ? (error, low, high) : best;
            }
        }

        return EightBits.Of(best.Low, best.High);
    }

    private static float Share(int step) => 1 - step * (1 - Narrowest) / Steps;

    private double Error(double[] counts, float width, float low, float high)
    {
        var scale = (high - low) / EightBits.Levels;
        var (rounding, sum) = (scale * scale / 12, 0d);
        for (var bin = 0; bin < Bins; bin++)
        {
            var value = _low + (bin + 0.5f) * width;
            var beyond = value < low ? low - value : value > high ? value - high : 0;
            sum += counts[bin] * (beyond > 0 ? beyond * beyond : rounding);
        }

        return sum;
    }
}
