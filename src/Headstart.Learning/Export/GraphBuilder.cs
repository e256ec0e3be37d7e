using System.Runtime.InteropServices;
using Google.Protobuf;
using Headstart.Learning.Onnx;

namespace Headstart.Learning.Export;

/// <summary>Writes a graph node by node; every call returns the name of the tensor it made.</summary>
/// <param name="graph">Receives nodes and weights.</param>
/// <param name="prefix">Prefix of every name, so that several builders can write to one graph.</param>
internal sealed class GraphBuilder(GraphProto graph, string prefix)
{
    public const int Float32 = 1;
    public const int UInt8 = 2;
    public const int Int64 = 7;
    public const int Bool = 9;

    private int _count;

    public string Node(string op, IEnumerable<string> inputs, params ReadOnlySpan<AttributeProto> attributes)
    {
        var output = Name(op);
        graph.Node.Add(new NodeProto { OpType = op, Name = output, Input = { inputs }, Output = { output } });
        foreach (var attribute in attributes)
        {
            graph.Node[^1].Attribute.Add(attribute);
        }

        return output;
    }

    /// <summary>The largest values along the only axis, and their indices.</summary>
    /// <param name="values"><c>[n]</c></param>
    /// <param name="count">int64 <c>[1]</c></param>
    public (string Values, string Places) Largest(string values, string count)
    {
        var (largest, places) = (Name("largest"), Name("places"));
        graph.Node.Add(new NodeProto { OpType = "TopK", Name = largest, Input = { values, count }, Output = { largest, places } });
        return (largest, places);
    }

    public string Cast(string input, int type) => Node("Cast", [input], Integer("to", type));

    /// <summary>A float32 constant; a scalar without dimensions.</summary>
    public string Floats(ReadOnlySpan<float> values, params ReadOnlySpan<long> dims) =>
        Constant(Float32, MemoryMarshal.AsBytes(values), dims);

    public string Float(float value) => Floats([value]);

    /// <summary>A vector of int64.</summary>
    public string Integers(params ReadOnlySpan<long> values) => Constant(Int64, MemoryMarshal.AsBytes(values), [values.Length]);

    public string Integer(long value) => Constant(Int64, MemoryMarshal.AsBytes([value]), []);

    public void Output(string tensor, string name, int type, params ReadOnlySpan<long> dims)
    {
        graph.Node.Add(new NodeProto { OpType = "Identity", Name = prefix + name, Input = { tensor }, Output = { name } });
        graph.Output.Add(Value(name, type, dims));
    }

    public static AttributeProto Integer(string name, long value) => new() { Name = name, I = value, Type = 2 };

    public static AttributeProto Integers(string name, params ReadOnlySpan<long> values) =>
        new() { Name = name, Ints = { values.ToArray() }, Type = 7 };

    public static AttributeProto Text(string name, string value) => new() { Name = name, S = ByteString.CopyFromUtf8(value), Type = 3 };

    /// <summary>Declares a tensor; -1 for dynamic sizes.</summary>
    public static ValueInfoProto Value(string name, int type, params ReadOnlySpan<long> dims)
    {
        var shape = new TensorShapeProto();
        foreach (var size in dims)
        {
            shape.Dim.Add(size < 0 ? new TensorShapeProto.Types.Dimension { DimParam = $"{name}_{shape.Dim.Count}" }
                : new() { DimValue = size });
        }

        return new ValueInfoProto
        {
            Name = name,
            Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = type, Shape = shape } }
        };
    }

    private string Constant(int type, ReadOnlySpan<byte> raw, ReadOnlySpan<long> dims)
    {
        var name = Name("constant");
        graph.Initializer.Add(new TensorProto
        {
            Name = name,
            DataType = type,
            Dims = { dims.ToArray() },
            RawData = ByteString.CopyFrom(raw)
        });
        return name;
    }

    private string Name(string what) => $"{prefix}{what.ToLowerInvariant()}_{_count++}";
}
