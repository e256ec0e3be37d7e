using Headstart.Learning.Backbones;
using Headstart.Learning.Imaging;

namespace Headstart.Learning.Tests.Backbones;

public sealed class BackboneTests
{
    [Fact]
    public void Every_backbone_gives_as_many_features_as_it_says()
    {
        foreach (var file in SharedData.Backbones())
        {
            using var backbone = Backbone.Open(file, threads: 2);
            var features = backbone.Extract(Photograph(file.Manifest.Preprocessing), 1);

            Assert.Equal(file.Manifest.Features, Assert.Single(features).Length);
            Assert.True(features[0].Distinct().Count() > 100);
        }
    }

    [Fact]
    public void An_image_has_the_same_features_alone_in_a_batch_and_among_threads()
    {
        using var backbone = Backbone.Open(SharedData.Smallest(), threads: 1);
        var p = backbone.Manifest.Preprocessing;
        var image = Photograph(p);
        var alone = backbone.Extract(image, 1)[0];

        var batch = new float[3 * p.Length];
        image.CopyTo(batch, p.Length);
        Assert.Equal(0, LargestDifference(alone, backbone.Extract(batch, 3)[1]), 1e-4);
        Parallel.For(0, 16, _ => Assert.Equal(alone, backbone.Extract(image, 1)[0]));
    }

    [Fact]
    public void The_feature_space_names_file_and_preprocessing()
    {
        using var backbone = Backbone.Open(SharedData.Backbones().Single(file => file.Manifest.Id == "mobilenetv2-1.0"), threads: 1);

        Assert.Equal("mobilenetv2-1.0-6ccce5bfdf99-centre224-a0bc4571-v2", backbone.FeatureSpace);
    }

    [Fact]
    public void The_time_an_image_takes_is_measured_on_request()
    {
        using var backbone = Backbone.Open(SharedData.Smallest(), threads: 1);
        Assert.Equal(0, backbone.MsPerImage);

        backbone.Measure();

        Assert.True(backbone.MsPerImage > 0);
    }

    [Fact]
    public void A_batch_of_the_wrong_size_is_refused()
    {
        using var backbone = Backbone.Open(SharedData.Smallest(), threads: 1);

        Assert.Throws<ArgumentException>(() => backbone.Extract(new float[10], 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => backbone.Extract(Array.Empty<float>(), 0));
    }

    [Fact]
    public void A_file_that_is_no_network_is_refused_with_a_sentence()
    {
        using var folder = new TestFolder();
        File.WriteAllText(folder.File("text.onnx"), "this is no network");
        var manifest = SharedData.Smallest().Manifest;

        var exception = Assert.Throws<BackboneException>(() => Backbone.Open(new(manifest, folder.File("text.onnx")), threads: 1));

        Assert.StartsWith("The backbone 'squeezenet1.1' cannot be used", exception.Message, StringComparison.Ordinal);
        Assert.Throws<BackboneException>(() => Backbone.Open(new(manifest, folder.File("missing.onnx")), threads: 1));
    }

    [Fact]
    public void A_network_unlike_its_manifest_is_refused()
    {
        var (manifest, path) = SharedData.Smallest();

        var features = Assert.Throws<BackboneException>(() => Backbone.Open(new(manifest with { Features = 500 }, path), threads: 1));
        var size = Assert.Throws<BackboneException>(() =>
            Backbone.Open(new(manifest with { Preprocessing = manifest.Preprocessing with { Size = 160 } }, path), threads: 1));

        Assert.Contains("512 features", features.Message, StringComparison.Ordinal);
        Assert.Contains("160", size.Message, StringComparison.Ordinal);
    }

    private static float[] Photograph(Preprocessing p)
    {
        var chw = new float[p.Length];
        ImageReader.Preprocess(SharedData.OddFile("flower.webp"), p, chw);
        return chw;
    }

    private static float LargestDifference(float[] one, float[] other) => one.Zip(other, (a, b) => Math.Abs(a - b)).Max();
}
