using Google.Protobuf;
using Headstart.Learning.Onnx;

namespace Headstart.Learning.Tests.Onnx;

public sealed class OpsetUpgradeTests
{
    // Operators in the form of an old set, each on the maps [n, 6, 4, 4] of a small network, and the set.
    private static readonly Dictionary<string, (long Opset, Func<TinyNetwork, string, string> Layer)> Old = new()
    {
        ["Clip"] = (10, (n, x) => n.Op("Clip", [x], ("min", 0.1f), ("max", 0.4f))),
        ["Clip without a minimum"] = (7, (n, x) => n.Op("Clip", [x], ("max", 0.2f))),
        ["BatchNormalization"] = (7, (n, x) => n.Op("BatchNormalization", [x, n.Weight(6), n.Weight(6), n.Weight(6), n.Positive(6)],
        ("spatial", 1L))),
        ["BatchNormalization of 9"] = (9, (n, x) =>
        n.Op("BatchNormalization", [x, n.Weight(6), n.Weight(6), n.Weight(6), n.Positive(6)], ("momentum", 0.8f))),
        ["Dropout"] = (7, (n, x) => n.Op("Dropout", [x], ("ratio", 0.4f))),
        ["Dropout of 10"] = (10, (n, x) => n.Op("Dropout", [x], ("ratio", 0.4f))),
        ["Pad"] = (10, (n, x) => n.Op("Pad", [x], ("pads", new long[] { 0, 0, 1, 0, 0, 0, 2, 1 }), ("value", 0.3f))),
        ["Slice"] = (9, (n, x) => n.Op("Slice", [x], ("starts", new long[] { 1, 0 }), ("ends", new long[] { 5, 3 }),
        ("axes", new long[] { 1, 2 }))),
        ["Slice of all axes"] = (9, (n, x) => n.Op("Slice", [x], ("starts", new long[] { 0, 1 }), ("ends", new long[] { 2, 4 }))),
        ["Squeeze and Unsqueeze"] = (11, (n, x) =>
        n.Op("Squeeze", [n.Op("Unsqueeze", [x], ("axes", new long[] { 2 }))], ("axes", new long[] { 2 }))),
        ["Split"] = (11, (n, x) => n.Op("Split", [x], ("axis", 1L), ("split", new long[] { 6 }))),
        ["Split in equal parts"] = (13, (n, x) => n.Op("Split", [x], ("axis", 1L))),
        ["ReduceSum"] = (11, (n, x) => n.Op("ReduceSum", [x], ("axes", new long[] { 2, 3 }), ("keepdims", 1L))),
        ["ReduceMean"] = (17, (n, x) => n.Op("ReduceMean", [x], ("axes", new long[] { 2, 3 }), ("keepdims", 0L))),
        ["ReduceMax"] = (13, (n, x) => n.Op("ReduceMax", [x], ("axes", new long[] { -1 }))),
        ["ReduceL2 of all axes"] = (13, (n, x) => n.Op("ReduceL2", [x])),
        ["Softmax"] = (11, (n, x) => n.Op("Softmax", [x])),
        ["Softmax from the third axis on"] = (7, (n, x) => n.Op("Softmax", [x], ("axis", 2L))),
        ["Softmax over the last axis"] = (11, (n, x) => n.Op("LogSoftmax", [x], ("axis", -1L))),
        ["Softmax of 13"] = (13, (n, x) => n.Op("Softmax", [x], ("axis", 1L))),
    };

    public static TheoryData<string> Operators => [.. Old.Keys];

    [Theory]
    [MemberData(nameof(Operators))]
    public void An_operator_of_an_older_set_says_the_same_in_a_newer_one(string name)
    {
        var (opset, layer) = Old[name];
        var n = new TinyNetwork();
        n.Model.OpsetImport[0].Version = opset;
        var output = n.Op("Neg", [layer(n, n.Trunk())]);
        var before = TinyNetwork.WithOutputs(n.Model.ToByteArray(), [output]);

        var after = ModelProto.Parser.ParseFrom(before);
        OpsetUpgrade.Apply(after, 18);
        after.OpsetImport[0].Version = 18;

        var (shape, expected) = TinyNetwork.Run(before)[output];
        var (newShape, values) = TinyNetwork.Run(after.ToByteArray())[output];
        Assert.Equal(shape, newShape);
        Assert.Equal(expected, values);
    }

    [Theory]
    [InlineData("Upsample", 9, "Upsample")]
    [InlineData("Relu", 6, "operator set 6")]
    public void What_is_not_known_to_mean_the_same_is_refused(string op, long opset, string because)
    {
        var n = new TinyNetwork();
        n.Model.OpsetImport[0].Version = opset;
        var output = n.Op(op, [n.Trunk()]);
        n.Bytes(output, -1);
        Assert.Contains(because, Assert.Throws<OnnxModelException>(() => OpsetUpgrade.Apply(n.Model, 18)).Message);
    }
}
