using System.Runtime.InteropServices;
using Google.Protobuf;
using Headstart.Learning.Export;

namespace Headstart.Learning.Onnx.Quantisation;

/// <summary>Inserts the roundings of a plan into its graph.</summary>
internal sealed class Rewriting(GraphIndex index, QuantisationPlan plan, IReadOnlyDictionary<string, EightBits> ranges,
    IReadOnlyDictionary<string, ActivationSamples> samples)
{
    private const string Prefix = "headstart_8bit_";
    private const int UInt8 = GraphBuilder.UInt8;
    private const int Int8 = 3;
    private const int Int32 = 6;

    private readonly GraphProto _graph = index.Graph;
    private readonly List<NodeProto> _nodes = [];
    private int _count;

    public void Apply()
    {
        var cutAway = plan.Tensors.Values.Select(tensor => tensor.Activation).OfType<NodeProto>()
            .ToHashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        var weighted = plan.Weighted.ToHashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        // A layer whose activation is removed produces the activation's output.
        var results = plan.Tensors.Values.ToDictionary(tensor => tensor.Activation?.Input[0] ?? tensor.Name, tensor => tensor.Name);
        var image = plan.Tensors.ContainsKey(index.Input) ? Round(index.Input, Name("image"), ranges[index.Input]) : null;
        foreach (var node in _graph.Node.ToList())
        {
            if (cutAway.Contains(node))
            {
                continue;
            }

            if (weighted.Contains(node))
            {
                RoundWeights(node);
            }

            if (image is not null && plan.Layers.Contains(node))
            {
                Rename(node.Input, index.Input, image);
            }

            _nodes.Add(node);
            for (var i = 0; i < node.Output.Count; i++)
            {
                if (results.TryGetValue(node.Output[i], out var result))
                {
                    node.Output[i] = Name("exact");
                    Round(node.Output[i], result, ranges[result]);
                }
            }
        }

        _graph.Node.Clear();
        _graph.Node.Add(_nodes);
        _graph.ValueInfo.Clear(); // only hints, some of them for removed tensors
        var read = _nodes.SelectMany(node => node.Input).ToHashSet();
        foreach (var unread in _graph.Initializer.Where(weight => !read.Contains(weight.Name)).ToList())
        {
            _graph.Initializer.Remove(unread);
        }
    }

    /// <summary>Adds a pair of QuantizeLinear and DequantizeLinear.</summary>
    private string Round(string from, string to, EightBits range)
    {
        var (scale, zero, rounded) = (Name("scale"), Name("zero"), Name("rounded"));
        Constant(scale, GraphBuilder.Float32, MemoryMarshal.AsBytes([range.Scale]));
        Constant(zero, UInt8, [range.ZeroPoint]);
        _nodes.Add(new NodeProto { OpType = "QuantizeLinear", Name = rounded, Input = { from, scale, zero }, Output = { rounded } });
        _nodes.Add(new NodeProto { OpType = "DequantizeLinear", Name = Name("again"), Input = { rounded, scale, zero }, Output = { to } });
        return to;
    }

    private void RoundWeights(NodeProto node)
    {
        var tensor = index.Weight(node.Input[1])!;
        var values = Weights.Floats(tensor);
        var bias = node.Input.Count > 2 ? Weights.Floats(index.Weight(node.Input[2])!) : new float[tensor.Dims[0]];
        var scale = ranges[node.Input[0]].Scale;
        var weights = Weights.Of(values, bias, scale);
        node.Input[1] = Dequantise(weights.Scales, Int8, MemoryMarshal.AsBytes<sbyte>(weights.Numbers), [.. tensor.Dims]);
        if (samples.TryGetValue(node.Input[0], out var before))
        {
            var shift = weights.Shift(values, before.Means, (int)(GraphIndex.Attribute(node, "group")?.I ?? 1));
            bias = [.. bias.Zip(shift, (value, by) => (float)(value - by))];
        }

        int[] steps = [.. bias.Zip(weights.Scales, (value, step) => (int)MathF.Round(value / (step * scale)))];
        var rounded = Dequantise([.. weights.Scales.Select(step => step * scale)], Int32, MemoryMarshal.AsBytes<int>(steps),
            steps.Length);
        if (node.Input.Count > 2)
        {
            node.Input[2] = rounded;
        }
        else
        {
            node.Input.Add(rounded);
        }
    }

    /// <summary>Adds an integer constant and its DequantizeLinear.</summary>
    private string Dequantise(float[] scales, int type, ReadOnlySpan<byte> numbers, params ReadOnlySpan<long> dims)
    {
        var (whole, scale, constant) = (Name("whole"), Name("scales"), Name("constant"));
        Constant(whole, type, numbers, dims);
        Constant(scale, GraphBuilder.Float32, MemoryMarshal.AsBytes<float>(scales), scales.Length);
        _nodes.Add(new NodeProto
        {
            OpType = "DequantizeLinear",
            Name = constant,
            Input = { whole, scale },
            Output = { constant },
            Attribute = { GraphBuilder.Integer("axis", 0) },
        });
        return constant;
    }

    private void Constant(string name, int type, ReadOnlySpan<byte> raw, params ReadOnlySpan<long> dims) =>
        _graph.Initializer.Add(new TensorProto
        {
            Name = name,
            DataType = type,
            Dims = { dims.ToArray() },
            RawData = ByteString.CopyFrom(raw)
        });

    private static void Rename(Google.Protobuf.Collections.RepeatedField<string> names, string from, string to)
    {
        for (var i = 0; i < names.Count; i++)
        {
            names[i] = names[i] == from ? to : names[i];
        }
    }

    private string Name(string what) => $"{Prefix}{what}_{_count++}";
}
