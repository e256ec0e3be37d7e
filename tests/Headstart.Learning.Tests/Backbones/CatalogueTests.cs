using System.Security.Cryptography;
using Headstart.Learning.Backbones;
using Headstart.Learning.Imaging;
using Headstart.Learning.Tests.Onnx;

namespace Headstart.Learning.Tests.Backbones;

public sealed class CatalogueTests
{
    [Fact]
    public void The_catalogue_is_well_formed()
    {
        Assert.True(Catalogue.Version > 1);
        Assert.InRange(Catalogue.Entries.Count, 12, 40);
        Assert.Equal(Catalogue.Entries.Count, Catalogue.Entries.Select(entry => entry.Manifest.Id).Distinct().Count());
        Assert.All(Catalogue.Entries, entry =>
        {
            var (manifest, address) = entry;
            Assert.InRange(manifest.Bytes, 1_000_000, 200_000_000);
            Assert.True(manifest.PublishedAccuracy is null or (> 50 and < 90));
            Assert.Same(entry, Catalogue.Find(manifest.Sha256));
            if (address is not null)
            {
                var name = address.Segments[^1];
                Assert.Equal($"https://huggingface.co/onnxmodelzoo/{Path.GetFileNameWithoutExtension(name)}/resolve/main/{name}", address.AbsoluteUri);
                Assert.True(manifest.Classifier);
            }
        });
    }

    [Fact]
    public void Bytes_and_checksums_are_those_of_the_zoo()
    {
        var zoo = File.ReadLines(Path.Combine(SharedData.Folder("backbones"), "onnx-model-zoo.tsv")).Skip(1)
            .Select(line => line.Split('\t')).ToDictionary(fields => Path.GetFileName(fields[0]), fields => (long.Parse(fields[1]), fields[2]));

        Assert.All(Catalogue.Entries.Where(entry => entry.Address is not null), entry =>
            Assert.Equal(zoo[entry.Address!.Segments[^1]], (entry.Manifest.Bytes, entry.Manifest.Sha256)));
    }

    [Fact]
    public void A_file_with_its_classifier_is_opened_without_it()
    {
        using var folder = new TestFolder();
        var n = new TinyNetwork();
        var bytes = n.Bytes(n.Gemm(n.Flatten(n.Pool(n.Trunk())), 6, 5), -1, 5);
        File.WriteAllBytes(folder.File("tiny.onnx"), bytes);
        var manifest = new BackboneManifest
        {
            Id = "tiny", Features = 6, Preprocessing = new Preprocessing(TinyNetwork.Side, [0, 0, 0], [1, 1, 1]), Source = "test", Licence = "MIT",
            Sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes)), Classifier = true,
        };

        using var backbone = Backbone.Open(new(manifest, folder.File("tiny.onnx")), threads: 1);
        Assert.Equal(6, backbone.Extract(new float[manifest.Preprocessing.Length], 1)[0].Length);

        File.WriteAllText(folder.File("tiny.onnx"), "no model");
        Assert.Throws<BackboneException>(() => Backbone.Open(new(manifest, folder.File("tiny.onnx")), threads: 1));
    }
}
