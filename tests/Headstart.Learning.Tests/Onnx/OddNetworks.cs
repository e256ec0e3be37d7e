using Google.Protobuf;
using Headstart.Learning.Onnx;

namespace Headstart.Learning.Tests.Onnx;

/// <summary>Networks as people have them, and as they should not be.</summary>
internal static class OddNetworks
{
    /// <summary>Features of six numbers with a classifier of five classes behind them.</summary>
    public static byte[] Classifier(Action<TinyNetwork>? change = null)
    {
        var n = new TinyNetwork();
        var scores = n.Gemm(n.Flatten(n.Pool(n.Trunk())), 6, 5);
        change?.Invoke(n);
        return n.Bytes(scores, -1, 5);
    }

    /// <summary>Ends in six features, with a last layer of the test's own.</summary>
    public static byte[] Ending(Func<TinyNetwork, string, string> last)
    {
        var n = new TinyNetwork();
        return n.Bytes(last(n, n.Flatten(n.Pool(n.Trunk()))), -1, 6);
    }

    public static byte[] WithInput(params long[] shape) => Classifier(n => n.Model.Graph.Input[0] = TinyNetwork.Value("image", shape));

    /// <summary>What each refused file is, the file, and what the refusal says of it.</summary>
    public static IReadOnlyDictionary<string, (byte[] File, string Because)> Refused { get; } = new Dictionary<string, (byte[], string)>
    {
        ["nothing"] = ([], "it has no graph"),
        ["text"] = ([.. "this is no network"u8], "not an ONNX model"),
        ["random bytes"] = (Noise(5_000), "not an ONNX model"),
        ["half a file"] = (Classifier()[..1_000], "is damaged"),
        ["weights elsewhere"] = (Classifier(n =>
        {
            n.Model.Graph.Initializer[0].FloatData.Clear();
            n.Model.Graph.Initializer[0].DataLocation = 1;
            n.Model.Graph.Initializer[0].ExternalData.Add(new StringStringEntryProto { Key = "location", Value = "/etc/passwd" });
        }), "stores weights in other files"),
        ["two inputs"] = (Classifier(n => n.Model.Graph.Input.Add(TinyNetwork.Value("mask", -1, 1))), "has 2 inputs"),
        ["colours last"] = (WithInput(-1, 16, 16, 3), "with colour channels last"),
        ["one colour"] = (WithInput(-1, 1, 16, 16), "[n, 3, S, S] is required"),
        ["batches of eight"] = (WithInput(8, 3, 16, 16), "[n, 3, S, S] is required"),
        ["not square"] = (WithInput(-1, 3, 16, 32), "[n, 3, S, S] is required"),
        ["of no fixed size"] = (WithInput(-1, 3, -1, -1), "give it in 'size'"),
        ["for gigantic pictures"] = (WithInput(-1, 3, 1_000_000, 1_000_000), "input images have 1000000 pixels"),
        ["of bytes"] = (Classifier(n => n.Model.Graph.Input[0].Type.TensorType.ElemType = 2), "float32"),
        ["a gigantic weight"] = (Classifier(n => n.Model.Graph.Initializer[0].Dims[0] = 1L << 40), "cannot be used"),
        // 400 TB: more than a process can address, so that nobody's memory is filled.
        ["a gigantic tensor inside"] = (Ending((n, f) =>
            n.Op("Add", [f, n.Op("ReduceMax", [n.Op("Expand", [f, n.Integers(20_000_000_000_000, 6)])])])), "cannot be used"),
        ["an unknown operator"] = (Ending((n, f) => n.Op("Frobnicate", [f])), "Frobnicate"),
        ["features that are no numbers"] = (Ending((n, f) => n.Op("Sqrt", [n.Op("Neg", [n.Op("Exp", [f])])])), "not finite"),
        ["features that are always the same"] =
            (Ending((n, f) => n.Op("Exp", [n.Op("Min", [f, n.Constant(-1)])])), "the same for every image"),
        ["features at random"] = (Ending((n, f) => n.Op("Add", [f, n.Op("RandomNormalLike", [f])])), "for the same image vary"),
    };

    private static byte[] Noise(int length)
    {
        var bytes = new byte[length];
        new Random(7).NextBytes(bytes);
        return bytes;
    }
}
