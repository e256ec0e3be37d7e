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

    /// <summary>From <c>input [n, 3, h, w]</c> to <c>features [n, d]</c>; any height and width.</summary>
    public static byte[] ToOnnx(Student student)
    {
        using var scope = NewDisposeScope();
        var graph = new GraphProto { Name = "student" };
        graph.Input.Add(Tensor("input", "n", 3, "h", "w"));
        graph.Output.Add(Tensor("features", "n", student.Features));
        foreach (var step in student.Steps)
        {
            Add(graph, student, step);
        }

        graph.Node.Add(new NodeProto { OpType = "GlobalAveragePool", Input = { student.Steps[^1].Output }, Output = { "pooled" } });
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

    private static void Add(GraphProto graph, Student student, StudentStep step)
    {
        var made = step.Limits is null ? step.Output : $"{step.Output}_unlimited";
        graph.Node.Add(step.Convolution is { } convolution
            ? Convolve(graph, student.Layer(step), convolution, step.Inputs[0], made)
            : new NodeProto { OpType = "Add", Input = { step.Inputs }, Output = { made } });
        if (step.Limits is (0, float.PositiveInfinity))
        {
            graph.Node.Add(new NodeProto { OpType = "Relu", Input = { made }, Output = { step.Output } });
        }
        else if (step.Limits is { } limits)
        {
            graph.Node.Add(new NodeProto
            {
                OpType = "Clip",
                Input = { made, Number(graph, $"{step.Output}_low", limits.Low), Number(graph, $"{step.Output}_high", limits.High) },
                Output = { step.Output },
            });
        }
    }

    private static NodeProto Convolve(GraphProto graph, StudentLayer layer, Convolution convolution, string input, string output)
    {
        var (weight, bias) = layer.Fold();
        return new NodeProto
        {
            OpType = "Conv",
            Input = { input, Weight(graph, $"{output}_weight", weight), Weight(graph, $"{output}_bias", bias) },
            Output = { output },
            Attribute =
            {
                new AttributeProto { Name = "kernel_shape", Ints = { convolution.Kernel, convolution.Kernel }, Type = 7 },
                new AttributeProto { Name = "strides", Ints = { convolution.Stride, convolution.Stride }, Type = 7 },
                new AttributeProto { Name = "pads", Ints = { Enumerable.Repeat((long)convolution.Padding, 4) }, Type = 7 },
                new AttributeProto { Name = "group", I = convolution.Groups, Type = 2 },
            },
        };
    }

    private static string Number(GraphProto graph, string name, float value)
    {
        graph.Initializer.Add(new TensorProto
        {
            Name = name,
            DataType = Float,
            RawData = ByteString.CopyFrom(BitConverter.GetBytes(value))
        });
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
