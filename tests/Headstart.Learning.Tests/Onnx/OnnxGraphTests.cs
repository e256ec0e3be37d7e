using Google.Protobuf;
using Headstart.Learning.Onnx;

namespace Headstart.Learning.Tests.Onnx;

public sealed class OnnxGraphTests
{
    [Fact]
    public void What_our_messages_do_not_name_survives()
    {
        var model = ModelProto.Parser.ParseFrom([.. Whole(), 0x12, 4, .. "mine"u8]); // field 2: producer_name
        var graph = OnnxGraph.Parse(model.ToByteArray());

        var cut = graph.Cut(graph.FindFeatures());

        Assert.True(cut.AsSpan().IndexOf("\u0012\u0004mine"u8) >= 0);
    }

    [Fact]
    public void What_the_features_do_not_need_is_left_out()
    {
        var whole = Whole();
        var graph = OnnxGraph.Parse(whole);

        var cut = ModelProto.Parser.ParseFrom(graph.Cut(graph.FindFeatures())).Graph;

        Assert.DoesNotContain(cut.Node, node => node.OpType == "Gemm");
        Assert.Equal(4, cut.Initializer.Count);
        Assert.Equal("features", Assert.Single(cut.Output).Name);
        Assert.Equal(ModelProto.Parser.ParseFrom(whole).Graph.Input, cut.Input);
    }

    [Fact]
    public void A_tensor_that_has_the_name_of_our_output_already_is_no_obstacle()
    {
        var n = new TinyNetwork();
        var map = n.Trunk();
        var model = n.Model;
        model.Graph.Node[1].Output[0] = model.Graph.Node[2].Input[0] = "features";
        var graph = OnnxGraph.Parse(n.Bytes(n.Gemm(n.Flatten(n.Pool(map)), 6, 5), -1, 5));

        Assert.Equal([2, 6], TinyNetwork.Run(graph.Cut(graph.FindFeatures()))["features"].Shape);
        var inner = new FeatureTensor(["features"], Pool: true, 4, Classifier: false);
        Assert.Equal([2, 4], TinyNetwork.Run(graph.Cut(inner))["features"].Shape);
    }

    [Fact]
    public void A_tensor_the_graph_does_not_make_is_refused()
    {
        var graph = OnnxGraph.Parse(Whole());
        var weight = ModelProto.Parser.ParseFrom(Whole()).Graph.Initializer[0].Name;

        Assert.Throws<OnnxModelException>(() => graph.Cut(new FeatureTensor(["nothing"], false, 1, false)));
        Assert.Throws<OnnxModelException>(() => graph.Cut(new FeatureTensor([weight], false, 1, false)));
    }

    [Fact]
    public void A_damaged_file_never_does_worse_than_an_exception_of_ours()
    {
        var whole = Whole();
        var random = new Random(3);
        for (var i = 0; i < 3000; i++)
        {
            var bytes = whole.ToArray();
            switch (i % 3)
            {
                case 0:
                    bytes = bytes[..random.Next(bytes.Length)];
                    break;
                case 1:
                    random.NextBytes(bytes.AsSpan(0, random.Next(1, 200)));
                    break;
                default:
                    bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                    bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                    break;
            }

            UseEverything(bytes);
        }
    }

    [Theory]
    [InlineData(new byte[0], "no graph")]
    [InlineData(new byte[] { 0x3a, 0xff, 0xff, 0xff, 0xff, 0x07, 1 }, "not an ONNX model")] // a graph of 2 GiB
    [InlineData(new byte[] { 0x3a, 0 }, "no nodes")]
    public void Bytes_that_are_no_model_are_refused(byte[] bytes, string because) => Refused(bytes, because);

    [Fact]
    public void Graphs_that_cannot_be_walked_are_refused()
    {
        Refused(Changed(graph => graph.Node[0].Input[0] = graph.Node[^1].Output[0]), "cycle");
        Refused(Changed(graph => graph.Node[1].Output[0] = graph.Node[0].Output[0]), "produced twice");
        Refused(Changed(graph => { graph.Node[^1].Input.RemoveAt(2); graph.Node[^1].Input.RemoveAt(1); }), "fewer inputs");
        Refused(Changed(graph => graph.Output.Clear()), "no outputs");
        Refused(Changed(graph => graph.Output[0].Name = "nothing"), "No node produces");
        Refused(Changed(graph => graph.Input.Add(new ValueInfoProto { Name = "second" })), "2 inputs");
        Refused(Changed(graph => graph.Initializer[0].DataLocation = 1), "other files");
        var elsewhere = new TensorProto { ExternalData = { new StringStringEntryProto { Key = "location", Value = "/etc/passwd" } } };
        var inner = new AttributeProto { Name = "inner", G = new GraphProto { Initializer = { elsewhere } } };
        var sparse = new SparseTensorProto { Values = new TensorProto(), Indices = elsewhere };
        Refused(Changed(graph => graph.Node[0].Attribute.Add(inner)), "other files");
        Refused(Changed(graph => graph.SparseInitializer.Add(sparse)), "other files");
        Refused(Changed(graph => graph.Node[0].Attribute.Add(new AttributeProto { Name = "sparse_value", SparseTensor = sparse })),
            "other files");
        var function = ModelProto.Parser.ParseFrom(Whole());
        function.Functions.Add(new FunctionProto { Name = "f", Node = { new NodeProto { OpType = "If", Attribute = { inner } } } });
        Refused(function.ToByteArray(), "other files");
    }

    [Fact]
    public void A_chain_of_many_layers_does_not_exhaust_the_stack()
    {
        var n = new TinyNetwork();
        var tensor = n.Flatten(n.Pool(n.Trunk()));
        for (var i = 0; i < 200_000; i++)
        {
            tensor = n.Op("Identity", [tensor]);
        }

        Assert.Equal(6, OnnxGraph.Parse(n.Bytes(tensor, -1, 6)).FindFeatures().Length);
    }

    [Fact]
    public void A_missing_file_is_refused_with_a_sentence()
    {
        using var folder = new TestFolder();

        Assert.Contains("cannot be read", Assert.Throws<OnnxModelException>(() => OnnxGraph.Read(folder.File("none.onnx"))).Message,
            StringComparison.Ordinal);
    }

    private static byte[] Whole()
    {
        var n = new TinyNetwork();
        return n.Bytes(n.Gemm(n.Flatten(n.Pool(n.Trunk())), 6, 5), -1, 5);
    }

    private static byte[] Changed(Action<GraphProto> change)
    {
        var model = ModelProto.Parser.ParseFrom(Whole());
        change(model.Graph);
        return model.ToByteArray();
    }

    private static void Refused(byte[] bytes, string because) =>
        Assert.Contains(because, Assert.Throws<OnnxModelException>(() => OnnxGraph.Parse(bytes)).Message, StringComparison.Ordinal);

    private static void UseEverything(byte[] bytes)
    {
        try
        {
            var graph = OnnxGraph.Parse(bytes);
            foreach (var cut in graph.IntermediateCuts().Append(graph.FindFeatures()))
            {
                graph.Cut(cut);
            }
        }
        catch (OnnxModelException)
        {
        }
    }
}
