using Headstart.Learning.Onnx;

namespace Headstart.Learning.Tests.Onnx;

public sealed class TransformerLayersTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_inner_layer_lies_at_two_thirds_of_the_depth(bool oneOperator)
    {
        var network = new TinyNetwork();
        var normalised = new List<string>();
        for (var i = 0; i < 13; i++) // the embeddings, and twice in each of six layers
        {
            var dense = network.Op("Add", [network.Op("MatMul", ["x", network.Weight(8, 8)]), network.Weight(8)]);
            normalised.Add(oneOperator ? network.Op("LayerNormalization", [dense, network.Weight(8), network.Weight(8)])
                : network.Op("Add", [network.Op("Mul", [dense, network.Weight(8)]), network.Weight(8)]));
        }

        Assert.Equal(normalised[8], TransformerLayers.Inner(network.Model.Graph));
    }

    [Fact]
    public void A_graph_without_layers_has_no_inner_one() => Assert.Null(TransformerLayers.Inner(new TinyNetwork().Model.Graph));
}
