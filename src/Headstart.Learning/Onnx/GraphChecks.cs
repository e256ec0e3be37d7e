namespace Headstart.Learning.Onnx;

/// <summary>Checks everything that graph walks rely on, because files come from strangers.</summary>
internal static class GraphChecks
{
    /// <summary>Minimum number of inputs of the operators that the walks inspect.</summary>
    private static readonly Dictionary<string, int> Inputs = new()
    {
        ["Gemm"] = 2,
        ["MatMul"] = 2,
        ["Conv"] = 2,
        ["Add"] = 2,
        ["Mul"] = 2,
        ["Div"] = 2,
        ["Relu"] = 1,
        ["Clip"] = 1,
        ["Identity"] = 1,
        ["Dropout"] = 1,
    };

    /// <exception cref="OnnxModelException"/>
    public static void Check(ModelProto model)
    {
        var graph = model.Graph ?? throw new OnnxModelException("This is not an ONNX model: it has no graph.");
        Require(graph.Node.Count > 0, "The graph has no nodes.");
        Require(graph.Output.Count > 0, "The graph has no outputs.");
        // Any file of this machine could be named.
        Require(!Tensors(graph).Concat(model.Functions.SelectMany(Tensors)).Any(tensor => tensor is { DataLocation: not 0 }
            or { ExternalData.Count: > 0 }), "The model stores weights in other files; export it as a single file.");
        CheckOrder(graph);
    }

    /// <summary>ONNX requires nodes in topological order, which also rules out cycles.</summary>
    private static void CheckOrder(GraphProto graph)
    {
        var known = graph.Input.Select(input => input.Name).Concat(graph.Initializer.Select(weight => weight.Name)).ToHashSet();
        foreach (var node in graph.Node)
        {
            Require(node.Input.Count >= Inputs.GetValueOrDefault(node.OpType),
                $"The node '{node.Name}' ({node.OpType}) has fewer inputs than its operator needs.");
            foreach (var input in node.Input.Where(input => input.Length > 0 && !known.Contains(input)))
            {
                throw new OnnxModelException(
                    $"The node '{node.Name}' ({node.OpType}) needs '{input}', which no earlier node produces: "
                    + "the nodes are not in order or form a cycle.");
            }

            foreach (var output in node.Output.Where(output => output.Length > 0 && !known.Add(output)))
            {
                throw new OnnxModelException($"The tensor '{output}' is produced twice.");
            }
        }

        foreach (var output in graph.Output.Where(output => !known.Contains(output.Name)))
        {
            throw new OnnxModelException($"No node produces the output '{output.Name}'.");
        }
    }

    private static IEnumerable<TensorProto> Tensors(GraphProto graph) => graph.Initializer
        .Concat(graph.SparseInitializer.SelectMany(Parts)).Concat(graph.Node.SelectMany(node => node.Attribute).SelectMany(Tensors));

    private static IEnumerable<TensorProto> Tensors(FunctionProto function) =>
        function.Node.SelectMany(node => node.Attribute).Concat(function.AttributeProto).SelectMany(Tensors);

    private static IEnumerable<TensorProto> Tensors(AttributeProto attribute) => attribute.Tensors.Append(attribute.T)
        .Concat(attribute.SparseTensors.Append(attribute.SparseTensor).SelectMany(Parts))
        .Concat(Subgraphs(attribute).SelectMany(Tensors)); // protobuf limits the depth

    private static IEnumerable<TensorProto> Parts(SparseTensorProto? sparse) => sparse is null ? [] : [sparse.Values, sparse.Indices];

    public static IEnumerable<GraphProto> Subgraphs(AttributeProto attribute) =>
        attribute.G is null ? attribute.Graphs : attribute.Graphs.Prepend(attribute.G);

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new OnnxModelException(otherwise);
        }
    }
}
