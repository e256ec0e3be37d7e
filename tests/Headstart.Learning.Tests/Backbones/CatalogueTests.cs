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
            Assert.InRange(manifest.Bytes, 1_000_000, 400_000_000);
            Assert.True(manifest.PublishedAccuracy is null or (> 50 and < 90));
            Assert.Same(entry, Catalogue.Find(manifest.Sha256));
            if (IsOfTheZoo(entry))
            {
                var name = address!.Segments[^1];
                Assert.Equal($"https://huggingface.co/onnxmodelzoo/{Path.GetFileNameWithoutExtension(name)}/resolve/main/{name}",
                    address.AbsoluteUri);
                Assert.True(manifest.Classifier);
            }
            else if (address is not null)
            {
                Assert.Matches("^https://huggingface.co/[^/]+/[^/]+/resolve/[0-9a-f]{40}/onnx/[a-z_]+.onnx$", address.AbsoluteUri);
                Assert.NotNull(manifest.Reading.Output);
            }
        });
    }

    [Fact]
    public void Bytes_and_checksums_are_those_of_the_zoo()
    {
        var pinned = Pinned("onnx-model-zoo.tsv").Skip(1).Select(fields => (Path.GetFileName(fields[0]), long.Parse(fields[1]), fields[2]))
            .Concat(Pinned("modern.tsv").Select(fields => ($"{fields[0]}.onnx", long.Parse(fields[3]), fields[4]))).ToHashSet();

        Assert.All(Catalogue.Entries.Where(IsOfTheZoo), entry =>
            Assert.Contains((entry.Address!.Segments[^1], entry.Manifest.Bytes, entry.Manifest.Sha256), pinned));
    }

    [Fact]
    public void Addresses_and_checksums_of_newer_networks_are_those_that_others_pin()
    {
        var pinned = Pinned("modern.tsv").Select(fields => (Address: fields[2], Bytes: long.Parse(fields[3]), Sha256: fields[4])).ToList();

        Assert.All(Catalogue.Entries.Where(entry => entry.Address is not null && !IsOfTheZoo(entry)), entry =>
            Assert.Contains((entry.Address!.AbsolutePath[1..], entry.Manifest.Bytes, entry.Manifest.Sha256), pinned));
        Assert.All(pinned.Where(row => row.Address.StartsWith("onnxmodelzoo", StringComparison.Ordinal)), row =>
            Assert.NotNull(Catalogue.Find(row.Sha256)));
    }

    [Fact]
    public void What_is_recommended_can_be_fetched_and_is_small()
    {
        var recommended = Catalogue.Entries.Where(entry => entry.Recommended).ToList();

        Assert.All(recommended, entry => Assert.NotNull(entry.Address));
        Assert.Equal(recommended.Count, recommended.Select(entry => entry.Manifest.Family).Distinct().Count());
        Assert.InRange(recommended.Sum(entry => entry.Manifest.Bytes), 1, 120_000_000);
    }

    [Theory]
    [InlineData("""{"version":1,"backbones":[{"id":"a","features":6,"inputSize":16,"mean":[0,0,0],"std":[1,1,1],"source":"s","licence":"l","bytes":9,"sha256":"SHA"}]}""", null)]
    [InlineData("""{"backbones":[{"id":"a","features":6,"inputSize":16,"mean":[0,0,0],"std":[1,1,1],"source":"s","licence":"l","sha256":"SHA"}]}""", "'bytes' must be")]
    [InlineData("""{"backbones":[{"id":"A","bytes":9}]}""", "'id' must be")]
    [InlineData("""{"backbones":[""", "not valid JSON")]
    [InlineData(null, "could not find file")]
    public void A_catalogue_of_somebody_else_is_read_or_refused_with_a_sentence(string? json, string? because)
    {
        using var folder = new TestFolder();
        var file = folder.File("catalogue.json");
        if (json is not null)
        {
            File.WriteAllText(file, json.Replace("SHA", new string('a', 64), StringComparison.Ordinal));
        }

        if (because is null)
        {
            Assert.Equal("a", Assert.Single(Catalogue.Read(file)).Manifest.Id);
            return;
        }

        var exception = Assert.Throws<BackboneException>(() => Catalogue.Read(file));
        Assert.StartsWith($"The catalogue '{file}' cannot be used: ", exception.Message, StringComparison.Ordinal);
        Assert.Contains(because, exception.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void A_file_with_its_classifier_is_opened_without_it()
    {
        using var folder = new TestFolder();
        var manifest = Write(folder, new TinyNetwork());

        using (var backbone = Backbone.Open(new(manifest, folder.File("tiny.onnx")), threads: 1))
        {
            Assert.Equal(6, backbone.Extract(new float[manifest.Preprocessing.Length], 1)[0].Length);
        }

        File.WriteAllText(folder.File("tiny.onnx"), "no model");
        Assert.Throws<BackboneException>(() => Backbone.Open(new(manifest, folder.File("tiny.onnx")), threads: 1));
    }

    [Fact]
    public void A_file_made_for_one_image_at_a_time_takes_batches_too()
    {
        using var folder = new TestFolder();
        var n = new TinyNetwork();
        n.Model.Graph.Input[0].Type.TensorType.Shape.Dim[0] = new() { DimValue = 1 };
        var manifest = Write(folder, n);
        using var backbone = Backbone.Open(new(manifest, folder.File("tiny.onnx")), threads: 1);
        var batch = Enumerable.Range(0, 3 * manifest.Preprocessing.Length).Select(i => i % 251 / 251f).ToArray();

        var features = backbone.Extract(batch, 3);

        Assert.Equal(batch.Chunk(manifest.Preprocessing.Length).Select(image => backbone.Extract(image, 1)[0]), features);
        Assert.NotEqual(features[0], features[1]);
    }

    private static IEnumerable<string[]> Pinned(string list) => File.ReadLines(Path.Combine(SharedData.Folder("backbones"), list))
        .Where(line => !line.StartsWith('#')).Select(line => line.Split('\t'));

    private static bool IsOfTheZoo(CatalogueEntry entry) =>
        entry.Address?.AbsolutePath.StartsWith("/onnxmodelzoo/", StringComparison.Ordinal) == true;

    private static BackboneManifest Write(TestFolder folder, TinyNetwork n)
    {
        var bytes = n.Bytes(n.Gemm(n.Flatten(n.Pool(n.Trunk())), 6, 5), -1, 5);
        File.WriteAllBytes(folder.File("tiny.onnx"), bytes);
        return new BackboneManifest
        {
            Id = "tiny",
            Features = 6,
            Preprocessing = new Preprocessing(TinyNetwork.Side, [0, 0, 0], [1, 1, 1]),
            Source = "test",
            Licence = "MIT",
            Sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes)),
            Classifier = true,
        };
    }
}
