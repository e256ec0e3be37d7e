using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Headstart.Pretraining;

/// <summary>
/// A small residual network of plain 3 x 3 convolutions. They run near the peak of a CPU forwards and backwards, which depthwise ones do not,
/// so that more images are seen in the same time. A place of its feature map covers 16 pixels.
/// </summary>
public sealed class Student : Module<Tensor, Tensor>
{
    /// <summary>Channels, stride and residual blocks of each stage.</summary>
    private static readonly (int Channels, int Blocks)[] Stages = [(48, 2), (112, 2), (224, 2)];

    private const int Stem = 32;

    /// <summary>Length d of the feature vector.</summary>
    public const int Features = 768;

    private readonly ScalarType _type;

    /// <param name="type">What convolutions compute in: float32 or bfloat16.</param>
    public Student(ScalarType type) : base(nameof(Student))
    {
        _type = type;
        var layers = new List<StudentLayer> { new("stem", 3, Stem, 3, stride: 2) };
        var channels = Stem;
        foreach (var (stage, (width, blocks)) in Stages.Index())
        {
            layers.Add(new StudentLayer($"stage{stage}", channels, width, 3, stride: 2));
            for (var block = 0; block < blocks; block++)
            {
                layers.Add(new StudentLayer($"stage{stage}_block{block}a", width, width, 3, stride: 1));
                layers.Add(new StudentLayer($"stage{stage}_block{block}b", width, width, 3, stride: 1, residual: true));
            }

            channels = width;
        }

        layers.Add(new StudentLayer("last", channels, Features, 1, stride: 1));
        Layers = layers;
        foreach (var layer in layers)
        {
            register_module(layer.GetName(), layer);
        }
    }

    /// <summary>In order. A residual layer adds the input of the layer before it.</summary>
    public IReadOnlyList<StudentLayer> Layers { get; }

    /// <summary><c>[n, 3, h, w]</c> to the feature map <c>[n, Features, h / 16, w / 16]</c>; its average over all places is the feature vector.</summary>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = input.to(_type);
        var before = x;
        foreach (var layer in Layers)
        {
            var after = layer.forward(x, layer.Residual ? before : null);
            (before, x) = (x, after);
        }

        return x.MoveToOuterDisposeScope();
    }
}

/// <summary>Convolution, batch norm, the shortcut of a residual block, ReLU.</summary>
public sealed class StudentLayer : Module<Tensor, Tensor?, Tensor>
{
    private readonly BatchNorm2d _norm;
    private readonly Parameter _weight;

    public StudentLayer(string name, int from, int to, int kernel, int stride, bool residual = false) : base(name)
    {
        (Kernel, Stride, Residual) = (kernel, stride, residual);
        _weight = Parameter(randn(to, from, kernel, kernel) * Math.Sqrt(2.0 / (from * kernel * kernel)));
        _norm = BatchNorm2d(to);
        register_parameter("weight", _weight);
        register_module("norm", _norm);
        if (residual)
        {
            init.zeros_(_norm.weight); // a block starts as its shortcut: "Bag of tricks", He et al. 2019
        }
    }

    public int Kernel { get; }

    public int Stride { get; }

    public bool Residual { get; }

    public override Tensor forward(Tensor input, Tensor? shortcut)
    {
        using var scope = NewDisposeScope();
        var weight = _weight.to(input.dtype);
        var y = _norm.forward(functional.conv2d(input, weight, strides: [Stride, Stride], padding: [Kernel / 2, Kernel / 2]));
        return (shortcut is null ? y : y + shortcut).relu().MoveToOuterDisposeScope();
    }

    /// <summary>The convolution with the batch norm's averages folded in: weights <c>[to, from, k, k]</c> and bias <c>[to]</c>.</summary>
    public (Tensor Weight, Tensor Bias) Fold()
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var scale = _norm.weight! / (_norm.running_var! + _norm.eps).sqrt();
        var bias = _norm.bias! - _norm.running_mean! * scale;
        return ((_weight * scale.view(-1, 1, 1, 1)).MoveToOuterDisposeScope(), bias.MoveToOuterDisposeScope());
    }
}
