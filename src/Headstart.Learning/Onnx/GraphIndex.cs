namespace Headstart.Learning.Onnx;

/// <summary>A checked graph with look-ups: the maker of a tensor, constants and shapes.</summary>
internal sealed class GraphIndex
{
    private readonly Dictionary<string, NodeProto> _makers = [];
    private readonly Dictionary<string, IReadOnlyList<long>?> _constants = []; // name -> shape, null if unknown
    private readonly Dictionary<string, TensorProto> _weights;

    public GraphIndex(GraphProto graph)
    {
        Graph = graph;
        _weights = graph.Initializer.GroupBy(weight => weight.Name).ToDictionary(group => group.Key, group => group.First());
        foreach (var (name, weight) in _weights)
        {
            _constants[name] = weight.Dims;
        }

        foreach (var node in graph.Node)
        {
            Add(node);
        }

        Input = FindInput();
    }

    public GraphProto Graph { get; }

    public string Input { get; }

    public NodeProto? Maker(string tensor) => _makers.GetValueOrDefault(tensor);

    /// <summary>Whether the tensor does not depend on the image: weights, constants, and everything computed only from those.</summary>
    public bool IsConstant(string tensor) => _constants.ContainsKey(tensor);

    public IReadOnlyList<long>? ConstantShape(string tensor) => _constants.GetValueOrDefault(tensor);

    /// <summary>The weight of this name; null for computed tensors.</summary>
    public TensorProto? Weight(string tensor) => _weights.GetValueOrDefault(tensor);

    public bool Exists(string tensor) => tensor == Input || _makers.ContainsKey(tensor);

    /// <summary>The declared shape of an output or inner tensor; -1 for dynamic sizes; null if undeclared.</summary>
    public IReadOnlyList<long>? DeclaredShape(string tensor) => Declaration(tensor)?.Type?.TensorType?.Shape?.Dim
        .Select(dim => dim.ValueCase == TensorShapeProto.Types.Dimension.ValueOneofCase.DimValue ? dim.DimValue : -1).ToList();

    /// <summary>Whether the whole network is float16, so that features must be widened. 10 is ONNX's FLOAT16.</summary>
    public bool IsHalf => Declaration(Input)?.Type?.TensorType?.ElemType == 10;

    public bool IsFloat => Declaration(Input)?.Type?.TensorType?.ElemType == 1;

    public bool IsCutAlready(FeatureTensor at) => Graph.Output is [{ Name: GraphCut.Output }] && !IsHalf
        && at is { Pool: false, Tokens: Pooling.None } && at.Tensors is [GraphCut.Output] && DeclaredShape(GraphCut.Output) is { Count: 2 };

    public static AttributeProto? Attribute(NodeProto node, string name) =>
        node.Attribute.FirstOrDefault(attribute => attribute.Name == name);

    private ValueInfoProto? Declaration(string tensor) =>
        Graph.Output.Concat(Graph.ValueInfo).Concat(Graph.Input).FirstOrDefault(info => info.Name == tensor);

    private void Add(NodeProto node)
    {
        foreach (var output in node.Output.Where(output => output.Length > 0))
        {
            _makers[output] = node;
        }

        // Random numbers have no inputs either, and a node's inputs do not include what its subgraph reads.
        var constant = node.OpType == "Constant" || (node.Input.Any(input => input.Length > 0)
            && node.Input.All(input => input.Length == 0 || IsConstant(input)) && !node.Attribute.Any(a => GraphChecks.Subgraphs(a).Any()));
        if (constant)
        {
            foreach (var output in node.Output)
            {
                _constants[output] = ShapeOfConstant(node);
            }
        }
    }

    private IReadOnlyList<long>? ShapeOfConstant(NodeProto node) => node.OpType switch
    {
        "Constant" => Attribute(node, "value")?.T?.Dims,
        "Identity" or "Cast" or "DequantizeLinear" => ConstantShape(node.Input[0]),
        "Transpose" when ConstantShape(node.Input[0]) is { Count: 2 } shape && Attribute(node, "perm")?.Ints is null or [1, 0] =>
            ConstantShape(node.Input[0])!.Reverse().ToList(),
        _ => null,
    };

    private string FindInput()
    {
        var inputs = Graph.Input.Where(input => !IsConstant(input.Name)).ToList();
        if (inputs.Count != 1)
        {
            throw new OnnxModelException($"The graph has {inputs.Count} inputs; exactly one, the image, is required.");
        }

        return inputs[0].Name;
    }
}
