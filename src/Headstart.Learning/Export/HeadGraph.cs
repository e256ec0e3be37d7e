using Headstart.Learning.Backbones;
using Headstart.Learning.Heads;
using Headstart.Learning.Onnx;

namespace Headstart.Learning.Export;

/// <summary>The steps after the backbones as a graph: <see cref="FeatureRecipe.Assemble"/>, <see cref="Head"/> and
/// <see cref="NoveltyDetector"/>.</summary>
internal static class HeadGraph
{
    private const float Tiny = 1e-30f; // avoids division by 0; the numerator is 0 then

    /// <summary>float32 <c>[1, d]</c></summary>
    /// <param name="b">Receives the nodes.</param>
    /// <param name="recipe">The sections and their order.</param>
    /// <param name="vectors">Names of the whole feature vectors <c>[1, Length]</c> of <see cref="FeatureRecipe.Backbones"/>, in that
    /// order.</param>
    public static string Features(GraphBuilder b, FeatureRecipe recipe, IReadOnlyList<string> vectors)
    {
        var parts = recipe.Parts.Select(part =>
        {
            var vector = vectors[recipe.Backbones.Index().First(known => ReferenceEquals(known.Item, part.Backbone)).Index];
            var (from, to) = (part.Section.Offset, part.Section.Offset + part.Section.Length);
            var raw = b.Node("Slice", [vector, b.Integers(from), b.Integers(to), b.Integers(1)]);
            if (part.Section.IsRaw)
            {
                return b.Node("Div", [raw, b.Node("Max", [b.Node("ReduceL2", [raw, b.Integers(1)]), b.Float(Tiny)])]);
            }

            var size = b.Node("Abs", [raw]);
            var length = b.Node("Sqrt", [b.Node("ReduceSum", [size, b.Integers(1)])]);
            var roots = b.Node("Mul", [b.Node("Sqrt", [size]), b.Node("Sign", [raw])]);
            return b.Node("Div", [roots, b.Node("Max", [length, b.Float(Tiny)])]);
        }).ToList();
        return parts is [var only] ? only : b.Node("Concat", parts, GraphBuilder.Integer("axis", 1));
    }

    /// <summary>float32 <c>[k]</c></summary>
    public static string Probabilities(GraphBuilder b, Head head, string features)
    {
        var read = head.Hidden is { } hidden ? b.Node("Relu", [Layer(b, hidden, features)]) : features;
        var logits = b.Node("Squeeze", [Layer(b, head.Output, read), b.Integers(0)]);
        return head.Thresholds is null ? b.Node("Softmax", [logits], GraphBuilder.Integer("axis", 0)) : b.Node("Sigmoid", [logits]);
    }

    /// <summary>float32, a scalar: cosine to the nearest mean direction.</summary>
    public static string Nearness(GraphBuilder b, NoveltyDetector known, string features)
    {
        float[] directions = [.. known.Directions.SelectMany(direction => direction)];
        var products = b.Node("Gemm", [features, b.Floats(directions, known.Directions.Count, known.Directions[0].Length)],
            GraphBuilder.Integer("transB", 1));
        var length = b.Node("ReduceL2", [features], GraphBuilder.Integer("keepdims", 0));
        var nearest = b.Node("ReduceMax", [products], GraphBuilder.Integer("keepdims", 0));
        var cosine = b.Node("Div", [nearest, b.Node("Max", [length, b.Float(Tiny)])]);
        return b.Node("Where", [b.Node("Greater", [length, b.Float(0)]), cosine, b.Float(-1)]);
    }

    public static string Unknown(GraphBuilder b, NoveltyDetector known, string nearness) =>
        b.Node("Less", [nearness, b.Float((float)known.Threshold)]);

    private static string Layer(GraphBuilder b, DenseLayer layer, string input)
    {
        var weights = b.Floats(layer.Weights.Span, layer.Outputs, layer.Inputs);
        return b.Node("Gemm", [input, weights, b.Floats(layer.Bias.Span, layer.Outputs)], GraphBuilder.Integer("transB", 1));
    }
}
