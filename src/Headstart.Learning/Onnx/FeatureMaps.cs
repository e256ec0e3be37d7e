namespace Headstart.Learning.Onnx;

/// <summary>Traces the image through the graph: the number of channels of a tensor <c>[n, channels, h, w]</c> and the factor by which its
/// height and width are reduced. Only operators of convolutional networks are traced; all others end the trace.</summary>
internal sealed class FeatureMaps
{
    private static readonly HashSet<string> Unchanged =
    [
        "Relu", "Clip", "LeakyRelu", "PRelu", "HardSwish", "HardSigmoid", "Sigmoid", "Tanh", "Elu", "Gelu", "Erf", "Softplus", "Mish",
        "BatchNormalization", "InstanceNormalization", "LayerNormalization", "LRN", "Identity", "Dropout", "Cast", "Pow", "Sqrt", "Pad",
        "QuantizeLinear", "DequantizeLinear",
    ];

    private readonly GraphIndex _graph;
    private readonly Dictionary<string, Map> _maps = [];
    private readonly Dictionary<int, (string Tensor, int Channels)> _stageEnds = [];

    public FeatureMaps(GraphIndex graph)
    {
        _graph = graph;
        _maps[graph.Input] = new Map(3, 1, ChannelsLast: false);
        foreach (var node in graph.Graph.Node.Where(node => node.Input.Count > 0 && node.Output.Count > 0))
        {
            if (After(node) is { } map)
            {
                _maps[node.Output[0]] = map;
            }
        }
    }

    // Down: height and width of the image divided by those of the tensor.
    public sealed record Map(int Channels, int Down, bool ChannelsLast);

    public Map? Find(string tensor) => _maps.GetValueOrDefault(tensor) is { ChannelsLast: false } map ? map : null;

    public IReadOnlyList<FeatureTensor> StageEnds() => [.. _stageEnds
        .Where(stage => stage.Key > 1)
        .OrderBy(stage => stage.Key)
        .Select(stage => new FeatureTensor([stage.Value.Tensor], Pool: true, stage.Value.Channels, Classifier: false, stage.Key))];

    private Map? After(NodeProto node)
    {
        var input = _maps.GetValueOrDefault(node.Input[0]);
        return node.OpType switch
        {
            "Conv" or "MaxPool" or "AveragePool" => input is { ChannelsLast: false } ? AfterWindow(node, input) : null,
            "Add" or "Sub" or "Mul" or "Div" or "Max" or "Min" => node.Input.Select(name => _maps.GetValueOrDefault(name))
                .OfType<Map>().MaxBy(map => map.Channels),
            "Concat" => AfterConcat(node),
            "Transpose" => AfterTranspose(node, input),
            "MatMul" => input is { ChannelsLast: true } && _graph.ConstantShape(node.Input[1]) is [_, var outputs]
                ? input with { Channels = (int)outputs } : null,
            var op when Unchanged.Contains(op) => input,
            _ => null,
        };
    }

    private Map? AfterWindow(NodeProto node, Map input)
    {
        var strides = GraphIndex.Attribute(node, "strides")?.Ints;
        var channels = input.Channels;
        if (node.OpType == "Conv")
        {
            if (_graph.ConstantShape(node.Input.ElementAtOrDefault(1) ?? "") is not [> 0 and <= 65_536 and var outputs, ..])
            {
                return null;
            }

            channels = (int)outputs;
        }

        var stride = strides is [var rows, var columns] && rows == columns && rows is > 0 and <= 64 ? (int)rows : 1;
        if (input.Down > 4096)
        {
            return null; // no image is that large
        }

        // If a stage begins with several strided layers, the widest tensor that they read is the end of the stage before.
        if (stride > 1 && _stageEnds.GetValueOrDefault(input.Down).Channels <= input.Channels)
        {
            _stageEnds[input.Down] = (node.Input[0], input.Channels);
        }

        return new Map(channels, input.Down * stride, ChannelsLast: false);
    }

    private Map? AfterConcat(NodeProto node)
    {
        var parts = node.Input.Select(name => _maps.GetValueOrDefault(name)).ToList();
        var axis = GraphIndex.Attribute(node, "axis")?.I;
        var channels = parts.Sum(part => (long)(part?.Channels ?? 0));
        return parts.All(part => part is { ChannelsLast: false } && part.Down == parts[0]!.Down) && axis is 1 or -3 && channels <= 65_536
            ? parts[0]! with { Channels = (int)channels } : null;
    }

    private static Map? AfterTranspose(NodeProto node, Map? input) => GraphIndex.Attribute(node, "perm")?.Ints switch
    {
        [0, 2, 3, 1] when input is { ChannelsLast: false } => input with { ChannelsLast = true },
        [0, 3, 1, 2] when input is { ChannelsLast: true } => input with { ChannelsLast = false },
        _ => null,
    };
}
