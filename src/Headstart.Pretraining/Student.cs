using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Headstart.Pretraining;

/// <summary>A trainable convolutional network that begins with the weights of another one.</summary>
public sealed class Student : Module<Tensor, Tensor>
{
    private readonly ScalarType _type;
    private readonly Dictionary<string, StudentLayer> _layers = [];

    /// <param name="steps">What it computes, with the initial weights.</param>
    /// <param name="type">Number type of the convolutions: float32 or bfloat16.</param>
    public Student(IReadOnlyList<StudentStep> steps, ScalarType type) : base(nameof(Student))
    {
        (Steps, _type) = (steps, type);
        foreach (var step in steps.Where(step => step.Convolution is not null))
        {
            _layers[step.Output] = new StudentLayer(step.Output, step.Convolution!);
            register_module(step.Output, _layers[step.Output]);
        }

        Features = (int)steps.Last(step => step.Convolution is not null).Convolution!.Shape[0];
    }

    public IReadOnlyList<StudentStep> Steps { get; }

    /// <summary>Length d of the feature vector.</summary>
    public int Features { get; }

    public StudentLayer Layer(StudentStep step) => _layers[step.Output];

    /// <summary><c>[n, 3, h, w]</c> to the feature map <c>[n, d, places, places]</c>; its average over all places is the feature
    /// vector.</summary>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return Run(input.to(_type), (step, x) => _layers[step.Output].forward(x)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Restores the batch norm that was folded into the convolutions, with the statistics of these images: the network computes the same,
    /// but every layer's values again have mean 0 and deviation 1 before they are scaled, which makes it trainable.
    /// </summary>
    /// <param name="images"><c>[n, 3, h, w]</c>, float32.</param>
    public void Calibrate(Tensor images)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        Run(images, (step, x) => _layers[step.Output].Calibrate(x));
    }

    /// <summary>Copies the weights of the layers with the same names.</summary>
    public void Begin(Student from)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        foreach (var (name, layer) in _layers)
        {
            layer.load_state_dict(from._layers[name].state_dict());
        }
    }

    private Tensor Run(Tensor input, Func<StudentStep, Tensor, Tensor> convolve)
    {
        var made = new Dictionary<string, Tensor>();
        foreach (var step in Steps)
        {
            var x = step.Inputs.Select(name => made.GetValueOrDefault(name, input)).ToList();
            var y = step.Convolution is null ? x[0] + x[1] : convolve(step, x[0]);
            made[step.Output] = step.Limits switch
            {
                null => y,
                (0, float.PositiveInfinity) => y.relu(),
                (0, 6) => functional.relu6(y), // its backward pass is 4 times as fast as clamp's
                var (low, high) => y.clamp(low, high), // TorchSharp's hardtanh does not change the values
            };
        }

        return made[Steps[^1].Output];
    }
}

/// <summary>A convolution and its batch norm.</summary>
public sealed class StudentLayer : Module<Tensor, Tensor>
{
    private const double Smallest = 1e-3; // deviation below which a channel is practically dead

    private readonly Convolution _convolution;
    private readonly BatchNorm2d _norm;
    private readonly Parameter _weight;

    public StudentLayer(string name, Convolution convolution) : base(name)
    {
        _convolution = convolution;
        using var weights = tensor(convolution.Weights).view(convolution.Shape);
        _weight = Parameter(weights.clone());
        _norm = BatchNorm2d(convolution.Shape[0]);
        register_parameter("weight", _weight);
        register_module("norm", _norm);
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return _norm.forward(Convolve(input)).MoveToOuterDisposeScope();
    }

    /// <summary>See <see cref="Student.Calibrate"/>.</summary>
    /// <returns>The output of the convolution, with its bias.</returns>
    public Tensor Calibrate(Tensor input)
    {
        using var scope = NewDisposeScope();
        using var bias = tensor(_convolution.Bias);
        using var made = Convolve(input);
        var mean = made.mean([0, 2, 3]);
        var std = (made - mean.view(1, -1, 1, 1)).square().mean([0, 2, 3]).sqrt().clamp_min(Smallest);
        _weight.div_(std.view(-1, 1, 1, 1));
        _norm.running_mean!.copy_(mean / std);
        _norm.running_var!.fill_(1);
        _norm.weight!.copy_(std);
        _norm.bias!.copy_(mean + bias);
        return (made + bias.view(1, -1, 1, 1)).MoveToOuterDisposeScope();
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

    private Tensor Convolve(Tensor input)
    {
        var c = _convolution;
        // The backward pass of strided depthwise convolutions is slow in bfloat16: converting to float32 and back is three times as fast.
        var type = c is { Groups: > 1, Stride: > 1 } ? ScalarType.Float32 : input.dtype;
        return functional.conv2d(input.to(type), _weight.to(type), strides: [c.Stride, c.Stride], padding: [c.Padding, c.Padding],
            groups: c.Groups)
            .to(input.dtype);
    }
}
