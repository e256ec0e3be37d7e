namespace Headstart.Learning.Onnx;

/// <summary>Makes the model that ends in features.</summary>
internal static class GraphCut
{
    public const string Output = "features";

    private const int Float32 = 1;

    public static ModelProto Cut(ModelProto model, GraphIndex index, IReadOnlyList<FeatureTensor> at)
    {
        Require(index, at);
        var cut = model.Clone();
        var taken = FreeName(index.Graph);
        Rename(cut.Graph, Output, taken); // a tensor of the graph may have the name that ours gets
        at = [.. at.Select(features => features with { Tensors = [.. features.Tensors.Select(tensor => tensor == Output ? taken
            : tensor)] })];
        Prune(cut.Graph, [.. at.SelectMany(features => features.Tensors)], index.Input);
        Append(cut.Graph, at, index.IsHalf, taken);
        return cut;
    }

    /// <summary>Each tensor as an output of its own, in this order and whatever its shape.</summary>
    public static ModelProto CutMaps(ModelProto model, GraphIndex index, IReadOnlyList<FeatureTensor> at)
    {
        Require(index, at);
        var cut = model.Clone();
        string[] tensors = [.. at.Select(map => map.Tensors.Single())];
        Prune(cut.Graph, tensors, index.Input);
        cut.Graph.Output.Clear();
        var prefix = FreeName(cut.Graph);
        for (var i = 0; i < tensors.Length; i++)
        {
            var name = AddFloat(cut.Graph, tensors[i], $"{prefix}_map{i}"); // what is float32 already passes unchanged
            var type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = Float32 } };
            cut.Graph.Output.Add(new ValueInfoProto { Name = name, Type = type });
        }

        return cut;
    }

    private static void Require(GraphIndex index, IReadOnlyList<FeatureTensor> at)
    {
        foreach (var tensor in at.SelectMany(features => features.Tensors)
            .Where(tensor => !index.Exists(tensor) || index.IsConstant(tensor)))
        {
            throw new OnnxModelException($"The graph computes no tensor '{tensor}' from the image.");
        }
    }

    private static string AddFloat(GraphProto graph, string input, string output) =>
        Add(graph, "Cast", [input], output, new AttributeProto { Name = "to", I = Float32, Type = 2 });

    private static void Prune(GraphProto graph, IReadOnlyList<string> wanted, string image)
    {
        var needed = wanted.Append(image).ToHashSet();
        var kept = new List<NodeProto>();
        foreach (var node in graph.Node.Reverse().Where(node => node.Output.Any(needed.Contains)))
        {
            kept.Add(node);
            needed.UnionWith(Reads(node));
        }

        kept.Reverse();
        Replace(graph.Node, kept);
        Replace(graph.Initializer, [.. graph.Initializer.Where(weight => needed.Contains(weight.Name))]);
        Replace(graph.Input, [.. graph.Input.Where(input => needed.Contains(input.Name))]);
        Replace(graph.ValueInfo, [.. graph.ValueInfo.Where(info => needed.Contains(info.Name))]);
    }

    /// <summary>What a node reads, the tensors that its subgraphs take from around them included.</summary>
    private static IEnumerable<string> Reads(NodeProto node) => node.Input.Concat(node.Attribute.SelectMany(GraphChecks.Subgraphs)
        .SelectMany(inner => inner.Node.SelectMany(Reads).Concat(inner.Output.Select(output => output.Name))));

    private static void Append(GraphProto graph, IReadOnlyList<FeatureTensor> at, bool half, string prefix)
    {
        var vectors = at.Select((features, i) => Vector(graph, features, $"{prefix}_{i}")).ToList();
        var vector = vectors.Count == 1 ? vectors[0] : Add(graph, "Concat", vectors, $"{prefix}_joined", Axis1());
        if (half)
        {
            AddFloat(graph, vector, $"{prefix}_float");
        }

        graph.Node[^1].Output[0] = Output;
        var length = at.Aggregate((int?)0, (sum, features) => sum + features.Length);
        var shape = new TensorShapeProto { Dim = { new TensorShapeProto.Types.Dimension { DimParam = "n" }, Width(length) } };
        graph.Output.Clear();
        graph.Output.Add(new ValueInfoProto
        {
            Name = Output,
            Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = Float32, Shape = shape } },
        });
    }

    /// <summary><c>[n, d]</c> from one feature tensor.</summary>
    private static string Vector(GraphProto graph, FeatureTensor at, string prefix)
    {
        var vectors = at.Tensors.Select((tensor, i) =>
        {
            if (at.Pool)
            {
                tensor = Add(graph, "GlobalAveragePool", [tensor], $"{prefix}_pooled{i}");
            }

            return Add(graph, "Flatten", [tensor], $"{prefix}_flat{i}", Axis1());
        }).ToList();
        return vectors.Count == 1 ? vectors[0] : Add(graph, "Mean", vectors, $"{prefix}_mean");
    }

    private static AttributeProto Axis1() => new() { Name = "axis", I = 1, Type = 2 };

    private static TensorShapeProto.Types.Dimension Width(int? length) =>
        length is { } d ? new() { DimValue = d } : new() { DimParam = "d" };

    private static string Add(GraphProto graph, string op, IEnumerable<string> inputs, string output, params AttributeProto[] attributes)
    {
        graph.Node.Add(new NodeProto { OpType = op, Name = output, Input = { inputs }, Output = { output }, Attribute = { attributes } });
        return output;
    }

    private static string FreeName(GraphProto graph)
    {
        var names = graph.Node.SelectMany(node => node.Output).Concat(graph.Initializer.Select(weight => weight.Name)).ToHashSet();
        return Enumerable.Range(0, int.MaxValue).Select(i => $"{Output}_of_graph{i}")
            .First(prefix => !names.Any(name => name.StartsWith(prefix, StringComparison.Ordinal)));
    }

    private static void Rename(GraphProto graph, string from, string to)
    {
        foreach (var node in graph.Node)
        {
            Replace(node.Input, [.. node.Input.Select(name => name == from ? to : name)]);
            Replace(node.Output, [.. node.Output.Select(name => name == from ? to : name)]);
            foreach (var inner in node.Attribute.SelectMany(GraphChecks.Subgraphs))
            {
                Rename(inner, from, to);
            }
        }

        foreach (var info in graph.Input.Concat(graph.Output).Concat(graph.ValueInfo).Where(info => info.Name == from))
        {
            info.Name = to;
        }

        foreach (var weight in graph.Initializer.Where(weight => weight.Name == from))
        {
            weight.Name = to;
        }
    }

    private static void Replace<T>(Google.Protobuf.Collections.RepeatedField<T> field, IReadOnlyCollection<T> with)
    {
        field.Clear();
        field.Add(with);
    }
}
