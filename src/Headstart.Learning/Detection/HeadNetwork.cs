using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>A convolution of the head: its weights lie at <paramref name="Offset"/>, its bias behind them.</summary>
/// <param name="Inputs">Channels.</param>
/// <param name="Outputs">Channels.</param>
/// <param name="Kernel">Places along each side.</param>
/// <param name="PerChannel">Each channel by itself (depthwise); as many outputs as inputs then.</param>
/// <param name="Offset">Into all parameters.</param>
internal sealed record HeadLayer(int Inputs, int Outputs, int Kernel, bool PerChannel, int Offset)
{
    public int Fan => (PerChannel ? 1 : Inputs) * Kernel * Kernel;

    public int Weights => Outputs * Fan;

    public int Length => Weights + Outputs;

    public long[] Shape => [Outputs, PerChannel ? 1 : Inputs, Kernel, Kernel];
}

/// <summary>What the head is made of, once for what trains it, and once for ONNX, which serves and exports it.</summary>
internal interface IHeadOperators<T>
{
    /// <summary>With padding that keeps the size.</summary>
    T Convolve(T input, HeadLayer layer);

    T Rectify(T input);

    /// <summary>Each place divided by the root of its mean square over the channels.</summary>
    T Normalise(T input);

    /// <summary>Twice as high and wide, by repeating.</summary>
    T Double(T input);

    T Add(T one, T other);

    /// <summary>From maps <c>[n, c, h, w]</c> to <c>[n, c, all places]</c>.</summary>
    T Join(IReadOnlyList<T> maps);
}

/// <summary>
/// The head: maps of three strides, in one width, each added to the finer one (a top-down path, Lin et al., CVPR 2017), then the same
/// depthwise-separable blocks for all strides (FCOS, Tian et al., ICCV 2019). Behind the top-down path and the blocks each place is divided
/// by its root mean square (Zhang and Sennrich, NeurIPS 2019), without which a head learns several times as slowly. It says for each place
/// how much it looks like an object of each category whose box it knows, and how far the sides of the box are.
/// </summary>
internal sealed class HeadNetwork
{
    private readonly List<HeadLayer> _layers = [];
    private readonly HeadLayer[] _lateral;
    private readonly HeadLayer[][] _merge, _shared, _classBranch, _boxBranch;
    private readonly HeadLayer _scores, _sides;

    /// <param name="inputs">Channels of the maps that it reads.</param>
    /// <param name="categories">k</param>
    /// <param name="width">Channels inside.</param>
    public HeadNetwork(IReadOnlyList<int> inputs, int categories, int width)
    {
        (Inputs, Categories, Width) = (inputs, categories, width);
        _lateral = [.. inputs.Select(channels => Layer(channels, width, 1))];
        _merge = [.. inputs.Select(_ => Block())];
        _shared = [.. Enumerable.Range(0, SharedBlocks).Select(_ => Block())];
        _classBranch = [.. Enumerable.Range(0, BranchBlocks).Select(_ => Block())];
        _boxBranch = [.. Enumerable.Range(0, BranchBlocks).Select(_ => Block())];
        (_scores, _sides) = (Layer(width, categories, 1), Layer(width, 4, 1));
    }

    public IReadOnlyList<int> Inputs { get; }

    public int Categories { get; }

    public int Width { get; }

    /// <summary>Number of parameters.</summary>
    public int Length => _layers[^1].Offset + _layers[^1].Length;

    public IReadOnlyList<HeadLayer> Layers => _layers;

    /// <summary>The layers that read the maps.</summary>
    public IReadOnlyList<HeadLayer> Lateral => _lateral;

    /// <summary>Logits <c>[n, k, places]</c>, and logarithms of the distances to the left, upper, right and lower side
    /// <c>[n, 4, places]</c> in strides: first all places of the first map, row by row.</summary>
    /// <param name="ops">What computes it.</param>
    /// <param name="maps">By stride, the finest first; each half as high and wide as the one before.</param>
    public (T Scores, T Sides) Run<T>(IHeadOperators<T> ops, IReadOnlyList<T> maps)
    {
        var levels = new T[maps.Count];
        for (var i = maps.Count - 1; i >= 0; i--)
        {
            var own = ops.Convolve(maps[i], _lateral[i]);
            levels[i] = ops.Normalise(Separable(ops, i + 1 < maps.Count ? ops.Add(own, ops.Double(levels[i + 1])) : own, _merge[i]));
        }

        var (scores, sides) = (new T[maps.Count], new T[maps.Count]);
        for (var i = 0; i < levels.Length; i++)
        {
            var shared = All(levels[i], _shared);
            scores[i] = ops.Convolve(ops.Rectify(ops.Normalise(All(shared, _classBranch))), _scores);
            sides[i] = ops.Convolve(ops.Rectify(ops.Normalise(All(shared, _boxBranch))), _sides);
        }

        return (ops.Join(scores), ops.Join(sides));

        T All(T input, HeadLayer[][] blocks) => blocks.Aggregate(input, (now, block) => Separable(ops, now, block));
    }

    /// <summary>Where a training starts.</summary>
    /// <param name="random">Decides it.</param>
    public float[] Begin(Random random)
    {
        var parameters = new float[Length];
        foreach (var layer in _layers)
        {
            // He et al. 2015; the second layers of the blocks begin small, so that a block begins as what it reads.
            var gain = layer == _scores || layer == _sides ? 0.1 : layer.PerChannel ? 1 : layer.Kernel == 1 && !_lateral.Contains(layer)
                ? 0.5 * Math.Sqrt(2) : 1;
            for (var i = 0; i < layer.Weights; i++)
            {
                parameters[layer.Offset + i] = (float)(gain / Math.Sqrt(layer.Fan) * Normal(random));
            }
        }

        parameters.AsSpan(_scores.Offset + _scores.Weights, _scores.Outputs).Fill(FirstLogit);
        parameters.AsSpan(_sides.Offset + _sides.Weights, _sides.Outputs).Fill(FirstSide);
        return parameters;
    }

    private static T Separable<T>(IHeadOperators<T> ops, T input, HeadLayer[] block) =>
        ops.Add(input, ops.Convolve(ops.Rectify(ops.Convolve(input, block[0])), block[1]));

    private HeadLayer[] Block() => [Layer(Width, Width, BlockKernel, perChannel: true), Layer(Width, Width, 1)];

    private HeadLayer Layer(int inputs, int outputs, int kernel, bool perChannel = false)
    {
        var layer = new HeadLayer(inputs, outputs, kernel, perChannel, _layers.Count == 0 ? 0 : Length);
        _layers.Add(layer);
        return layer;
    }

    /// <summary>Box and Muller.</summary>
    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
