using Headstart.Learning.Export;

namespace Headstart.Learning.Onnx;

/// <summary>Creates the model that ends in features.</summary>
internal static class GraphCut
{
    public const string Output = "features";

    /// <summary>Keeps one output and the nodes it needs: of an image-text pair one of the two networks.</summary>
    public static void Keep(GraphProto graph, string output)
    {
        var kept = graph.Output.FirstOrDefault(known => known.Name == output) ?? throw new OnnxModelException(
            $"The graph has no output '{output}', but {string.Join(", ", graph.Output.Select(known => $"'{known.Name}'"))}.");
        Prune(graph, [output]);
        Replace(graph.Output, [kept]);
    }

    /// <summary>Makes a graph whose layers read BGR accept RGB: a convolution that only swaps red and blue comes first. Exact, because it
    /// only adds zeros.</summary>
    public static void SwapChannels(GraphProto graph, string input)
    {
        var prefix = FreeName(graph);
        Rename(graph, input, $"{prefix}_bgr");
        graph.Input.Single(declared => declared.Name == $"{prefix}_bgr").Name = input;
        graph.Initializer.Add(new TensorProto
        {
            Name = $"{prefix}_swap",
            DataType = GraphBuilder.Float32,
            Dims = { 3, 3, 1, 1 },
            FloatData = { 0, 0, 1, 0, 1, 0, 1, 0, 0 },
        });
        graph.Node.Insert(0, new NodeProto
        {
            OpType = "Conv",
            Name = $"{prefix}_bgr",
            Input = { input, $"{prefix}_swap" },
            Output = { $"{prefix}_bgr" },
            Attribute = { GraphBuilder.Integers("kernel_shape", 1, 1) },
        });
    }

    public static ModelProto Cut(ModelProto model, GraphIndex index, IReadOnlyList<FeatureTensor> at)
    {
        Require(index, at);
        var cut = model.Clone();
        var taken = FreeName(index.Graph);
        Rename(cut.Graph, Output, taken); // a tensor of the graph may already have our output's name
        at = [.. at.Select(features => features with { Tensors = [.. features.Tensors.Select(tensor => tensor == Output ? taken
            : tensor)] })];
        Prune(cut.Graph, [.. at.SelectMany(features => features.Tensors), index.Input]);
        Append(cut.Graph, at, index.IsHalf, taken);
        return cut;
    }

    /// <summary>Each tensor as an output of its own, in this order, of any shape.</summary>
    public static ModelProto CutMaps(ModelProto model, GraphIndex index, IReadOnlyList<FeatureTensor> at)
    {
        Require(index, at);
        var cut = model.Clone();
        string[] tensors = [.. at.Select(map => map.Tensors.Single())];
        Prune(cut.Graph, [.. tensors, index.Input]);
        cut.Graph.Output.Clear();
        var prefix = FreeName(cut.Graph);
        for (var i = 0; i < tensors.Length; i++)
        {
            var name = AddFloat(cut.Graph, tensors[i], $"{prefix}_map{i}"); // float32 passes unchanged
            var type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = GraphBuilder.Float32 } };
            cut.Graph.Output.Add(new ValueInfoProto { Name = name, Type = type });
        }

        return cut;
    }

    /// <summary>Makes the graph accept images of any size and number. Declared shapes of inner tensors may no longer hold and are
    /// removed.</summary>
    public static void FreeInput(GraphProto graph, string input)
    {
        var declared = graph.Input.Single(known => known.Name == input);
        var type = declared.Type?.TensorType?.ElemType ?? GraphBuilder.Float32;
        declared.Type = GraphBuilder.Value(input, type, -1, 3, -1, -1).Type;
        graph.ValueInfo.Clear();
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
        Add(graph, "Cast", [input], output, new AttributeProto { Name = "to", I = GraphBuilder.Float32, Type = 2 });

    private static void Prune(GraphProto graph, IReadOnlyList<string> wanted)
    {
        var needed = wanted.ToHashSet();
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

    /// <summary>Tensors that a node reads, including those that its subgraphs take from outside.</summary>
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
            Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = GraphBuilder.Float32, Shape = shape } },
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

            tensor = at.Tokens switch
            {
                Pooling.Cls => Add(graph, "Gather", [tensor, First(graph, $"{prefix}_first{i}")], $"{prefix}_cls{i}", Axis1()),
                // averages over everything after the first two axes, in every operator set
                Pooling.Mean => Add(graph, "GlobalAveragePool",
                    [Add(graph, "Transpose", [tensor], $"{prefix}_turned{i}", GraphBuilder.Integers("perm", 0, 2, 1))],
                    $"{prefix}_averaged{i}"),
                _ => tensor,
            };
            return Add(graph, "Flatten", [tensor], $"{prefix}_flat{i}", Axis1());
        }).ToList();
        return vectors.Count == 1 ? vectors[0] : Add(graph, "Mean", vectors, $"{prefix}_mean");
    }

    /// <summary>Takes index 0, the class token.</summary>
    private static string First(GraphProto graph, string name)
    {
        graph.Initializer.Add(new TensorProto { Name = name, DataType = GraphBuilder.Int64, Int64Data = { 0 } });
        return name;
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
