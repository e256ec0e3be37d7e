using Headstart.Learning.Backbones;
using Headstart.Learning.Explaining;
using Headstart.Learning.Heads;
using Headstart.Learning.Tests.Imaging;
using Headstart.Learning.Tests.Onnx;

namespace Headstart.Learning.Tests.Backbones;

public sealed class BackboneMapsTests
{
    [Fact]
    public void Every_section_of_the_real_backbones_has_a_map()
    {
        foreach (var file in SharedData.Backbones())
        {
            using var backbone = Backbone.Open(file, threads: 1, stages: true);

            Assert.Equal(backbone.Sections, backbone.Maps!.Sections);
            Assert.All(backbone.Maps.Extract(backbone.TestImage()), map =>
                Assert.Equal(map.Value.Channels * map.Value.Cells * map.Value.Cells, map.Value.Values.Length));
        }
    }

    [Fact]
    public void Many_threads_that_ask_at_once_get_the_same_session()
    {
        using var backbone = Backbone.Open(SharedData.Smallest(), threads: 1);
        var image = backbone.TestImage();
        var expected = backbone.Maps!.Extract(image).Single().Value.Values;
        using var other = Backbone.Open(SharedData.Smallest(), threads: 1);

        Parallel.For(0, 16, _ => Assert.Equal(expected, other.Maps!.Extract(image).Single().Value.Values));
        Assert.Same(other.Maps, other.Maps);
    }

    [Fact]
    public void A_network_with_a_classifier_behind_its_average_has_a_map()
    {
        using var folder = new TestFolder();
        using var backbone = Open(folder, OddNetworks.Classifier());

        var map = Assert.Single(backbone.Maps!.Extract(backbone.TestImage())).Value;

        Assert.Equal((6, 4), (map.Channels, map.Cells));
    }

    [Fact]
    public void A_transformer_has_none_and_no_heat_map()
    {
        using var folder = new TestFolder();
        using var backbone = Open(folder, Transformer());

        Assert.Null(backbone.Maps);
        Assert.Null(HeatMap.Of(Pictures.Png(20, 20, 1, 2, 3), FeatureRecipe.Of(backbone), Head(1, 2, 3, 4, 5, 6), 0));
    }

    [Fact]
    public void A_part_without_a_map_is_named_and_the_others_are_shown()
    {
        using var folder = new TestFolder();
        using var transformer = Open(folder, Transformer(), "transformer.onnx");
        using var convolutions = Open(folder, OddNetworks.Classifier(), "convolutions.onnx");
        var image = Pictures.Png(20, 20, 1, 2, 3);

        var alone = HeatMap.Of(image, FeatureRecipe.Of(convolutions), Head(1, 2, 3, 4, 5, 6), 0)!;
        var joined = HeatMap.Of(image, FeatureRecipe.Of(transformer) + FeatureRecipe.Of(convolutions),
            Head(9, 9, 9, 9, 9, 9, 1, 2, 3, 4, 5, 6), 0)!;

        Assert.Equal(alone.Evidence, joined.Evidence);
        Assert.Equal("transformer", Assert.Single(joined.Unseen).Id);
    }

    [Fact]
    public void Values_of_both_signs_add_up_to_the_score_too()
    {
        using var folder = new TestFolder();
        var n = new TinyNetwork();
        using var backbone = Open(folder, n.Bytes(n.Flatten(n.Pool(n.Conv(n.Trunk(), 6, 6))), -1, 6));
        var (image, recipe, head) = (SharedData.OddFile("flower.webp"), FeatureRecipe.Of(backbone), Head(1, -2, 3, 4, -5, 6));
        var map = Assert.Single(backbone.Maps!.Extract(backbone.TestImage())).Value;
        Assert.Contains(Enumerable.Range(0, 6), channel => map.Channel(channel).ToArray() is var values && values.Min() < 0
            && values.Max() > 0);

        var features = recipe.Extract(image);

        var score = features.Zip(head.Slope(features, 0), (feature, slope) => feature * slope).Sum();
        Assert.Equal(score, HeatMap.Of(image, recipe, head, 0)!.Evidence.Average(), 1e-4);
    }

    [Fact]
    public void A_tensor_whose_average_is_not_the_features_is_no_map()
    {
        using var folder = new TestFolder();
        using var backbone = Open(folder, OddNetworks.Ending((n, f) => n.Op("Sigmoid", [f])));

        Assert.Null(backbone.Maps);
    }

    [Fact]
    public void A_backbone_whose_file_has_gone_extracts_on_without_maps()
    {
        using var folder = new TestFolder();
        using var backbone = Open(folder, OddNetworks.Classifier());
        Directory.GetFiles(folder.Path, "*.onnx").ToList().ForEach(File.Delete);

        Assert.Null(backbone.Maps);
        Assert.Equal(6, backbone.Extract(backbone.TestImage(), 1)[0].Length);
    }

    private static Head Head(params float[] weights) =>
        new(["a", "b"], new DenseLayer(weights.Length, [.. weights, .. new float[weights.Length]], [0, 0]));

    /// <summary>Its features are one of its tokens.</summary>
    private static byte[] Transformer()
    {
        var n = new TinyNetwork();
        return n.Bytes(n.Op("Gather", [n.Norm(n.Tokens(), 6), n.Integers([0], [])], ("axis", 1L)), -1, 6);
    }

    private static Backbone Open(TestFolder folder, byte[] network, string name = "net.onnx")
    {
        File.WriteAllBytes(folder.File("upload"), network);
        var manifest = BackboneCheck.Run(folder.File("upload"), new() { FileName = name });
        return Backbone.Open(BackboneFolders.Place(folder.File("upload"), manifest, folder.Path), threads: 1);
    }
}
