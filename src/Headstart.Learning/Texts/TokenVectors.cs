using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text.Json;
using Google.Protobuf;
using Headstart.Learning.Onnx;

namespace Headstart.Learning.Texts;

/// <summary>
/// Static token vectors (Model2Vec): a table with a vector for each token. The vector of a text is the mean of its tokens' vectors, scaled
/// to length 1. The file is in the safetensors format: a 64-bit length, a JSON header of that length, and the values
/// (https://huggingface.co/docs/safetensors).
/// </summary>
/// <param name="Values">The table, row by row, little-endian.</param>
/// <param name="Type">The type of a value: F32, F16 or BF16.</param>
/// <param name="Tokens">Number of tokens.</param>
/// <param name="Length">Length of a vector.</param>
internal sealed record TokenVectors(FilePart Values, string Type, int Tokens, int Length)
{
    public const string Extension = ".safetensors";

    private const long MostHeader = 1 << 24;
    private const long MostValues = 1 << 28; // an ONNX file has less than 2 GB

    private static readonly string[] Names = ["embeddings", "embedding.weight"]; // of Model2Vec and of sentence-transformers
    private static readonly string[] Unsupported = ["weights", "mapping"]; // of Model2Vec's smaller vocabularies

    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Reads the header.</summary>
    /// <exception cref="TextFeaturesException">There is no usable table; the message says why.</exception>
    public static TokenVectors Find(string path)
    {
        var file = FilePart.Whole(path);
        using var reader = new BinaryReader(file.Open());
        var header = file.Length < sizeof(long) ? -1 : reader.ReadInt64();
        var start = sizeof(long) + header;
        if (header is < 0 or > MostHeader || start > file.Length)
        {
            throw new TextFeaturesException("it is not a safetensors file: its first eight bytes are not the length of its header");
        }

        var tensors = Tensors(reader.ReadBytes((int)header));
        if (Unsupported.FirstOrDefault(tensors.ContainsKey) is { } other)
        {
            throw new TextFeaturesException($"its tensor '{other}' is not supported, only a vector per token");
        }

        var table = Names.Select(name => tensors.GetValueOrDefault(name)).FirstOrDefault(tensor => tensor is not null)
            ?? throw new TextFeaturesException($"it has no tensor '{Names[0]}' or '{Names[1]}', so these are no static token vectors");
        if (Size(table.Dtype) is not { } size)
        {
            throw new TextFeaturesException($"its values have the type '{table.Dtype}'; supported are F32, F16 and BF16");
        }

        if (table.Shape is not [> 0 and <= MostValues and var tokens, > 0 and <= MostValues and var length]
            || (tokens + 1) * length > MostValues)
        {
            throw new TextFeaturesException($"its table has the shape [{string.Join(", ", table.Shape ?? [])}]; tokens x values is "
                + $"required, at most {MostValues} values");
        }

        return table.DataOffsets is [>= 0 and var from, var to] && to <= file.Length - start && to - from == tokens * length * size
            ? new(new(path, start + from, to - from), table.Dtype!, (int)tokens, (int)length)
            : throw new TextFeaturesException($"it does not contain the {tokens} x {length} values that its header promises");
    }

    /// <summary>
    /// The same as a network in ONNX: <c>[1, tokens]</c> in, <c>[1, d]</c> out. The table has a row of zeros after its last one, for texts
    /// without a known token.
    /// </summary>
    /// <exception cref="TextFeaturesException">A value is not a number.</exception>
    public byte[] ToOnnx()
    {
        var table = new TensorProto
        {
            Name = "table",
            DataType = 1,
            Dims = { Tokens + 1, Length },
            RawData = UnsafeByteOperations.UnsafeWrap(MemoryMarshal.AsBytes(Rows().AsSpan()).ToArray()),
        };
        var graph = new GraphProto
        {
            Name = "token vectors",
            Initializer = { table },
            Input = { Value("input_ids", type: 7, new() { DimValue = 1 }, new() { DimParam = "tokens" }) },
            Output = { Value("sentence", type: 1, new() { DimValue = 1 }, new() { DimValue = Length }) },
            Node =
            {
                new NodeProto { OpType = "Gather", Input = { table.Name, "input_ids" }, Output = { "vectors" } },
                new NodeProto
                {
                    OpType = "ReduceMean", Input = { "vectors" }, Output = { "mean" },
                    Attribute =
                    {
                        new AttributeProto { Name = "axes", Ints = { 1 }, Type = 7 },
                        new AttributeProto { Name = "keepdims", I = 0, Type = 2 },
                    },
                },
                new NodeProto { OpType = "LpNormalization", Input = { "mean" }, Output = { "sentence" } },
            },
        };
        return new ModelProto { IrVersion = 8, OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 17 } }, Graph = graph }
            .ToByteArray();
    }

    private static Dictionary<string, Tensor?> Tensors(byte[] header)
    {
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, Tensor?>>(header, Options) ?? [];
        }
        catch (JsonException exception)
        {
            throw new TextFeaturesException($"it is not a safetensors file: its header is not valid JSON "
                + $"({exception.Message.TrimEnd('.')})", exception);
        }
    }

    private static int? Size(string? type) => type switch { "F32" => 4, "F16" or "BF16" => 2, _ => null };

    private static ValueInfoProto Value(string name, int type, params TensorShapeProto.Types.Dimension[] shape) => new()
    {
        Name = name,
        Type = new() { TensorType = new() { ElemType = type, Shape = new() { Dim = { shape } } } },
    };

    private float[] Rows()
    {
        var bytes = Values.ReadAll();
        var rows = new float[(Tokens + 1) * Length];
        switch (Type)
        {
            case "F32":
                MemoryMarshal.Cast<byte, float>(bytes).CopyTo(rows);
                break;
            case "F16":
                TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(bytes), rows);
                break;
            default: // BF16: the upper half of a float
                foreach (var (i, upper) in MemoryMarshal.Cast<byte, ushort>(bytes).ToArray().Index())
                {
                    rows[i] = BitConverter.UInt32BitsToSingle((uint)upper << 16);
                }

                break;
        }

        return Array.TrueForAll(rows, float.IsFinite) ? rows
            : throw new TextFeaturesException("its table contains a value that is not a number");
    }

    private sealed record Tensor(string? Dtype, long[]? Shape, long[]? DataOffsets);
}
