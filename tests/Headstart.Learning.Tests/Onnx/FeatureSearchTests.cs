using Headstart.Learning.Onnx;

namespace Headstart.Learning.Tests.Onnx;

public sealed class FeatureSearchTests
{
    /// <summary>The ends of the networks in the catalogue, as small as they go: each returns its scores, and features for
    /// comparison.</summary>
    private static readonly Dictionary<string, Func<TinyNetwork, (string Scores, string Features, int Length)>> Endings = new()
    {
        ["resnet: pool, flatten, gemm"] = n => Head(n, n.Flatten(n.Pool(n.Trunk())), x => n.Gemm(x, 6, 5)),
        ["mean over places, matmul, add, softmax"] = n =>
        Head(n, n.Op("ReduceMean", [n.Trunk()], ("axes", new long[] { 2, 3 }), ("keepdims", 0L)),
            x => n.Op("Softmax", [n.Op("Add", [n.Op("MatMul", [x, n.Weight(6, 5)]), n.Weight(5)])])),
        ["sum over places, division, reshape, gemm"] = n => Head(n, n.Op("Reshape", [n.Op("Div", [n.Op("ReduceSum",
            [n.Trunk(), n.Integers(2, 3)], ("keepdims", 1L)), n.Weight(1)]), n.Integers(-1, 6)]), x => n.Gemm(x, 6, 5)),
        ["squeeze, bias first, identity"] = n => Head(n, n.Op("Squeeze", [n.Pool(n.Trunk()), n.Integers(2, 3)]),
            x => n.Op("Identity", [n.Op("Add", [n.Weight(5),
                n.Op("MatMul", [x, n.Op("Transpose", [n.Weight(5, 6)], ("perm", new long[] { 1, 0 }))])])])),
        ["efficientnet: pool, flatten, dropout, gemm"] = n =>
            Head(n, n.Flatten(n.Pool(n.Trunk())), x => n.Gemm(n.Op("Dropout", [x]), 6, 5)),
        ["mobilenetv3: pool, conv, hardswish, flatten, gemm"] = n => Head(n,
            n.Flatten(n.Op("HardSwish", [n.Conv(n.Pool(n.Trunk()), 6, 9)])), x => n.Gemm(x, 9, 5)),
        ["mobilenetv2 of 2018: pool, conv, reshape"] = n => Head(n, n.Pool(n.Trunk()),
            x => n.Op("Reshape", [n.Op("Conv", [x, n.Weight(5, 6, 1, 1)]), n.Integers(0, -1)])),
        ["convnext: pool, norm, flatten, gemm"] = n => Head(n, n.Flatten(n.Norm(n.Op("Transpose", [n.Pool(n.Trunk())],
            ("perm", new long[] { 0, 2, 3, 1 })), 6)), x => n.Gemm(x, 6, 5)),
        ["vit: norm, gather, gemm"] = n => Head(n, n.Op("Gather", [n.Norm(n.Tokens(), 6), n.Integers([0], [])], ("axis", 1L)), x =>
            n.Gemm(x, 6, 5)),
        ["vit: slice, squeeze, pre-logits, gemm"] = n => Head(n, n.Op("Tanh", [n.Gemm(n.Op("Squeeze", [n.Op("Slice",
            [n.Norm(n.Tokens(), 6), n.Integers(0), n.Integers(1), n.Integers(1)]), n.Integers(1)]), 6, 7)]), x => n.Gemm(x, 7, 5)),
    };

    public static TheoryData<string> Names => [.. Endings.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_input_of_the_classifier_is_found_and_cut_out(string ending)
    {
        var network = new TinyNetwork();
        var (scores, expected, length) = Endings[ending](network);
        var bytes = network.Bytes(scores, -1, 5);
        var graph = OnnxGraph.Parse(bytes);

        var found = graph.FindFeatures();

        Assert.Equal(expected, found.Name);
        Assert.Equal((length, true), (found.Length, found.Classifier));
        var whole = TinyNetwork.Run(TinyNetwork.WithOutputs(bytes, found.Tensors))[expected].Values;
        var cut = Assert.Single(TinyNetwork.Run(graph.Cut(found)));
        Assert.Equal("features", cut.Key);
        Assert.Equal([2, length], cut.Value.Shape);
        Assert.All(whole.Zip(cut.Value.Values), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        Assert.True(cut.Value.Values.Distinct().Count() > 2);
    }

    [Theory]
    [InlineData(true, false, 5)]
    [InlineData(false, true, 5)]
    [InlineData(false, false, 1000)]
    public void A_convolution_that_classifies_every_place_is_a_classifier(bool softmax, bool dropout, int classes)
    {
        var network = new TinyNetwork();
        var places = network.Trunk();
        var scores = network.Flatten(network.Pool(
            network.Relu(network.Conv(dropout ? network.Op("Dropout", [places]) : places, 6, classes))));
        var bytes = network.Bytes(softmax ? network.Op("Softmax", [scores]) : scores, -1, classes);
        var graph = OnnxGraph.Parse(bytes);

        var found = graph.FindFeatures();

        Assert.Equal((places, true, 6), (found.Name, found.Pool, found.Length));
        var map = TinyNetwork.Run(TinyNetwork.WithOutputs(bytes, [places]))[places].Values;
        var features = TinyNetwork.Run(graph.Cut(found))["features"].Values;
        Assert.All(map.Chunk(16).Zip(features), pair => Assert.Equal(pair.First.Average(), pair.Second, 1e-5));
    }

    [Fact]
    public void Two_averaged_classifiers_give_the_mean_of_their_inputs()
    {
        var n = new TinyNetwork();
        var tokens = n.Norm(n.Tokens(), 6);
        var one = n.Op("Gather", [tokens, n.Integers([0], [])], ("axis", 1L));
        var other = n.Op("Gather", [tokens, n.Integers([1], [])], ("axis", 1L));
        var bytes = n.Bytes(n.Op("Div", [n.Op("Add", [n.Gemm(one, 6, 5), n.Gemm(other, 6, 5)]), n.Weight()]), -1, 5);
        var graph = OnnxGraph.Parse(bytes);

        var found = graph.FindFeatures();

        Assert.Equal([one, other], found.Tensors);
        var whole = TinyNetwork.Run(TinyNetwork.WithOutputs(bytes, found.Tensors));
        var features = TinyNetwork.Run(graph.Cut(found))["features"].Values;
        Assert.All(features.Select((value, i) => (value, (whole[one].Values[i] + whole[other].Values[i]) / 2)),
            pair => Assert.Equal(pair.Item2, pair.value, 1e-5));
    }

    [Fact]
    public void A_network_without_a_classifier_is_left_alone()
    {
        var mobile = new TinyNetwork(); // a 1x1 convolution, an activation, pooling: like SqueezeNet's classifier, and no classifier
        var mobileOutput = mobile.Flatten(mobile.Pool(mobile.Op("Relu", [mobile.Conv(mobile.Trunk(), 6, 9)])));
        var residual = new TinyNetwork();
        var block = residual.Trunk();
        var residualOutput = residual.Flatten(residual.Pool(residual.Relu(residual.Op("Add", [block, residual.Conv(block, 6, 6)]))));

        Assert.Equal((mobileOutput, false, 9), Summary(OnnxGraph.Parse(mobile.Bytes(mobileOutput, -1, 9))));
        Assert.Equal((residualOutput, false, 6), Summary(OnnxGraph.Parse(residual.Bytes(residualOutput, -1, 6))));
    }

    [Fact]
    public void A_network_that_ends_in_a_map_is_pooled()
    {
        var network = new TinyNetwork();
        var graph = OnnxGraph.Parse(network.Bytes(network.Trunk(), -1, 6, 4, 4));

        var found = graph.FindFeatures();

        Assert.Equal((true, 6, false), (found.Pool, found.Length, found.Classifier));
        Assert.Equal([2, 6], TinyNetwork.Run(graph.Cut(found))["features"].Shape);
    }

    [Fact]
    public void Real_backbones_are_features_already()
    {
        foreach (var file in SharedData.Backbones())
        {
            var graph = OnnxGraph.Read(file.Path);
            var found = graph.FindFeatures();

            Assert.Equal(("features", false, file.Manifest.Features), (found.Name, found.Classifier, found.Length));
            Assert.Equal(File.ReadAllBytes(file.Path), graph.Cut(found));
        }
    }

    private static (string, bool, int?) Summary(OnnxGraph graph)
    {
        var found = graph.FindFeatures();
        return (found.Name, found.Classifier, found.Length);
    }

    private static (string, string, int) Head(TinyNetwork network, string features, Func<string, string> classifier)
    {
        var scores = classifier(features);
        var gemm = network.Model.Graph.Node.Last(node => node.OpType is "Gemm" or "MatMul" or "Conv");
        var shape = network.Model.Graph.Initializer.First(weight =>
            weight.Name == gemm.Input[1] || gemm.Input[1].StartsWith("transpose", StringComparison.Ordinal)
            && weight.Dims is [5, 6]).Dims;
        return (scores, features, (int)(gemm.OpType == "MatMul" && shape[0] != 5 ? shape[0] : shape[1]));
    }
}
