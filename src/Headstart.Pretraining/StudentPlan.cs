using System.Runtime.InteropServices;
using Headstart.Learning.Backbones;
using Headstart.Learning.Onnx;

namespace Headstart.Pretraining;

/// <summary>A step of a network: a convolution or the sum of its inputs, then optional limits for every value.</summary>
/// <param name="Output">Name of the tensor it makes.</param>
/// <param name="Inputs">Names of the tensors it reads.</param>
/// <param name="Convolution">null for a sum.</param>
/// <param name="Limits">(0, infinity) is ReLU, (0, 6) ReLU6; null for no limits.</param>
public sealed record StudentStep(string Output, IReadOnlyList<string> Inputs, Convolution? Convolution,
    (float Low, float High)? Limits = null);

/// <summary>A convolution with square kernels and equal padding on all sides.</summary>
/// <param name="Weights"><c>[outputs, inputs / groups, kernel, kernel]</c>.</param>
/// <param name="Bias"><c>[outputs]</c>.</param>
public sealed record Convolution(int Kernel, int Stride, int Padding, int Groups, long[] Shape, float[] Weights, float[] Bias);

/// <summary>The steps of a convolutional network, read from ONNX. Their result is the last step's output.</summary>
public static class StudentPlan
{
    private const int Float = 1;

    /// <param name="onnx">A network of convolutions (batch norm folded), ReLU, Clip and Add, cut at its feature map.</param>
    /// <exception cref="BackboneException">The network contains other operators.</exception>
    public static IReadOnlyList<StudentStep> Read(byte[] onnx)
    {
        var graph = ModelProto.Parser.ParseFrom(onnx).Graph;
        var weights = graph.Initializer.ToDictionary(weight => weight.Name);
        var steps = new List<StudentStep>();
        var names = new Dictionary<string, string>(); // an activation is part of the step that it follows
        foreach (var node in graph.Node)
        {
            var inputs = node.Input.Select(name => names.GetValueOrDefault(name, name)).ToList();
            switch (node.OpType)
            {
                case "Conv":
                    steps.Add(new StudentStep(node.Output[0], [inputs[0]], Read(node, weights)));
                    break;
                case "Add":
                    steps.Add(new StudentStep(node.Output[0], inputs, null));
                    break;
                case "Relu" or "Clip" when steps.Count > 0 && steps[^1].Output == inputs[0]:
                    steps[^1] = steps[^1] with { Limits = node.OpType == "Relu" ? (0, float.PositiveInfinity) : (Number(1), Number(2)) };
                    names[node.Output[0]] = inputs[0];
                    break;
                case "Flatten":
                    break; // the end of a cut network
                default:
                    throw new BackboneException(
                        $"A student can only have convolutions, ReLU, Clip and Add; this teacher contains {node.OpType}.");
            }

            float Number(int input) => Numbers(weights[node.Input[input]])[0];
        }

        return steps;
    }

    /// <summary>
    /// Drops every second residual block (the second, the fourth...): a block adds little to its input, so the rest still computes nearly
    /// the same, and training repairs it. Sanh et al. made DistilBERT in this way (2019).
    /// </summary>
    public static IReadOnlyList<StudentStep> Shorten(IReadOnlyList<StudentStep> steps)
    {
        var blocks = steps.Where(step => step.Convolution is null && step.Limits is null && Shortcut(steps, step) is not null).ToList();
        var replaced = blocks.Where((_, i) => i % 2 == 1).ToDictionary(block => block.Output, block => Shortcut(steps, block)!);
        var rewired = steps.Where(step => !replaced.ContainsKey(step.Output))
            .Select(step => step with { Inputs = [.. step.Inputs.Select(input => replaced.GetValueOrDefault(input, input))] }).ToList();
        var needed = Ancestors(rewired, rewired[^1].Output);
        return [.. rewired.Where(step => needed.Contains(step.Output))];
    }

    /// <summary>The input of a residual block that ends in this sum: the summand that the other one is computed from.</summary>
    private static string? Shortcut(IReadOnlyList<StudentStep> steps, StudentStep sum) =>
        sum.Inputs.FirstOrDefault(input => sum.Inputs.Any(other => other != input && Ancestors(steps, other).Contains(input)));

    private static HashSet<string> Ancestors(IReadOnlyList<StudentStep> steps, string of)
    {
        var found = new HashSet<string> { of };
        foreach (var step in steps.Reverse().Where(step => found.Contains(step.Output)))
        {
            found.UnionWith(step.Inputs);
        }

        return found;
    }

    private static Convolution Read(NodeProto node, Dictionary<string, TensorProto> weights)
    {
        var weight = weights.GetValueOrDefault(node.Input[1]);
        var bias = node.Input.Count > 2 ? weights.GetValueOrDefault(node.Input[2]) : null;
        var stride = Ints("strides", 1);
        var pads = Ints("pads", 0);
        if (weight is not { DataType: Float, Dims: [_, _, var height, var width] } || bias is not { DataType: Float } || height != width
            || stride.Distinct().Count() > 1 || pads.Distinct().Count() > 1 || Ints("dilations", 1).Any(dilation => dilation != 1))
        {
            throw new BackboneException($"The teacher's convolution {node.Output[0]} has a form that students do not support.");
        }

        var groups = GraphIndex.Attribute(node, "group")?.I ?? 1;
        return new Convolution((int)height, (int)stride[0], (int)pads[0], (int)groups, [.. weight.Dims], Numbers(weight), Numbers(bias));

        IReadOnlyList<long> Ints(string name, long otherwise) => GraphIndex.Attribute(node, name)?.Ints ?? (IReadOnlyList<long>)[otherwise];
    }

    private static float[] Numbers(TensorProto tensor) =>
        tensor.FloatData.Count > 0 ? [.. tensor.FloatData] : MemoryMarshal.Cast<byte, float>(tensor.RawData.Span).ToArray();
}
