using System.Security.Cryptography;
using Headstart.Learning.Backbones;
using Headstart.Learning.Imaging;
using Headstart.Learning.Onnx;

namespace Headstart.Learning.Tests.Onnx;

/// <summary>Networks in the shapes of today: token vectors, several outputs, two networks in one file, blue first.</summary>
public sealed class NetworkReadingTests
{
    [Theory]
    [InlineData(Pooling.Cls)]
    [InlineData(Pooling.Mean)]
    public void Token_vectors_become_one_as_the_manifest_says(Pooling pooling)
    {
        using var folder = new TestFolder();
        var n = new TinyNetwork();
        var bytes = n.Bytes(n.Norm(n.Tokens(), 6), -1, 16, 6);

        using var backbone = Open(folder, bytes, new(null, pooling));

        var (shape, tokens) = TinyNetwork.Run(bytes, count: 1).Values.Single();
        Assert.Equal([1, 16, 6], shape);
        var expected = Enumerable.Range(0, 6).Select(d => pooling is Pooling.Cls ? tokens[d]
            : Enumerable.Range(0, 16).Average(t => tokens[6 * t + d]));
        Assert.Equal(expected, backbone.Extract(Image(), 1)[0], (a, b) => Math.Abs(a - b) < 1e-5);
        Assert.EndsWith($"-{pooling.ToString().ToLowerInvariant()}", backbone.FeatureSpace, StringComparison.Ordinal);
        Assert.Null(backbone.Maps);
    }

    [Fact]
    public void Of_several_outputs_the_named_one_counts_even_if_it_ends_in_a_layer_like_a_classifiers()
    {
        using var folder = new TestFolder();
        var n = new TinyNetwork();
        var tokens = n.Norm(n.Tokens(), 6);
        var embedding = n.Op("MatMul", [n.Op("Gather", [tokens, n.Integers([0], [])], ("axis", 1L)), n.Weight(6, 5)]);
        n.Model.Graph.Output.Add([TinyNetwork.Value(tokens, -1, 16, 6), TinyNetwork.Value(embedding, -1, 5)]);
        var bytes = Google.Protobuf.MessageExtensions.ToByteArray(n.Model);

        using var backbone = Open(folder, bytes, new(embedding), features: 5);

        Assert.Equal(TinyNetwork.Run(bytes, count: 1)[embedding].Values, backbone.Extract(Image(), 1)[0], (a, b) => Math.Abs(a - b) < 1e-5);
        Assert.Contains("name it in 'output'", Refusal(folder, bytes, new()), StringComparison.Ordinal);
        Assert.Contains($"has no output 'pooler', but '{tokens}', '{embedding}'", Refusal(folder, bytes, new("pooler")),
            StringComparison.Ordinal);
        Assert.Contains("pooling needs [n, tokens, d]", Refusal(folder, bytes, new(embedding, Pooling.Mean)), StringComparison.Ordinal);
        Assert.Contains("set 'pooling' to", Refusal(folder, bytes, new(tokens)), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_an_image_text_pair_the_network_of_images_is_left()
    {
        using var folder = new TestFolder();
        var n = new TinyNetwork();
        var image = n.Flatten(n.Pool(n.Trunk()));
        n.Model.Graph.Input.Add(TinyNetwork.Value("input_ids", -1, 7));
        n.Model.Graph.Input[^1].Type.TensorType.ElemType = 7;
        var text = n.Op("ReduceMean", [n.Op("Gather", [n.Weight(9, 6), "input_ids"])], ("axes", new long[] { 1 }), ("keepdims", 0L));
        var logits = n.Op("MatMul", [image, n.Op("Transpose", [text])]);
        n.Model.Graph.Output.Add([TinyNetwork.Value(logits, -1, -1), TinyNetwork.Value(text, -1, 6), TinyNetwork.Value(image, -1, 6)]);
        var bytes = Google.Protobuf.MessageExtensions.ToByteArray(n.Model);

        using var backbone = Open(folder, bytes, new(image));

        Assert.Equal(6, backbone.Length);
        Assert.All(backbone.Extract(Image(), 1)[0], value => Assert.True(float.IsFinite(value)));
        Assert.Contains("2 inputs", Refusal(folder, bytes, new()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_network_that_wants_blue_first_gets_it()
    {
        using var folder = new TestFolder();
        var n = new TinyNetwork();
        var bytes = n.Bytes(n.Flatten(n.Pool(n.Trunk())), -1, 6);
        using var rgb = Open(folder, bytes, new());
        using var bgr = Open(folder, bytes, new(Channels: ChannelOrder.Bgr));
        var image = Image();
        var plane = TinyNetwork.Side * TinyNetwork.Side;
        float[] swapped = [.. image[(2 * plane)..], .. image[plane..(2 * plane)], .. image[..plane]];

        Assert.Equal(rgb.Extract(swapped, 1)[0], bgr.Extract(image, 1)[0], (a, b) => Math.Abs(a - b) < 1e-5);
        Assert.NotEqual(rgb.FeatureSpace, bgr.FeatureSpace);
        Assert.Equal(rgb.Sections, bgr.Sections);
    }

    [Fact]
    public void An_uploaded_network_says_the_same_in_its_fields()
    {
        using var folder = new TestFolder();
        var n = new TinyNetwork();
        var tokens = n.Norm(n.Tokens(), 6);
        n.Model.Graph.Output.Add([TinyNetwork.Value(n.Op("Relu", [tokens]), -1, 16, 6), TinyNetwork.Value(tokens, -1, 16, 6)]);
        File.WriteAllBytes(folder.File("vit.onnx"), Google.Protobuf.MessageExtensions.ToByteArray(n.Model));

        var manifest = BackboneCheck.Run(folder.File("vit.onnx"),
            new() { FileName = "vit.onnx", Output = tokens, Pooling = Pooling.Cls, Channels = ChannelOrder.Bgr });

        Assert.Equal(new NetworkReading(tokens, Pooling.Cls, ChannelOrder.Bgr), BackboneManifest.Parse(manifest.ToJson()).Reading);
        Assert.Equal(6, manifest.Features);
        Assert.Contains("the features in 'output'",
            Assert.Throws<BackboneException>(() => BackboneCheck.Run(folder.File("vit.onnx"), new() { FileName = "vit.onnx" })).Message,
            StringComparison.Ordinal);
    }

    private static float[] Image()
    {
        var random = new Random(2); // as TinyNetwork.Run
        return [.. Enumerable.Range(0, 3 * TinyNetwork.Side * TinyNetwork.Side).Select(_ => random.NextSingle())];
    }

    private static string Refusal(TestFolder folder, byte[] bytes, NetworkReading reading) =>
        Assert.Throws<BackboneException>(() => Open(folder, bytes, reading)).Message;

    private static Backbone Open(TestFolder folder, byte[] bytes, NetworkReading reading, int features = 6)
    {
        File.WriteAllBytes(folder.File("tiny.onnx"), bytes);
        return Backbone.Open(new(new BackboneManifest
        {
            Id = "tiny",
            Features = features,
            Preprocessing = new Preprocessing(TinyNetwork.Side, [0, 0, 0], [1, 1, 1]),
            Reading = reading,
            Source = "test",
            Licence = "MIT",
            Sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes)),
        }, folder.File("tiny.onnx")), threads: 1, stages: true);
    }
}
