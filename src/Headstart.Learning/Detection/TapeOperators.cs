using System.Numerics;
using System.Numerics.Tensors;

namespace Headstart.Learning.Detection;

/// <summary>A map <c>[h, w, c]</c> and the derivative of the loss by each of its values (empty if not needed).</summary>
internal sealed record HeadMap(int Height, int Width, int Channels, float[] Values, float[] Gradient)
{
    public int Places => Height * Width;
}

/// <summary>
/// The operators for training: reverse-mode differentiation on maps <c>[h, w, c]</c>. Not libtorch: the matrices are so small that copying
/// to it and back took most of a training. Buffers are reused for the next view. Not thread-safe.
/// </summary>
internal sealed class TapeOperators(HeadNetwork network) : IHeadOperators<HeadMap>
{
    private readonly Dictionary<int, Stack<float[]>> _free = [];
    private readonly List<float[]> _used = [];
    private readonly List<Action> _tape = [];
    private float[] _parameters = [];

    /// <summary><c>[network.Length]</c>, the gradient of all <see cref="Back"/> passes since <see cref="Start"/>.</summary>
    public float[] Gradient { get; } = new float[network.Length];

    /// <summary>Clears the tape and the gradient, and frees the buffers.</summary>
    /// <param name="parameters">Parameters for the next pass; not copied.</param>
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

    /// <summary>An input map; it gets no gradient.</summary>
    /// <param name="values"><c>[channels, h, w]</c></param>
    /// <param name="channels">Number of channels.</param>
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

    /// <summary>The backward pass: from the gradients of the output maps to those of all parameters.</summary>
    public void Back()
    {
        for (var i = _tape.Count - 1; i >= 0; i--)
        {
            _tape[i]();
        }
    }

    public HeadMap Convolve(HeadMap input, HeadLayer layer) => layer.PerChannel ? ConvolveEach(input, layer) : Mix(input, layer);

    /// <summary>In place, since nothing else reads the input.</summary>
    public HeadMap Rectify(HeadMap input)
    {
        var values = input.Values;
        for (var i = 0; i < values.Length; i += Vector<float>.Count)
        {
            Vector.Max(new Vector<float>(values, i), Vector<float>.Zero).CopyTo(values, i);
        }

        _tape.Add(() =>
        {
            var slopes = input.Gradient;
            for (var i = 0; i < values.Length; i += Vector<float>.Count)
            {
                var on = Vector.GreaterThan(new Vector<float>(values, i), Vector<float>.Zero);
                Vector.ConditionalSelect(on, new Vector<float>(slopes, i), Vector<float>.Zero).CopyTo(slopes, i);
            }
        });
        return input;
    }

    public HeadMap Normalise(HeadMap input)
    {
        var output = New(input.Height, input.Width, input.Channels);
        var (n, factors) = (input.Channels, Take(input.Places));
        for (var at = 0; at < input.Values.Length; at += n)
        {
            var values = input.Values.AsSpan(at, n);
            factors[at / n] = 1 / MathF.Sqrt(TensorPrimitives.SumOfSquares<float>(values) / n + TrainingDefaults.LeastSquare);
            TensorPrimitives.Multiply(values, factors[at / n], output.Values.AsSpan(at, n));
        }

        _tape.Add(() =>
        {
            for (var at = 0; at < input.Values.Length; at += n)
            {
                var factor = factors[at / n];
                ReadOnlySpan<float> slopes = output.Gradient.AsSpan(at, n), values = input.Values.AsSpan(at, n);
                var sum = input.Gradient.AsSpan(at, n);
                TensorPrimitives.MultiplyAdd(slopes, factor, sum, sum);
                // The output does not depend on a place's length: remove that component.
                TensorPrimitives.MultiplyAdd(values, -factor * factor * factor * TensorPrimitives.Dot(slopes, values) / n, sum, sum);
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

    /// <summary>Writes into <paramref name="other"/>, since nothing else reads it.</summary>
    public HeadMap Add(HeadMap one, HeadMap other)
    {
        TensorPrimitives.Add(one.Values, other.Values, other.Values);
        _tape.Add(() => TensorPrimitives.Add(one.Gradient, other.Gradient, one.Gradient));
        return other;
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

    /// <summary>Transposes <c>[rows, columns]</c> to <c>[columns, rows]</c>.</summary>
    public static void Transpose(ReadOnlySpan<float> from, Span<float> to, int rows, int columns)
    {
        const int Block = 16; // small enough for a block of both arrays to stay in the cache
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
        // The few outputs of the last layers are padded to whole vectors; the padding is dropped again.
        var columns = (layer.Outputs + ChannelConvolution.Lanes - 1) / ChannelConvolution.Lanes * ChannelConvolution.Lanes;
        var (weights, turned) = (Take(layer.Weights), Zeros(layer.Inputs * columns)); // [outputs, inputs] and [inputs, columns]
        _parameters.AsSpan(layer.Offset, layer.Weights).CopyTo(weights);
        for (var row = 0; row < layer.Outputs; row++)
        {
            for (var i = 0; i < layer.Inputs; i++)
            {
                turned[i * columns + row] = weights[row * layer.Inputs + i];
            }
        }

        var products = columns == layer.Outputs ? output.Values : Take(input.Places * columns);
        for (var place = 0; place < input.Places; place++)
        {
            _parameters.AsSpan(bias, layer.Outputs).CopyTo(products.AsSpan(place * columns));
        }

        PointConvolution.Add(input.Values, turned, products, layer.Inputs, columns);
        for (var place = 0; products != output.Values && place < input.Places; place++)
        {
            products.AsSpan(place * columns, layer.Outputs).CopyTo(output.Values.AsSpan(place * layer.Outputs));
        }

        _tape.Add(() =>
        {
            SumPlaces(output.Gradient, Gradient.AsSpan(bias, layer.Outputs));
            var sums = Zeros(layer.Weights);
            var ofWeights = Gradient.AsSpan(layer.Offset, layer.Weights);
            if (columns == layer.Outputs)
            {
                PointConvolution.Correlate(input.Values, output.Gradient, sums, layer.Inputs, layer.Outputs);
                Transpose(sums, turned, layer.Inputs, layer.Outputs);
                TensorPrimitives.Add(ofWeights, turned, ofWeights);
            }
            else
            {
                PointConvolution.Correlate(output.Gradient, input.Values, sums, layer.Outputs, layer.Inputs);
                TensorPrimitives.Add(ofWeights, sums, ofWeights);
            }

            if (input.Gradient.Length > 0)
            {
                PointConvolution.Add(output.Gradient, weights, input.Gradient, layer.Outputs, layer.Inputs);
            }
        });
        return output;
    }

    private HeadMap ConvolveEach(HeadMap input, HeadLayer layer)
    {
        var output = New(input.Height, input.Width, input.Channels);
        var (channels, count) = (input.Channels, layer.Kernel * layer.Kernel);
        var convolution = new ChannelConvolution(input.Height, input.Width, channels);
        var taps = Take(count * channels);
        Transpose(_parameters.AsSpan(layer.Offset, layer.Weights), taps, channels, count);
        var bias = _parameters.AsSpan(layer.Offset + layer.Weights, channels);
        for (var at = 0; at < output.Values.Length; at += channels)
        {
            bias.CopyTo(output.Values.AsSpan(at));
        }

        var padded = Take(convolution.PaddedLength); // also used in the backward pass
        convolution.Pad(input.Values, padded);
        convolution.Add(padded, taps, output.Values);
        _tape.Add(() =>
        {
            var slopes = Zeros(count * channels);
            convolution.Correlate(padded, output.Gradient, slopes);
            for (var tap = 0; tap < count; tap++)
            {
                for (var channel = 0; channel < channels; channel++)
                {
                    Gradient[layer.Offset + channel * count + tap] += slopes[tap * channels + channel];
                }
            }

            SumPlaces(output.Gradient, Gradient.AsSpan(layer.Offset + layer.Weights, channels));
            // The gradient by the input is a convolution with the flipped kernel.
            for (var tap = 0; tap < count; tap++)
            {
                taps.AsSpan(tap * channels, channels).CopyTo(slopes.AsSpan((count - 1 - tap) * channels));
            }

            convolution.Pad(output.Gradient, padded);
            convolution.Add(padded, slopes, input.Gradient);
        });
        return output;
    }

    private static void SumPlaces(float[] values, Span<float> sum)
    {
        if (sum.Length % ChannelConvolution.Lanes == 0)
        {
            PointConvolution.Sum(values, sum);
            return;
        }

        for (var at = 0; at < values.Length; at += sum.Length)
        {
            TensorPrimitives.Add(sum, values.AsSpan(at, sum.Length), sum);
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
