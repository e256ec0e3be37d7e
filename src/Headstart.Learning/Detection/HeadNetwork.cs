using Headstart.Learning.Heads;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>A convolution of the head; its weights start at <paramref name="Offset"/>, its bias follows them.</summary>
/// <param name="Inputs">Input channels.</param>
/// <param name="Outputs">Output channels.</param>
/// <param name="Kernel">Kernel size along each side.</param>
/// <param name="PerChannel">Depthwise: each channel by itself, as many outputs as inputs.</param>
/// <param name="Offset">Index into the parameters of the whole network.</param>
internal sealed record HeadLayer(int Inputs, int Outputs, int Kernel, bool PerChannel, int Offset)
{
    public int Fan => (PerChannel ? 1 : Inputs) * Kernel * Kernel;

    public int Weights => Outputs * Fan;

    public int Length => Weights + Outputs;

    public long[] Shape => [Outputs, PerChannel ? 1 : Inputs, Kernel, Kernel];
}

/// <summary>The operators of the head; implemented for training, and for ONNX, which exports it, and serves it where
/// <see cref="ServedHead"/> does not.</summary>
internal interface IHeadOperators<T>
{
    /// <summary>Padded so that the output has the input's size.</summary>
    T Convolve(T input, HeadLayer layer);

    T Rectify(T input);

    /// <summary>Divides each place by the root mean square of its channels.</summary>
    T Normalise(T input);

    /// <summary>Doubles height and width by repeating each place.</summary>
    T Double(T input);

    T Add(T one, T other);

    /// <summary>Joins maps <c>[n, c, h, w]</c> into one <c>[n, c, all places]</c>.</summary>
    T Join(IReadOnlyList<T> maps);
}

/// <summary>
/// The head: a top-down path that projects the maps of three strides to one width and adds each to the finer one (Lin et al., CVPR 2017),
/// then depthwise-separable blocks shared by all strides (FCOS, Tian et al., ICCV 2019). After the top-down path and the blocks each place
/// is divided by its root mean square (Zhang and Sennrich, NeurIPS 2019); without that a head learns several times more slowly. For each
/// place it predicts a score per category and the distances to the sides of the object's box.
/// </summary>
internal sealed class HeadNetwork
{
    private readonly List<HeadLayer> _layers = [];

    /// <param name="inputs">Channels of each input map, finest first.</param>
    /// <param name="categories">Number of categories, k.</param>
    /// <param name="width">Channels inside the head.</param>
    public HeadNetwork(IReadOnlyList<int> inputs, int categories, int width)
    {
        (Inputs, Categories, Width) = (inputs, categories, width);
        Lateral = [.. inputs.Select(channels => Layer(channels, width, 1))];
        Merge = [.. inputs.Select(_ => Block())];
        SharedBlocks = [.. Enumerable.Range(0, TrainingDefaults.SharedBlocks).Select(_ => Block())];
        ClassBranch = [.. Enumerable.Range(0, BranchBlocks).Select(_ => Block())];
        BoxBranch = [.. Enumerable.Range(0, BranchBlocks).Select(_ => Block())];
        (Scores, Sides) = (Layer(width, categories, 1), Layer(width, 4, 1));
    }

    public IReadOnlyList<int> Inputs { get; }

    public int Categories { get; }

    public int Width { get; }

    /// <summary>Number of parameters.</summary>
    public int Length => _layers[^1].Offset + _layers[^1].Length;

    public IReadOnlyList<HeadLayer> Layers => _layers;

    /// <summary>The layers that read the input maps.</summary>
    public IReadOnlyList<HeadLayer> Lateral { get; }

    /// <summary>For each map the block after its lateral layer; a block is a layer of 5 x 5 and one of 1 x 1.</summary>
    public IReadOnlyList<HeadLayer[]> Merge { get; }

    /// <summary>The blocks before the branches.</summary>
    public IReadOnlyList<HeadLayer[]> SharedBlocks { get; }

    public IReadOnlyList<HeadLayer[]> ClassBranch { get; }

    public IReadOnlyList<HeadLayer[]> BoxBranch { get; }

    public HeadLayer Scores { get; }

    public HeadLayer Sides { get; }

    /// <summary>Logits <c>[n, k, places]</c>, and logarithms of the distances, in strides, to the left, upper, right and lower side
    /// <c>[n, 4, places]</c>. Places are ordered map by map, finest first, row by row.</summary>
    /// <param name="ops">Operators that compute it.</param>
    /// <param name="maps">By stride, finest first; each half as high and wide as the previous one.</param>
    public (T Scores, T Sides) Run<T>(IHeadOperators<T> ops, IReadOnlyList<T> maps)
    {
        var levels = new T[maps.Count];
        for (var i = maps.Count - 1; i >= 0; i--)
        {
            var own = ops.Convolve(maps[i], Lateral[i]);
            levels[i] = ops.Normalise(Separable(ops, i + 1 < maps.Count ? ops.Add(own, ops.Double(levels[i + 1])) : own, Merge[i]));
        }

        var (scores, sides) = (new T[maps.Count], new T[maps.Count]);
        for (var i = 0; i < levels.Length; i++)
        {
            var shared = All(levels[i], SharedBlocks);
            scores[i] = ops.Convolve(ops.Rectify(ops.Normalise(All(shared, ClassBranch))), Scores);
            sides[i] = ops.Convolve(ops.Rectify(ops.Normalise(All(shared, BoxBranch))), Sides);
        }

        return (ops.Join(scores), ops.Join(sides));

        T All(T input, IReadOnlyList<HeadLayer[]> blocks) => blocks.Aggregate(input, (now, block) => Separable(ops, now, block));
    }

    /// <summary>Initial parameters.</summary>
    /// <param name="random">Draws the weights.</param>
    public float[] Begin(Random random)
    {
        var parameters = new float[Length];
        foreach (var layer in _layers)
        {
            // He et al. 2015; the second layer of each block starts small, so that a block starts close to the identity.
            var gain = layer == Scores || layer == Sides ? 0.1 : layer.PerChannel ? 1 : layer.Kernel == 1 && !Lateral.Contains(layer)
                ? 0.5 * Math.Sqrt(2) : 1;
            for (var i = 0; i < layer.Weights; i++)
            {
                parameters[layer.Offset + i] = (float)(gain / Math.Sqrt(layer.Fan) * HiddenNetwork.Normal(random));
            }
        }

        parameters.AsSpan(Scores.Offset + Scores.Weights, Scores.Outputs).Fill(FirstLogit);
        parameters.AsSpan(Sides.Offset + Sides.Weights, Sides.Outputs).Fill(FirstSide);
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
}
