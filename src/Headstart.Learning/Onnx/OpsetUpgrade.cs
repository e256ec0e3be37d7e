using Headstart.Learning.Export;

namespace Headstart.Learning.Onnx;

/// <summary>
/// Rewrites a network of an older operator set so that it says the same in a newer one, as networks of several sets cannot share a graph:
/// the set holds for the whole model, and its functions too. Only what operators of image networks changed is known; what is not is
/// refused. Source: https://github.com/onnx/onnx/blob/main/docs/Changelog.md
/// </summary>
internal sealed class OpsetUpgrade
{
    private const string Prefix = "headstart_upgrade_";
    private const long Oldest = 7; // broadcasting was another before, and ONNX Runtime promises nothing about it

    /// <summary>Attributes that became inputs, in the inputs' order behind the first, and the set that made them so.</summary>
    private static readonly Dictionary<string, (long Since, string[] Attributes)> BecameInputs = new()
    {
        ["Clip"] = (11, ["min", "max"]),
        ["Pad"] = (11, ["pads", "value"]),
        ["Slice"] = (10, ["starts", "ends", "axes"]),
        ["Squeeze"] = (13, ["axes"]),
        ["Unsqueeze"] = (13, ["axes"]),
        ["Split"] = (13, ["split"]),
        ["ReduceSum"] = (13, ["axes"]),
        ["ReduceMean"] = (18, ["axes"]),
        ["ReduceMax"] = (18, ["axes"]),
        ["ReduceMin"] = (18, ["axes"]),
        ["ReduceProd"] = (18, ["axes"]),
        ["ReduceL1"] = (18, ["axes"]),
        ["ReduceL2"] = (18, ["axes"]),
        ["ReduceSumSquare"] = (18, ["axes"]),
        ["ReduceLogSum"] = (18, ["axes"]),
        ["ReduceLogSumExp"] = (18, ["axes"]),
    };

    /// <summary>What means something else since that set.</summary>
    private static readonly Dictionary<string, long> NotKnown = new()
    {
        ["Scan"] = 9,
        ["Upsample"] = 10,
        ["Resize"] = 11,
        ["TopK"] = 11,
        ["Scatter"] = 11,
        ["Loop"] = 11,
        ["GridSample"] = 20,
        ["GroupNormalization"] = 21,
    };

    private readonly long _from;
    private readonly long _to;
    private readonly GraphBuilder _constants;
    private int _count;

    private OpsetUpgrade(ModelProto model, long to)
    {
        (_from, _to) = (VersionOf(model), to);
        _constants = new GraphBuilder(model.Graph, Prefix);
    }

    /// <summary>The model's version of ONNX's own operators.</summary>
    public static long VersionOf(ModelProto model) => model.OpsetImport.FirstOrDefault(set => IsOnnx(set.Domain))?.Version ?? 1;

    public static bool IsOnnx(string domain) => domain is "" or "ai.onnx";

    /// <summary>Changes the model.</summary>
    /// <param name="model">A network.</param>
    /// <param name="to">At least 18, and at least the model's own.</param>
    /// <exception cref="OnnxModelException">The network has an operator that is not known to mean the same.</exception>
    public static void Apply(ModelProto model, long to)
    {
        var upgrade = new OpsetUpgrade(model, to);
        if (upgrade._from < Oldest)
        {
            throw new OnnxModelException($"The network uses ONNX operator set {upgrade._from}; joining networks requires {Oldest} or "
                + "later. Export it with a newer one.");
        }

        upgrade.Rewrite(model.Graph);
    }

    private void Rewrite(GraphProto graph)
    {
        var nodes = graph.Node.ToList();
        graph.Node.Clear();
        foreach (var node in nodes)
        {
            foreach (var inner in node.Attribute.SelectMany(GraphChecks.Subgraphs))
            {
                Rewrite(inner);
            }

            if (IsOnnx(node.Domain))
            {
                graph.Node.Add(Rewrite(node));
            }
            else
            {
                graph.Node.Add(node);
            }
        }
    }

    private IEnumerable<NodeProto> Rewrite(NodeProto node)
    {
        if (NotKnown.TryGetValue(node.OpType, out var changed) && _from < changed && changed <= _to)
        {
            throw new OnnxModelException($"The network uses the operator {node.OpType} of ONNX operator set {_from}, which may behave "
                + $"differently in set {_to}.");
        }

        if (BecameInputs.TryGetValue(node.OpType, out var became) && _from < became.Since)
        {
            MoveToInputs(node, became.Attributes);
        }

        switch (node.OpType)
        {
            case "Dropout" when _from < 12: // does nothing outside training
                node.OpType = "Identity";
                node.Attribute.Clear();
                KeepFirst(node.Output);
                break;
            case "BatchNormalization" when _from < 14:
                NormaliseWithoutTraining(node);
                break;
            case "Split" when _from < 18 && node.Input.Count < 2: // in equal parts, which has to be said
                node.Attribute.Add(GraphBuilder.Integer("num_outputs", node.Output.Count));
                break;
            case "Softmax" or "LogSoftmax" or "Hardmax" when _from < 13:
                var axis = Take(node, "axis")?.I ?? 1;
                node.Attribute.Add(GraphBuilder.Integer("axis", -1));
                return axis == -1 ? [node] : OverAllFrom(axis, node);
        }

        return [node];
    }

    private void MoveToInputs(NodeProto node, string[] attributes)
    {
        foreach (var (position, name) in attributes.Index())
        {
            if (Take(node, name) is not { } attribute)
            {
                continue;
            }

            while (node.Input.Count <= position)
            {
                node.Input.Add(""); // an input that is left out
            }

            node.Input.Add(attribute.Ints.Count > 0 ? _constants.Integers([.. attribute.Ints]) : _constants.Float(attribute.F));
        }
    }

    private static void NormaliseWithoutTraining(NodeProto node)
    {
        if (Take(node, "spatial") is { I: 0 })
        {
            throw new OnnxModelException("The network uses BatchNormalization with spatial = 0, which newer ONNX operator sets do not "
                + "support.");
        }

        KeepFirst(node.Output);
    }

    /// <summary>Older sets saw a matrix there: everything from the axis on was one row.</summary>
    private IEnumerable<NodeProto> OverAllFrom(long axis, NodeProto node)
    {
        var (input, output) = (node.Input[0], node.Output[0]);
        var (flat, rows, shape) = ($"{Prefix}flat{_count}", $"{Prefix}rows{_count}", $"{Prefix}shape{_count++}");
        (node.Input[0], node.Output[0]) = (flat, rows);
        return
        [
            new NodeProto { OpType = "Flatten", Name = flat, Input = { input }, Output = { flat },
                Attribute = { GraphBuilder.Integer("axis", axis) } },
            node,
            new NodeProto { OpType = "Shape", Name = shape, Input = { input }, Output = { shape } },
            new NodeProto { OpType = "Reshape", Name = $"{rows}_as_before", Input = { rows, shape }, Output = { output } },
        ];
    }

    private static AttributeProto? Take(NodeProto node, string name)
    {
        var attribute = GraphIndex.Attribute(node, name);
        if (attribute is not null)
        {
            node.Attribute.Remove(attribute);
        }

        return attribute;
    }

    private static void KeepFirst(Google.Protobuf.Collections.RepeatedField<string> outputs)
    {
        while (outputs.Count > 1)
        {
            outputs.RemoveAt(outputs.Count - 1);
        }
    }
}
