using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace Headstart.Learning.Detection;

/// <summary>A map with the channels of a place side by side, and the slope of the loss along each of its values.</summary>
internal sealed record HeadMap(int Height, int Width, int Channels, float[] Values, float[] Gradient)
{
    public int Places => Height * Width;
}

/// <summary>
/// The head while it learns: computes, and remembers how to go back (reverse-mode differentiation). Products of matrices are libtorch's;
/// the small convolutions, one channel each, are done here with the channels of a place side by side: libtorch's were three quarters of a
/// training. Buffers are used again for the next view. One thread; its tensors
/// belong to the dispose scope it is used in.
/// </summary>
internal sealed class TapeOperators(HeadNetwork network) : IHeadOperators<HeadMap>
{
    private readonly Dictionary<int, Stack<float[]>> _free = [];
    private readonly List<float[]> _used = [];
    private readonly List<Action> _tape = [];
    private float[] _parameters = [];

    /// <summary><c>[network.Length]</c>, of all that was gone back through since <see cref="Start"/>.</summary>
    public float[] Gradient { get; } = new float[network.Length];

    /// <summary>Forgets what was computed.</summary>
    /// <param name="parameters">For what comes next.</param>
    public void Start(float[] parameters)
    {
        _parameters = parameters;
        Array.Clear(Gradient);
        _tape.Clear();
        foreach (var buffer in _used)
        {
            (_free.TryGetValue(buffer.Length, out var same) ? same : _free[buffer.Length] = []).Push(buffer);
        }

        _used.Clear();
    }

    /// <summary>A map to begin with.</summary>
    /// <param name="values"><c>[channels, h, w]</c></param>
    /// <param name="channels">Channels.</param>
    /// <param name="height">h</param>
    /// <param name="width">w</param>
    public HeadMap Input(ReadOnlySpan<Half> values, int channels, int height, int width)
    {
        var map = New(height, width, channels, learns: false);
        var row = Take(values.Length);
        TensorPrimitives.ConvertToSingle(values, row);
        Transpose(row, map.Values, channels, map.Places);
        return map;
    }

    /// <summary>Goes back: from the slopes of the maps at the end to those of all parameters.</summary>
    public void Back()
    {
        for (var i = _tape.Count - 1; i >= 0; i--)
        {
            _tape[i]();
        }
    }

    public HeadMap Convolve(HeadMap input, HeadLayer layer) => layer.PerChannel ? ConvolveEach(input, layer) : Mix(input, layer);

    public HeadMap Rectify(HeadMap input)
    {
        var output = New(input.Height, input.Width, input.Channels);
        TensorPrimitives.Max(input.Values, 0, output.Values);
        _tape.Add(() =>
        {
            var (from, to) = (output.Gradient, input.Gradient);
            for (var i = 0; i < to.Length; i += Vector<float>.Count)
            {
                var on = Vector.GreaterThan(new Vector<float>(output.Values, i), Vector<float>.Zero);
                (new Vector<float>(to, i) + Vector.ConditionalSelect(on, new Vector<float>(from, i), Vector<float>.Zero)).CopyTo(to, i);
            }
        });
        return output;
    }

    public HeadMap Double(HeadMap input)
    {
        var output = New(2 * input.Height, 2 * input.Width, input.Channels);
        EachPlace((from, to) => input.Values.AsSpan(from, input.Channels).CopyTo(output.Values.AsSpan(to)));
        _tape.Add(() => EachPlace((from, to) =>
        {
            var sum = input.Gradient.AsSpan(from, input.Channels);
            TensorPrimitives.Add(sum, output.Gradient.AsSpan(to, input.Channels), sum);
        }));
        return output;

        void EachPlace(Action<int, int> use)
        {
            for (var (y, to) = (0, 0); y < output.Height; y++)
            {
                for (var x = 0; x < output.Width; x++, to += input.Channels)
                {
                    use((y / 2 * input.Width + x / 2) * input.Channels, to);
                }
            }
        }
    }

    public HeadMap Add(HeadMap one, HeadMap other)
    {
        var output = New(one.Height, one.Width, one.Channels);
        TensorPrimitives.Add(one.Values, other.Values, output.Values);
        _tape.Add(() =>
        {
            TensorPrimitives.Add(one.Gradient, output.Gradient, one.Gradient);
            TensorPrimitives.Add(other.Gradient, output.Gradient, other.Gradient);
        });
        return output;
    }

    public HeadMap Join(IReadOnlyList<HeadMap> maps)
    {
        var output = New(1, maps.Sum(map => map.Places), maps[0].Channels);
        var at = 0;
        foreach (var map in maps)
        {
            var from = at;
            map.Values.CopyTo(output.Values, from);
            _tape.Add(() => TensorPrimitives.Add(map.Gradient, output.Gradient.AsSpan(from, map.Gradient.Length), map.Gradient));
            at += map.Values.Length;
        }

        return output;
    }

    /// <summary>From <c>[rows, columns]</c> to <c>[columns, rows]</c>.</summary>
    public static void Transpose(ReadOnlySpan<float> from, Span<float> to, int rows, int columns)
    {
        const int Block = 16; // what both arrays have of a block stays in the cache
        for (var top = 0; top < rows; top += Block)
        {
            for (var left = 0; left < columns; left += Block)
            {
                for (var row = top; row < Math.Min(rows, top + Block); row++)
                {
                    for (var column = left; column < Math.Min(columns, left + Block); column++)
                    {
                        to[column * rows + row] = from[row * columns + column];
                    }
                }
            }
        }
    }

    private HeadMap Mix(HeadMap input, HeadLayer layer)
    {
        var output = New(input.Height, input.Width, layer.Outputs);
        var bias = layer.Offset + layer.Weights;
        var (read, weights) = (Matrix(input.Values, input.Channels), // for the way back too
            Matrix(_parameters.AsSpan(layer.Offset, layer.Weights), layer.Inputs));
        Numbers(read.mm(weights.t())).CopyTo(output.Values);
        for (var at = 0; at < output.Values.Length; at += layer.Outputs)
        {
            var place = output.Values.AsSpan(at, layer.Outputs);
            TensorPrimitives.Add(place, _parameters.AsSpan(bias, layer.Outputs), place);
        }

        _tape.Add(() =>
        {
            var slopes = Matrix(output.Gradient, layer.Outputs);
            Accumulate(slopes.t().mm(read), Gradient.AsSpan(layer.Offset, layer.Weights));
            SumPlaces(output.Gradient, Gradient.AsSpan(bias, layer.Outputs));
            if (input.Gradient.Length > 0)
            {
                Accumulate(slopes.mm(weights), input.Gradient);
            }
        });
        return output;

        static Tensor Matrix(ReadOnlySpan<float> values, int columns)
        {
            var matrix = empty([values.Length / columns, columns]);
            values.CopyTo(MemoryMarshal.Cast<byte, float>(matrix.bytes));
            return matrix;
        }

        static void Accumulate(Tensor more, Span<float> sum) => TensorPrimitives.Add(sum, Numbers(more), sum);

        // data<float>() takes as long as the product to copy
        static ReadOnlySpan<float> Numbers(Tensor product) => MemoryMarshal.Cast<byte, float>(product.contiguous().bytes);
    }

    private HeadMap ConvolveEach(HeadMap input, HeadLayer layer)
    {
        var output = New(input.Height, input.Width, input.Channels);
        var (channels, count) = (input.Channels, layer.Kernel * layer.Kernel);
        var taps = Take(count * channels); // [taps, channels]
        Transpose(_parameters.AsSpan(layer.Offset, layer.Weights), taps, channels, count);
        var bias = _parameters.AsSpan(layer.Offset + layer.Weights, channels);
        for (var at = 0; at < output.Values.Length; at += channels)
        {
            bias.CopyTo(output.Values.AsSpan(at));
        }

        Spread(input, input.Values, taps, output.Values, step: 1);
        _tape.Add(() =>
        {
            Spread(input, output.Gradient, taps, input.Gradient, step: -1);
            var slopes = Take(count * channels);
            Correlate(input, output.Gradient, slopes);
            for (var tap = 0; tap < count; tap++)
            {
                for (var channel = 0; channel < channels; channel++)
                {
                    Gradient[layer.Offset + channel * count + tap] += slopes[tap * channels + channel];
                }
            }

            SumPlaces(output.Gradient, Gradient.AsSpan(layer.Offset + layer.Weights, channels));
        });
        return output;
    }

    private static void SumPlaces(float[] values, Span<float> sum)
    {
        for (var at = 0; at < values.Length; at += sum.Length)
        {
            TensorPrimitives.Add(sum, values.AsSpan(at, sum.Length), sum);
        }
    }

    /// <summary>Adds to each place what its neighbours say, times the tap of their direction; with a step of -1 of the opposite
    /// direction.</summary>
    private static void Spread(HeadMap size, float[] from, float[] taps, float[] to, int step)
    {
        var (height, width, channels) = (size.Height, size.Width, size.Channels);
        var kernel = (int)Math.Sqrt(taps.Length / channels);
        for (var y = 0; y < height; y++)
        {
            for (var tap = 0; tap < kernel * kernel; tap++)
            {
                var (row, shift) = (y + step * (tap / kernel - kernel / 2), step * (tap % kernel - kernel / 2));
                var (first, last) = (Math.Max(0, -shift), width - Math.Max(0, shift));
                if (row < 0 || row >= height || first >= last)
                {
                    continue;
                }

                var (read, write) = ((row * width + first + shift) * channels, (y * width + first) * channels);
                for (var end = (y * width + last) * channels; write < end; read += channels, write += channels)
                {
                    for (var channel = 0; channel < channels; channel += Vector<float>.Count)
                    {
                        Vector.FusedMultiplyAdd(new Vector<float>(from, read + channel),
                            new Vector<float>(taps, tap * channels + channel), new Vector<float>(to, write + channel))
                            .CopyTo(to, write + channel);
                    }
                }
            }
        }
    }

    /// <summary>The slope of each tap.</summary>
    private static void Correlate(HeadMap input, float[] slopes, float[] sums)
    {
        var (height, width, channels) = (input.Height, input.Width, input.Channels);
        var kernel = (int)Math.Sqrt(sums.Length / channels);
        for (var channel = 0; channel < channels; channel += Vector<float>.Count)
        {
            for (var tap = 0; tap < kernel * kernel; tap++)
            {
                var (down, shift) = (tap / kernel - kernel / 2, tap % kernel - kernel / 2);
                var sum = Vector<float>.Zero;
                for (var y = Math.Max(0, -down); y < height - Math.Max(0, down); y++)
                {
                    var (first, last) = (Math.Max(0, -shift), width - Math.Max(0, shift));
                    var (read, at) = (((y + down) * width + first + shift) * channels + channel, (y * width + first) * channels + channel);
                    for (var x = first; x < last; x++, read += channels, at += channels)
                    {
                        sum = Vector.FusedMultiplyAdd(new Vector<float>(input.Values, read), new Vector<float>(slopes, at), sum);
                    }
                }

                sum.CopyTo(sums, tap * channels + channel);
            }
        }
    }

    private HeadMap New(int height, int width, int channels, bool learns = true) => new(height, width, channels,
        Take(height * width * channels), learns ? Zeros(height * width * channels) : []);

    private float[] Zeros(int length)
    {
        var buffer = Take(length);
        Array.Clear(buffer);
        return buffer;
    }

    private float[] Take(int length)
    {
        var buffer = _free.TryGetValue(length, out var same) && same.TryPop(out var free) ? free : new float[length];
        _used.Add(buffer);
        return buffer;
    }
}
