using Headstart.Learning.Onnx;

namespace Headstart.Learning.Tests.Onnx;

public sealed class IntermediateCutTests
{
    [Fact]
    public void Stage_ends_of_a_residual_network_are_the_inputs_of_its_strided_blocks()
    {
        var n = new TinyNetwork();
        var first = n.Relu(n.Conv("image", 3, 8, kernel: 3, stride: 2));
        var second = n.Relu(n.Op("Add", [n.Conv(n.Conv(first, 8, 4), 4, 12, kernel: 3, stride: 2), n.Conv(first, 8, 12, stride: 2)]));
        var third = n.Relu(n.Conv(n.Conv(second, 12, 6), 6, 16, kernel: 3, stride: 2));
        var strided = n.Relu(n.Op("Add", [third, n.Conv(second, 12, 16, stride: 2)]));
        var bytes = n.Bytes(n.Gemm(n.Flatten(n.Pool(strided)), 16, 5), -1, 5);
        var graph = OnnxGraph.Parse(bytes);

        var cuts = graph.IntermediateCuts();

        Assert.Equal([(first, 8), (second, 12)], cuts.Select(cut => (cut.Name, cut.Length!.Value)));
        var whole = TinyNetwork.Run(TinyNetwork.WithOutputs(bytes, cuts.Select(cut => cut.Name)));
        Assert.All(cuts, cut =>
        {
            var (shape, values) = TinyNetwork.Run(graph.Cut(cut))["features"];
            Assert.Equal([2, cut.Length!.Value], shape);
            var map = whole[cut.Name];
            Assert.All(map.Values.Chunk((int)(map.Shape[2] * map.Shape[3])).Zip(values), p =>
                Assert.Equal(p.First.Average(), p.Second, 1e-4));
        });
    }

    [Fact]
    public void A_squeeze_and_excite_block_and_channels_last_layers_are_followed()
    {
        var n = new TinyNetwork();
        var first = n.Conv("image", 3, 8, kernel: 3, stride: 2);
        var scaled = n.Op("Mul", [first, n.Op("Sigmoid", [n.Conv(n.Pool(first), 8, 8)])]);
        var last = n.Op("Transpose", [scaled], ("perm", new long[] { 0, 2, 3, 1 }));
        var wide = n.Op("MatMul", [n.Norm(last, 8), n.Weight(8, 10)]);
        var back = n.Op("Transpose", [wide], ("perm", new long[] { 0, 3, 1, 2 }));
        var joined = n.Op("Concat", [scaled, back], ("axis", 1L));
        var output = n.Flatten(n.Pool(n.Conv(joined, 18, 4, kernel: 3, stride: 2)));

        Assert.Equal((joined, 18), OnnxGraph.Parse(n.Bytes(output, -1, 4)).IntermediateCuts().Select(cut => (cut.Name, cut.Length!.Value))
            .Single());
    }

    [Fact]
    public void A_transformer_has_no_stages()
    {
        var n = new TinyNetwork();
        var token = n.Op("Gather", [n.Norm(n.Tokens(), 6), n.Integers([0], [])], ("axis", 1L));

        Assert.Empty(OnnxGraph.Parse(n.Bytes(n.Gemm(token, 6, 5), -1, 5)).IntermediateCuts());
    }

    [Fact]
    public void Real_backbones_can_be_cut_at_each_stage()
    {
        foreach (var file in SharedData.Backbones())
        {
            var graph = OnnxGraph.Read(file.Path);
            var cuts = graph.IntermediateCuts();

            Assert.InRange(cuts.Count, 3, 4);
            foreach (var cut in cuts)
            {
                var bytes = graph.Cut(cut);
                var (shape, values) = TinyNetwork.Run(bytes, file.Manifest.Preprocessing.Size, count: 1)["features"];
                Assert.Equal([1, cut.Length!.Value], shape);
                Assert.True(values.All(float.IsFinite) && bytes.Length < file.Manifest.Bytes);
            }
        }
    }
}
