namespace Headstart.Learning.Detection;

/// <summary>A layer of 1 x 1 in <see cref="ServedHead"/>; its outputs are padded to whole vectors.</summary>
internal sealed class ServedProduct
{
    private readonly Memory<float> _matrix, _bias;
    private readonly int _inputs;

    public ServedProduct(HeadLayer layer, float[] parameters)
    {
        Columns = (layer.Outputs + ChannelConvolution.Lanes - 1) / ChannelConvolution.Lanes * ChannelConvolution.Lanes;
        (_inputs, _matrix, _bias) = (layer.Inputs, AlignedMemory.Zeros(layer.Inputs * Columns), AlignedMemory.Zeros(Columns));
        for (var i = 0; i < layer.Weights; i++)
        {
            Matrix[i % _inputs * Columns + i / _inputs] = parameters[layer.Offset + i];
        }

        parameters.AsSpan(layer.Offset + layer.Weights, layer.Outputs).CopyTo(Bias);
    }

    public int Columns { get; }

    /// <summary><c>[inputs, Columns]</c></summary>
    public Span<float> Matrix => _matrix.Span;

    /// <summary><c>[Columns]</c></summary>
    public Span<float> Bias => _bias.Span;

    /// <summary>The outputs of places of a map that is stored by channel.</summary>
    /// <param name="planes"><c>[inputs, places]</c></param>
    /// <param name="first">Index of the first place.</param>
    /// <param name="to">Receives <c>[n, Columns]</c>.</param>
    public void OfPlanes(ReadOnlySpan<float> planes, int first, Span<float> to)
    {
        PlaceVectors.Fill(to, Bias);
        PointConvolution.AddPlanes(planes, first, Matrix, to, _inputs, Columns);
    }

    /// <summary>Adds the products of some places, without bias.</summary>
    public void Add(ReadOnlySpan<float> places, Span<float> to) => PointConvolution.Add(places, Matrix, to, _inputs, Columns);

    /// <summary>The outputs of some places, <c>[n, Columns]</c>, at the start of <paramref name="to"/>.</summary>
    public Span<float> Of(ReadOnlySpan<float> places, Span<float> to)
    {
        var outputs = to[..(places.Length / _inputs * Columns)];
        PlaceVectors.Fill(outputs, Bias);
        Add(places, outputs);
        return outputs;
    }
}

/// <summary>A layer of 5 x 5 and one of 1 x 1 in <see cref="ServedHead"/>.</summary>
internal sealed class ServedBlock
{
    private readonly Memory<float> _taps, _bias;

    public ServedBlock(HeadLayer[] layers, float[] parameters)
    {
        var each = layers[0];
        (_taps, _bias, Mix) = (AlignedMemory.Zeros(each.Weights), AlignedMemory.Zeros(each.Outputs), new(layers[1], parameters));
        TapeOperators.Transpose(parameters.AsSpan(each.Offset, each.Weights), Taps, each.Outputs, each.Fan);
        parameters.AsSpan(each.Offset + each.Weights, each.Outputs).CopyTo(EachBias);
    }

    /// <summary><c>[kernel, kernel, c]</c></summary>
    public Span<float> Taps => _taps.Span;

    public Span<float> EachBias => _bias.Span;

    public ServedProduct Mix { get; }
}
