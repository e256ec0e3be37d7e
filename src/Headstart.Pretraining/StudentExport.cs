using Google.Protobuf;
using Headstart.Learning.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Headstart.Pretraining;

/// <summary>Writes the student as ONNX: batch norm folded, weights as float16 that are widened once when the network is loaded.</summary>
internal static class StudentExport
{
    private const int Opset = 13;
    private const int IrVersion = 8;
    private const int Float = 1;
    private const int Half = 10;

    /// <summary>From <c>input [n, 3, h, w]</c> to <c>features [n, d]</c>; any height and width from 16 up.</summary>
    public static byte[] ToOnnx(Student student)
    {
        using var scope = NewDisposeScope();
        var graph = new GraphProto { Name = "student" };
        graph.Input.Add(Tensor("input", "n", 3, "h", "w"));
        graph.Output.Add(Tensor("features", "n", Student.Features));
        string before = "input", x = "input";
        foreach (var layer in student.Layers)
        {
            var after = Add(graph, layer, x, layer.Residual ? before : null);
            (before, x) = (x, after);
        }

        graph.Node.Add(new NodeProto { OpType = "GlobalAveragePool", Input = { x }, Output = { "pooled" } });
        graph.Node.Add(new NodeProto
        {
            OpType = "Flatten",
            Input = { "pooled" },
            Output = { "features" },
            Attribute = { new AttributeProto { Name = "axis", I = 1, Type = 2 } },
        });
        return new ModelProto
        {
            IrVersion = IrVersion,
            Graph = graph,
            OpsetImport = { new OperatorSetIdProto { Domain = "", Version = Opset } },
        }.ToByteArray();
    }

    private static string Add(GraphProto graph, StudentLayer layer, string input, string? shortcut)
    {
        var name = layer.GetName();
        var (weight, bias) = layer.Fold();
        var convolved = new NodeProto
        {
            OpType = "Conv",
            Input = { input, Weight(graph, $"{name}_weight", weight), Weight(graph, $"{name}_bias", bias) },
            Output = { $"{name}_conv" },
            Attribute =
            {
                new AttributeProto { Name = "kernel_shape", Ints = { layer.Kernel, layer.Kernel }, Type = 7 },
                new AttributeProto { Name = "strides", Ints = { layer.Stride, layer.Stride }, Type = 7 },
                new AttributeProto { Name = "pads", Ints = { Enumerable.Repeat((long)layer.Kernel / 2, 4) }, Type = 7 },
            },
        };
        graph.Node.Add(convolved);
        var sum = convolved.Output[0];
        if (shortcut is not null)
        {
            graph.Node.Add(new NodeProto { OpType = "Add", Input = { sum, shortcut }, Output = { $"{name}_sum" } });
            sum = $"{name}_sum";
        }

        graph.Node.Add(new NodeProto { OpType = "Relu", Input = { sum }, Output = { name } });
        return name;
    }

    private static string Weight(GraphProto graph, string name, Tensor values)
    {
        using var half = values.to(float16).contiguous();
        var weight = new TensorProto { Name = $"{name}_half", DataType = Half, RawData = ByteString.CopyFrom(half.bytes) };
        weight.Dims.AddRange(values.shape);
        graph.Initializer.Add(weight);
        graph.Node.Add(new NodeProto
        {
            OpType = "Cast",
            Input = { weight.Name },
            Output = { name },
            Attribute = { new AttributeProto { Name = "to", I = Float, Type = 2 } },
        });
        return name;
    }

    private static ValueInfoProto Tensor(string name, params object[] sizes)
    {
        var shape = new TensorShapeProto();
        shape.Dim.AddRange(sizes.Select(size => size is int fixedSize
            ? new TensorShapeProto.Types.Dimension { DimValue = fixedSize }
            : new TensorShapeProto.Types.Dimension { DimParam = (string)size }));
        return new ValueInfoProto
        {
            Name = name,
            Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = Float, Shape = shape } },
        };
    }
}
