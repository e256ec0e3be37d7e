using Headstart.Learning.Export;

namespace Headstart.Learning.Onnx;

/// <summary>
/// Rewrites a network of an older operator set into a newer one with the same results. A graph has one operator set, functions included, so
/// networks of different sets cannot share it. Only the changes of operators of image networks are known; others are refused. Source:
/// https://github.com/onnx/onnx/blob/main/docs/Changelog.md
/// </summary>
internal sealed class OpsetUpgrade
{
    private const string Prefix = "headstart_upgrade_";
    private const long Oldest = 7; // before, broadcasting was different, and ONNX Runtime supports no older sets

    /// <summary>Attributes that became inputs, in the order of the inputs after the first, and the set in which they did.</summary>
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

    /// <summary>Operators whose meaning changed in that set.</summary>
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

    /// <summary>Rewrites the model in place.</summary>
    /// <param name="model">A network.</param>
    /// <param name="to">The new set: at least 18, and at least the model's own.</param>
    /// <exception cref="OnnxModelException">The network has an operator that may behave differently.</exception>
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
            case "Split" when _from < 18 && node.Input.Count < 2: // into equal parts, which newer sets require to be explicit
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
                node.Input.Add(""); // an omitted input
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

    /// <summary>Older sets flattened everything from the axis on into one row.</summary>
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
