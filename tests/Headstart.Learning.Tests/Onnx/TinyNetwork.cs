using Google.Protobuf;
using Headstart.Learning.Native;
using Headstart.Learning.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace Headstart.Learning.Tests.Onnx;

/// <summary>Writes small ONNX models with random weights, layer by layer, and runs models.</summary>
internal sealed class TinyNetwork
{
    public const int Side = 16;

    private readonly Random _random = new(1);
    private int _count;

    public TinyNetwork()
    {
        Model = new ModelProto
        {
            IrVersion = 8,
            Graph = new GraphProto { Name = "tiny" },
            OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 17 } }
        };
        Model.Graph.Input.Add(Value("image", -1, 3, Side, Side));
    }

    public ModelProto Model { get; }

    public string Op(string op, string[] inputs, params (string Name, object Value)[] attributes)
    {
        var output = $"{op.ToLowerInvariant()}_{_count++}";
        var node = new NodeProto { OpType = op, Name = output, Input = { inputs }, Output = { output } };
        node.Attribute.Add(attributes.Select(a => a.Value switch
        {
            long i => new AttributeProto { Name = a.Name, I = i, Type = 2 },
            float f => new AttributeProto { Name = a.Name, F = f, Type = 1 },
            long[] ints => new AttributeProto { Name = a.Name, Ints = { ints }, Type = 7 },
            _ => throw new NotSupportedException(),
        }));
        Model.Graph.Node.Add(node);
        return output;
    }

    public string Weight(params long[] dims)
    {
        var name = $"weight_{_count++}";
        var size = dims.Aggregate(1L, (product, dim) => product * dim);
        Model.Graph.Initializer.Add(new TensorProto
        {
            Name = name,
            DataType = 1,
            Dims = { dims },
            FloatData = { Enumerable.Range(0, (int)size).Select(_ => _random.NextSingle() - 0.4f) },
        });
        return name;
    }

    /// <summary>As <see cref="Weight"/>, all above zero.</summary>
    public string Positive(long size)
    {
        var name = Weight(size);
        var values = Model.Graph.Initializer[^1].FloatData;
        for (var i = 0; i < values.Count; i++)
        {
            values[i] += 0.5f;
        }

        return name;
    }

    public string Constant(float value)
    {
        var name = $"constant_{_count++}";
        Model.Graph.Initializer.Add(new TensorProto { Name = name, DataType = 1, FloatData = { value } });
        return name;
    }

    public string Integers(params long[] values) => Integers(values, [values.Length]);

    public string Integers(long[] values, long[] dims)
    {
        var name = $"integers_{_count++}";
        Model.Graph.Initializer.Add(new TensorProto { Name = name, DataType = 7, Dims = { dims }, Int64Data = { values } });
        return name;
    }

    public string Conv(string input, int from, int to, int kernel = 1, int stride = 1, int group = 1) => Op("Conv",
        [input, Weight(to, from / group, kernel, kernel), Weight(to)], ("kernel_shape", new long[] { kernel, kernel }),
        ("strides", new long[] { stride, stride }), ("group", (long)group),
        ("pads", new long[] { kernel / 2, kernel / 2, kernel / 2, kernel / 2 }));

    public string Relu(string input) => Op("Relu", [input]);

    public string Pool(string input) => Op("GlobalAveragePool", [input]);

    public string Flatten(string input) => Op("Flatten", [input], ("axis", 1L));

    public string Gemm(string input, int from, int to) => Op("Gemm", [input, Weight(to, from), Weight(to)], ("transB", 1L));

    /// <summary>Two strided convolutions: <c>[n, 6, 4, 4]</c>.</summary>
    public string Trunk() => Relu(Conv(Relu(Conv("image", 3, 4, kernel: 3, stride: 2)), 4, 6, kernel: 3, stride: 2));

    /// <summary>A patch embedding: <c>[n, 16, 6]</c>, 16 tokens.</summary>
    public string Tokens() => Op("Transpose",
        [Op("Reshape", [Op("Conv", ["image", Weight(6, 3, 4, 4), Weight(6)], ("strides", new long[] { 4, 4 })), Integers(0, 6, 16)])],
        ("perm", new long[] { 0, 2, 1 }));

    public string Norm(string input, int size) => Op("LayerNormalization", [input, Weight(size), Weight(size)], ("axis", -1L));

    public byte[] Bytes(string output, params long[] shape)
    {
        Model.Graph.Output.Add(Value(output, shape));
        return Model.ToByteArray();
    }

    /// <summary>The model's bytes with further tensors as outputs, whatever their shape.</summary>
    public static byte[] WithOutputs(byte[] bytes, IEnumerable<string> tensors)
    {
        var model = ModelProto.Parser.ParseFrom(bytes);
        model.Graph.Output.Add(tensors.Where(name => model.Graph.Output.All(output => output.Name != name))
            .Select(name => new ValueInfoProto
            {
                Name = name,
                Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = 1 } }
            }));
        return model.ToByteArray();
    }

    /// <summary>Outputs of two random images by name, <c>[values]</c>.</summary>
    public static Dictionary<string, (long[] Shape, float[] Values)> Run(byte[] model, int side = Side, int count = 2)
    {
        OnnxRuntime.EnsureLoaded();
        using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        using var session = new InferenceSession(model, options);
        var random = new Random(2);
        var image = Enumerable.Range(0, count * 3 * side * side).Select(_ => random.NextSingle()).ToArray();
        using var input = OrtValue.CreateTensorValueFromMemory(image, [count, 3, side, side]);
        using var run = new RunOptions();
        using var outputs = session.Run(run, session.InputNames, [input], session.OutputNames);
        return session.OutputNames.Zip(outputs).ToDictionary(pair => pair.First,
            pair => (pair.Second.GetTensorTypeAndShape().Shape, pair.Second.GetTensorDataAsSpan<float>().ToArray()));
    }

    public static ValueInfoProto Value(string name, params long[] shape) => new()
    {
        Name = name,
        Type = new TypeProto
        {
            TensorType = new TypeProto.Types.Tensor
            {
                ElemType = 1,
                Shape = new TensorShapeProto
                {
                    Dim = { shape.Select(size => size < 0 ? new TensorShapeProto.Types.Dimension { DimParam = "n" }
                        : new() { DimValue = size }) },
                },
            },
        },
    };
}
