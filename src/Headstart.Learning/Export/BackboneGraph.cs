using Headstart.Learning.Onnx;

namespace Headstart.Learning.Export;

/// <summary>Inserts a whole network into a graph.</summary>
internal static class BackboneGraph
{
    /// <summary>Adds the network's nodes and weights, with a prefix before every name.</summary>
    /// <param name="graph">Receives them.</param>
    /// <param name="network">A network that already has the model's operator sets; it is taken apart.</param>
    /// <param name="prefix">Keeps the names of several networks apart.</param>
    /// <param name="image">Name of the network's input, <c>[1, 3, S, S]</c>.</param>
    /// <returns>Name of the network's features.</returns>
    public static string Append(GraphProto graph, ModelProto network, string prefix, string image) =>
        AppendAll(graph, network, prefix, image).Single();

    /// <summary>The same for a network with several outputs.</summary>
    /// <returns>Names of the outputs, in their order.</returns>
    public static IReadOnlyList<string> AppendAll(GraphProto graph, ModelProto network, string prefix, string image)
    {
        var input = new GraphIndex(network.Graph).Input;
        Rename(network.Graph, name => name.Length == 0 ? "" : name == input ? image : prefix + name);
        graph.Node.Add(network.Graph.Node);
        graph.Initializer.Add(network.Graph.Initializer);
        return [.. network.Graph.Output.Select(output => output.Name)];
    }

    private static void Rename(GraphProto graph, Func<string, string> named)
    {
        foreach (var node in graph.Node)
        {
            node.Name = named(node.Name);
            Replace(node.Input, named);
            Replace(node.Output, named);
            foreach (var inner in node.Attribute.SelectMany(GraphChecks.Subgraphs))
            {
                Rename(inner, named);
            }
        }

        foreach (var weight in graph.Initializer)
        {
            weight.Name = named(weight.Name);
        }

        foreach (var value in graph.Input.Concat(graph.Output))
        {
            value.Name = named(value.Name);
        }

        graph.ValueInfo.Clear(); // only hints
    }

    private static void Replace(Google.Protobuf.Collections.RepeatedField<string> names, Func<string, string> named)
    {
        for (var i = 0; i < names.Count; i++)
        {
            names[i] = named(names[i]);
        }
    }
}
