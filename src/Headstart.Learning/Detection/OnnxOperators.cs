using Headstart.Learning.Export;
using Headstart.Learning.Onnx;

namespace Headstart.Learning.Detection;

/// <summary>Writes the head into an ONNX graph; values are node names.</summary>
/// <param name="b">Receives the nodes.</param>
/// <param name="parameters">Parameters of the network.</param>
internal sealed class OnnxOperators(GraphBuilder b, float[] parameters) : IHeadOperators<string>
{
    public string Convolve(string input, HeadLayer layer)
    {
        var weights = b.Floats(parameters.AsSpan(layer.Offset, layer.Weights), layer.Shape);
        var bias = b.Floats(parameters.AsSpan(layer.Offset + layer.Weights, layer.Outputs), layer.Outputs);
        var padding = layer.Kernel / 2;
        return b.Node("Conv", [input, weights, bias], GraphBuilder.Integers("kernel_shape", layer.Kernel, layer.Kernel),
            GraphBuilder.Integers("pads", padding, padding, padding, padding),
            GraphBuilder.Integer("group", layer.PerChannel ? layer.Inputs : 1));
    }

    public string Rectify(string input) => b.Node("Relu", [input]);

    public string Normalise(string input)
    {
        var mean = b.Node("ReduceMean", [b.Node("Mul", [input, input]), b.Integers(1)], GraphBuilder.Integer("keepdims", 1));
        return b.Node("Div", [input, b.Node("Sqrt", [b.Node("Add", [mean, b.Float(TrainingDefaults.LeastSquare)])])]);
    }

    public string Double(string input) => b.Node("Resize", [input, "", b.Floats([1, 1, 2, 2], 4)],
        GraphBuilder.Text("mode", "nearest"), GraphBuilder.Text("nearest_mode", "floor"),
        GraphBuilder.Text("coordinate_transformation_mode", "asymmetric"));

    public string Add(string one, string other) => b.Node("Add", [one, other]);

    public string Join(IReadOnlyList<string> maps) =>
        b.Node("Concat", maps.Select(map => b.Node("Reshape", [map, b.Integers(0, 0, -1)])), GraphBuilder.Integer("axis", 2));

    /// <summary>The head alone, for ONNX Runtime. Inputs: maps <c>[1, c, h, w]</c>. Outputs: logits <c>[1, k, places]</c> and sides
    /// <c>[1, 4, places]</c>.</summary>
    public static ModelProto Model(HeadNetwork network, float[] parameters)
    {
        var graph = new GraphProto { Name = "head" };
        string[] maps = [.. DetectorBackbone.Strides.Select(stride => $"map{stride}")];
        graph.Input.Add(maps.Zip(network.Inputs, (name, channels) => GraphBuilder.Value(name, GraphBuilder.Float32, 1, channels, -1, -1)));
        var b = new GraphBuilder(graph, "head/");
        var (scores, sides) = network.Run(new OnnxOperators(b, parameters), maps);
        b.Output(scores, "scores", GraphBuilder.Float32, 1, network.Categories, -1);
        b.Output(sides, "sides", GraphBuilder.Float32, 1, 4, -1);
        return new ModelProto
        {
            IrVersion = 8,
            ProducerName = "Headstart",
            Graph = graph,
            OpsetImport = { new OperatorSetIdProto { Version = 18 } },
        };
    }
}
