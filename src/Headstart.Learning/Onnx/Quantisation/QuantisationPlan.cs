namespace Headstart.Learning.Onnx.Quantisation;

/// <summary>The layers of a network that compute with 8 bits, and the tensors that are rounded for them.</summary>
internal sealed class QuantisationPlan
{
    /// <summary>Layers without weights that ONNX Runtime can compute with 8 bits; only worthwhile beside layers with weights.</summary>
    private static readonly HashSet<string> Between = ["Add", "Mul", "Concat", "MaxPool", "AveragePool", "GlobalAveragePool"];

    private readonly GraphIndex _graph;
    private readonly ILookup<string, NodeProto> _readers;
    private readonly HashSet<string> _outputs;
    private readonly HashSet<NodeProto> _layers = new(ReferenceEqualityComparer.Instance); // by reference: rewriting changes their values
    private readonly Dictionary<string, Tensor> _tensors = [];

    public QuantisationPlan(GraphIndex graph)
    {
        _graph = graph;
        _outputs = [.. graph.Graph.Output.Select(output => output.Name)];
        _readers = graph.Graph.Node.SelectMany(node => node.Input.Distinct().Select(input => (input, node)))
            .ToLookup(pair => pair.input, pair => pair.node);
        // From the end: such a layer is included if a reader of its output is.
        foreach (var node in graph.Graph.Node.Reverse().Where(node => HasWeights(node) || (Between.Contains(node.OpType)
            && !node.Input.Any(graph.IsConstant) && _readers[Result(node)].Any(_layers.Contains))))
        {
            _layers.Add(node);
        }

        foreach (var node in graph.Graph.Node.Where(_layers.Contains))
        {
            Take(node);
        }
    }

    /// <summary>A tensor that is rounded.</summary>
    /// <param name="Name">Its name, after the activation if that is removed.</param>
    /// <param name="SameAs">A tensor with the same rounding.</param>
    /// <param name="Activation">An activation that the rounding makes redundant.</param>
    public sealed record Tensor(string Name, string? SameAs, NodeProto? Activation);

    /// <summary>All layers that compute with 8 bits.</summary>
    public IReadOnlySet<NodeProto> Layers => _layers;

    /// <summary>Convolutions with constant weights.</summary>
    public IEnumerable<NodeProto> Weighted => _layers.Where(HasWeights);

    /// <summary>Rounded tensors, in the order of the graph.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors => _tensors;

    /// <summary>The layer that produces a tensor, directly or through an activation.</summary>
    public NodeProto? Maker(string tensor) =>
        _tensors[tensor].Activation is { } activation ? _graph.Maker(activation.Input[0]) : _graph.Maker(tensor);

    public IEnumerable<NodeProto> Readers(string tensor) => _readers[tensor];

    public bool IsOutput(string tensor) => _outputs.Contains(tensor);

    /// <summary>The tensor that a layer produces, after its activation.</summary>
    public string Result(NodeProto node) => Activation(node)?.Output[0] ?? node.Output[0];

    private void Take(NodeProto node)
    {
        foreach (var input in HasWeights(node) ? node.Input.Take(1) : node.Input)
        {
            _tensors.TryAdd(input, new(input, null, null));
        }

        var (result, activation) = (Result(node), Activation(node));
        if (_readers[result].Any(_layers.Contains) || HasWeights(node))
        {
            _tensors[result] = new(result, node.OpType == "MaxPool" ? node.Input[0] : null, activation);
        }
    }

    private bool HasWeights(NodeProto node) => node.OpType == "Conv" && !_graph.IsConstant(node.Input[0]) && IsFloat(node.Input[1], rank: 4)
        && node.Input.Skip(2).All(bias => IsFloat(bias, rank: 1));

    private bool IsFloat(string weight, int rank) => _graph.Weight(weight) is { DataType: 1 } tensor && tensor.Dims.Count == rank;

    /// <summary>The activation after a layer, if rounding replaces it: the range of the numbers ends where it clips.</summary>
    private NodeProto? Activation(NodeProto node)
    {
        var output = node.Output[0];
        var next = _outputs.Contains(output) || _readers[output].Count() != 1 || node.OpType == "MaxPool" ? null : _readers[output].First();
        return next is { OpType: "Relu" } || (next is { OpType: "Clip" } && Limits(next) is { Low: <= 0, High: > 0 }) ? next : null;
    }

    private (float Low, float High)? Limits(NodeProto clip) =>
        clip.Input.Count == 3 && Number(clip.Input[1]) is { } low && Number(clip.Input[2]) is { } high ? (low, high) : null;

    private float? Number(string constant) =>
        _graph.Weight(constant) is { DataType: 1 } tensor && Weights.Floats(tensor) is [var number] ? number : null;
}
