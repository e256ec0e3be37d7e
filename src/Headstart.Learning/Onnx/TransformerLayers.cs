namespace Headstart.Learning.Onnx;

/// <summary>Finds the layers of a transformer in its graph.</summary>
internal static class TransformerLayers
{
    private static readonly string[] Operators = ["LayerNormalization", "SkipLayerNormalization"];

    /// <summary>
    /// Name of the output of the layer at two thirds of the depth, <c>[n, tokens, d]</c>: the last layers of a sentence network have
    /// learned to discard what does not matter for similarity, such as sentiment (Jawahar et al., ACL 2019, find syntax and surface
    /// features in the middle). A network of L layers normalises 2 L + 1 times: after the embeddings, and twice in each layer.
    /// </summary>
    /// <returns>null if the graph does not have this form.</returns>
    public static string? Inner(GraphProto graph)
    {
        var vectors = graph.Initializer.Where(weights => weights.Dims.Count == 1).Select(weights => weights.Name).ToHashSet();
        var scaled = graph.Node.Where(node => node.OpType == "Mul" && node.Input.Any(vectors.Contains))
            .SelectMany(node => node.Output).ToHashSet();
        string[] normalised = [.. graph.Node.Where(node => Operators.Contains(node.OpType)
            || (node.OpType == "Add" && node.Input.Any(vectors.Contains) && node.Input.Any(scaled.Contains)))
            .Select(node => node.Output[0])];
        var layers = (normalised.Length - 1) / 2;
        return layers > 1 && normalised.Length % 2 == 1 ? normalised[2 * (int)Math.Round(layers * 2 / 3.0)] : null;
    }
}
