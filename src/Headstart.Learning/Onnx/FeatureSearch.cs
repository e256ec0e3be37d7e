namespace Headstart.Learning.Onnx;

/// <summary>Walks backwards from the outputs to the layer that turns features into class scores.</summary>
internal sealed class FeatureSearch(GraphIndex graph)
{
    /// <summary>Operators that change neither the meaning nor the order of class scores; input 0 passes through.</summary>
    private static readonly HashSet<string> PassOn =
        ["Identity", "Dropout", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Cast", "QuantizeLinear", "DequantizeLinear"];

    private static readonly HashSet<string> Probabilities = ["Softmax", "LogSoftmax", "Sigmoid"];

    private static readonly HashSet<string> Pools = ["GlobalAveragePool", "AveragePool", "ReduceMean"];

    private sealed record Linear(string Input, int? Features, long? Classes, bool Spatial);

    /// <exception cref="OnnxModelException"/>
    public FeatureTensor Find()
    {
        foreach (var output in graph.Graph.Output)
        {
            if (Classifiers(output.Name) is { Count: > 0 } found)
            {
                return new FeatureTensor([.. found.Select(linear => linear.Input)], found[0].Spatial, found[0].Features, Classifier: true);
            }
        }

        return graph.Graph.Output is [var only] ? AlreadyFeatures(only.Name)
            : throw new OnnxModelException($"The graph has {graph.Graph.Output.Count} outputs, but none of them comes from a classifier; "
                + "name the one with the features in 'output'.");
    }

    /// <summary>The feature map that global average pooling turns into these features.</summary>
    public FeatureTensor? FindMap(FeatureTensor features)
    {
        if (features.Tensors is not [var tensor])
        {
            return null;
        }

        // A graph may end in an average that keeps its two last axes, [n, d, 1, 1]: the map is what it averages.
        var map = !features.Pool ? BackTo(tensor, "GlobalAveragePool", "ReduceMean", "AveragePool")?.Input[0]
            : graph.Maker(tensor) is { OpType: "GlobalAveragePool" or "AveragePool" } pool ? pool.Input[0] : tensor;
        return map is null ? null
            : new FeatureTensor([map], Pool: false, Length: null, Classifier: false, new FeatureMaps(graph).Find(map)?.Down);
    }

    /// <summary>The only output as features, whichever operator made it.</summary>
    /// <param name="pooling">How an output <c>[n, tokens, d]</c> becomes one vector.</param>
    public FeatureTensor Output(Pooling pooling) => graph.Graph.Output is not [var only]
        ? throw new OnnxModelException($"The graph has {graph.Graph.Output.Count} outputs; exactly one, the features, is required; "
            + "name it in 'output'.")
        : pooling is Pooling.None ? AlreadyFeatures(only.Name) : Tokens(only.Name, pooling);

    private FeatureTensor Tokens(string output, Pooling pooling)
    {
        var shape = graph.DeclaredShape(output);
        return shape is null or { Count: 3 }
            ? new FeatureTensor([output], Pool: false, shape is [_, _, > 0 and var size] ? Length(size) : null, Classifier: false,
                Tokens: pooling)
            : throw new OnnxModelException($"The output '{output}' has {shape.Count} dimensions; pooling needs [n, tokens, d].");
    }

    private FeatureTensor AlreadyFeatures(string output)
    {
        var shape = graph.DeclaredShape(output);
        if (shape is [_, not 1, _])
        {
            throw new OnnxModelException($"The output '{output}' has shape [{string.Join(", ", shape)}], a vector for each token; set "
                + "'pooling' to cls (use the class token's vector) or mean (average all).");
        }

        var map = new FeatureMaps(graph).Find(output);
        var pool = shape is null ? map is not null : shape.Count == 4;
        var length = shape is { Count: 2 or 4 } && shape[1] > 0 ? Length(shape[1]) : map?.Channels;
        return new FeatureTensor([output], pool, length, Classifier: false);
    }

    private List<Linear> Classifiers(string output)
    {
        var single = Last(output);
        if (single is not null)
        {
            return [single];
        }

        // Averaged classifiers: the sum of two linear layers of the same size.
        var sum = BackTo(output, "Add");
        if (sum is null || sum.Input.Any(graph.IsConstant))
        {
            return [];
        }

        var parts = sum.Input.Select(Last).OfType<Linear>().ToList();
        var alike = parts.Count == 2 && parts[0].Features is not null && parts[0].Features == parts[1].Features
            && parts[0].Classes == parts[1].Classes && !parts.Any(part => part.Spatial) && parts[0].Input != parts[1].Input;
        return alike ? parts : [];
    }

    /// <summary>The linear layer that these scores come from, if any.</summary>
    private Linear? Last(string tensor)
    {
        var probabilities = false;
        while (graph.Maker(tensor) is { } node && node.Input.Count > 0)
        {
            switch (node.OpType)
            {
                case "Gemm" when graph.IsConstant(node.Input[1]) && (GraphIndex.Attribute(node, "transA")?.I ?? 0) == 0:
                    var transposed = (GraphIndex.Attribute(node, "transB")?.I ?? 0) != 0;
                    return Matrix(node, transposed ? 1 : 0);
                case "MatMul" when graph.IsConstant(node.Input[1]):
                    return Matrix(node, 0);
                case "Conv":
                    return Pointwise(node);
                case "Add" when Scores(node) is { } scores:
                    tensor = scores;
                    break;
                case var pool when Pools.Contains(pool):
                    return BehindPool(node.Input[0], probabilities);
                case var op when PassOn.Contains(op) || Probabilities.Contains(op) || IsScaled(node):
                    probabilities |= Probabilities.Contains(op);
                    tensor = node.Input[0];
                    break;
                default:
                    return null;
            }
        }

        return null;
    }

    /// <summary>The scores in a sum of scores and a constant bias.</summary>
    private string? Scores(NodeProto add) => (graph.IsConstant(add.Input[0]), graph.IsConstant(add.Input[1])) switch
    {
        (true, false) => add.Input[1],
        (false, true) => add.Input[0],
        _ => null,
    };

    /// <summary>SqueezeNet: scores for every place of the image, averaged.</summary>
    private Linear? BehindPool(string tensor, bool probabilities)
    {
        while (graph.Maker(tensor) is { OpType: "Relu" or "Clip" or "Identity" or "Dropout" } node)
        {
            tensor = node.Input[0];
        }

        if (graph.Maker(tensor) is not { OpType: "Conv" } convolution || Pointwise(convolution) is not { } linear)
        {
            return null;
        }

        var evident = probabilities || graph.Maker(convolution.Input[0])?.OpType == "Dropout" || linear.Classes is 1000 or 1001;
        return evident ? linear : null;
    }

    private Linear? Pointwise(NodeProto convolution)
    {
        var weight = graph.ConstantShape(convolution.Input.ElementAtOrDefault(1) ?? "");
        var grouped = (GraphIndex.Attribute(convolution, "group")?.I ?? 1) != 1;
        return weight is [var classes, var features, 1, 1] && !grouped
            ? new Linear(WithoutDropout(convolution.Input[0]), Length(features), classes, Spatial: true) : null;
    }

    private Linear Matrix(NodeProto node, int featureAxis)
    {
        var shape = graph.ConstantShape(node.Input[1]);
        return shape is { Count: 2 }
            ? new Linear(WithoutDropout(node.Input[0]), Length(shape[featureAxis]), shape[1 - featureAxis], Spatial: false)
            : new Linear(WithoutDropout(node.Input[0]), null, null, Spatial: false);
    }

    private static int? Length(long size) => size is > 0 and <= int.MaxValue ? (int)size : null;

    private string WithoutDropout(string tensor)
    {
        while (graph.Maker(tensor) is { OpType: "Identity" or "Dropout" } node)
        {
            tensor = node.Input[0];
        }

        return tensor;
    }

    /// <summary>Whether this divides scores by a single number, as when two classifiers are averaged.</summary>
    private bool IsScaled(NodeProto node) => node is { OpType: "Mul" or "Div", Input.Count: 2 }
        && graph.ConstantShape(node.Input[1]) is { } shape && shape.All(size => size == 1);

    private NodeProto? BackTo(string tensor, params ReadOnlySpan<string> ops)
    {
        while (graph.Maker(tensor) is { Input.Count: > 0 } node)
        {
            if (ops.Contains(node.OpType))
            {
                return node;
            }

            if (!PassOn.Contains(node.OpType) && !Probabilities.Contains(node.OpType) && !IsScaled(node))
            {
                return null;
            }

            tensor = node.Input[0];
        }

        return null;
    }
}
