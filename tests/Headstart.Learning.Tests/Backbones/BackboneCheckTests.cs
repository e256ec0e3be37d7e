using Headstart.Learning.Backbones;
using Headstart.Learning.Tests.Onnx;

namespace Headstart.Learning.Tests.Backbones;

public sealed class BackboneCheckTests
{
    public static TheoryData<string> RefusedFiles => [.. OddNetworks.Refused.Keys];

    [Fact]
    public void A_classifier_is_described_and_opens_as_described()
    {
        using var folder = new TestFolder();
        var file = Write(folder, OddNetworks.Classifier());

        var manifest = BackboneCheck.Run(file, new() { FileName = "My Ünet (v2).onnx" });

        Assert.Equal(("my--net--v2", 6, TinyNetwork.Side, true),
            (manifest.Id, manifest.Features, manifest.Preprocessing.Size, manifest.Classifier));
        Assert.Equal([0.485f, 0.456f, 0.406f], manifest.Preprocessing.Mean);
        Assert.Equal(("the file My Ünet (v2).onnx", "unknown"), (manifest.Source, manifest.Licence));
        Assert.True(manifest.MemoryPerImageMb >= 0);
        using var backbone = Backbone.Open(BackboneFolders.Place(file, manifest, folder.Path), threads: 1);
        var found = Assert.Single(BackboneFolders.Find([folder.Path]).Found).Manifest;
        Assert.Equal(manifest.ToJson(), found.ToJson());
    }

    [Fact]
    public void What_its_owner_says_of_it_counts()
    {
        using var folder = new TestFolder();

        var manifest = BackboneCheck.Run(Write(folder, OddNetworks.WithInput(-1, 3, -1, -1)), new()
        {
            FileName = "net.onnx",
            Id = "ours",
            Size = 32,
            Mean = [0, 0, 0],
            Std = [1, 1, 1],
            Licence = "MIT",
            Source = "us",
        });

        Assert.Equal(("ours", 32, "MIT", "us"), (manifest.Id, manifest.Preprocessing.Size, manifest.Licence, manifest.Source));
        Assert.Equal([1f, 1, 1], manifest.Preprocessing.Std);
    }

    [Fact]
    public void A_network_that_ends_in_features_or_a_feature_map_needs_no_classifier()
    {
        using var folder = new TestFolder();
        var map = new TinyNetwork();

        var features = BackboneCheck.Run(Write(folder, OddNetworks.Ending((n, f) => n.Relu(f))), new() { FileName = "features.onnx" });
        var pooled = BackboneCheck.Run(Write(folder, map.Bytes(map.Trunk(), -1, 6, 4, 4)), new() { FileName = "map.onnx" });

        Assert.Equal((6, false), (features.Features, features.Classifier));
        Assert.Equal(6, pooled.Features);
    }

    [Theory]
    [MemberData(nameof(RefusedFiles))]
    public void What_cannot_be_a_backbone_is_refused_with_a_sentence(string what)
    {
        using var folder = new TestFolder();
        var (file, because) = OddNetworks.Refused[what];

        var exception = Assert.Throws<BackboneException>(() => BackboneCheck.Run(Write(folder, file), new() { FileName = "net.onnx" }));

        Assert.StartsWith("net.onnx cannot be used as a backbone: ", exception.Message, StringComparison.Ordinal);
        Assert.Contains(because, exception.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("auto", 16)]
    [InlineData("../x", 16)]
    [InlineData("a+b", 16)]
    [InlineData("fine", 32)]
    [InlineData("fine", 0)]
    public void What_its_owner_says_must_be_possible(string id, int size)
    {
        using var folder = new TestFolder();
        Assert.Throws<BackboneException>(() => BackboneCheck.Run(Write(folder, OddNetworks.Classifier()),
            new() { FileName = "net.onnx", Id = id, Size = size }));
    }

    private static string Write(TestFolder folder, byte[] network)
    {
        File.WriteAllBytes(folder.File("net"), network);
        return folder.File("net");
    }
}

[Collection(Alone.Name)]
public sealed class BackboneCheckMemoryTests
{
    [Fact]
    public void A_file_of_the_catalogue_is_recognised()
    {
        var file = SharedData.Backbones().Single(f => f.Manifest.Id == "mobilenet-edgetpu-1.0");

        var manifest = BackboneCheck.Run(file.Path, new() { FileName = "whatever.onnx" });

        Assert.Equal(file.Manifest with { MemoryPerImageMb = manifest.MemoryPerImageMb }, manifest);
        Assert.InRange(manifest.MemoryPerImageMb!.Value, 1, 100);
    }
}
