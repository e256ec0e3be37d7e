using System.Security.Cryptography;
using Headstart.Learning.Backbones;
using Headstart.Learning.Export;
using Headstart.Learning.Heads;
using Headstart.Learning.Native;
using Headstart.Learning.Tests.Onnx;
using NetVips;

namespace Headstart.Learning.Tests.Export;

public sealed class ModelExportTests
{
    private static readonly Dictionary<string, string> Nothing = [];

    [Theory]
    [InlineData("squeezenet1.1", false, false)]
    [InlineData("mobilenetv2-1.0", true, false)]
    [InlineData("headstart-small+resnet18-mlnet", false, false)] // an operator set of 2018, blue first
    [InlineData("squeezenet1.1@stride8", false, true)]
    [InlineData("mobilenetv2-1.0+mobilenet-edgetpu-1.0", true, true)]
    [InlineData("mobilenetv2-1.0@stride16+mobilenet-edgetpu-1.0+squeezenet1.1@stride8+headstart-small", false, false)]
    public void The_exported_model_answers_as_the_service_for_pictures_of_any_size(string recipeId, bool hidden, bool severalLabels)
    {
        using var loaded = new Shelf(recipeId);
        var head = RandomHead(loaded.Recipe.Length, hidden, severalLabels);
        var files = SharedData.Photographs("flowers/test").Where((_, i) => i % 6 == 0).ToArray();
        var known = new NoveltyDetector([.. files.Take(3).Select(file => Unit(loaded.Recipe.Extract(File.ReadAllBytes(file))))], 0.8);
        using var exported = new ExportedModel(ModelExport.Build(loaded.Recipe, head, known, Nothing));
        (int Width, int Height)[] sizes = recipeId == "squeezenet1.1" // all scale alike
            ? [(300, 500), (640, 480), (20, 20), (224, 224), (225, 224), (1, 1), (7, 400), (448, 448), (447, 449), (1500, 90), (1001, 999),
                (4000, 3000)]
            : [(300, 500), (225, 224), (1, 1), (447, 449), (1500, 90)];
        var answers = new HashSet<bool>();
        foreach (var (i, (width, height)) in sizes.Index())
        {
            var picture = Resized(files[i % files.Length], width, height);
            var features = loaded.Recipe.Extract(picture);
            var (probabilities, nearness, unknown) = exported.Ask(picture);
            var expected = head.Probabilities(features);
            Assert.Equal(expected.Length, probabilities.Length);
            // Heads of random weights magnify what they read: the pictures differ by a tenth of a grey level.
            Assert.All(expected.Zip(probabilities), pair =>
                Assert.True(Math.Abs(pair.First - pair.Second) < 0.08, $"{width} x {height}: {pair}"));
            Assert.True(Math.Abs(known.Nearness(features) - nearness) < 0.01,
                $"{width} x {height}: {known.Nearness(features)} and {nearness}");
            Assert.Equal(nearness < 0.8f, unknown);
            answers.Add(unknown);
        }

        Assert.Equal(2, answers.Count); // the small ones are unlike any flower
    }

    [Fact]
    public void The_model_says_what_it_is()
    {
        using var loaded = new Shelf("squeezenet1.1");
        var head = RandomHead(loaded.Recipe.Length, hidden: false, severalLabels: true);
        var known = new NoveltyDetector([new float[loaded.Recipe.Length]], 0.25);
        using var exported = new ExportedModel(ModelExport.Build(loaded.Recipe, head, known, new Dictionary<string,
            string>
        { ["version"] = "7" }));
        Assert.Equal("[\"käse\",\"<b>\",\"c\",\"d\"]", exported.Metadata["labels"]);
        Assert.Equal("[0.25,0.5,0.75,1]", exported.Metadata["thresholds"]);
        Assert.Equal(("7", "0.25"), (exported.Metadata["version"], exported.Metadata["unknownBelow"]));
        var manifest = loaded.Recipe.Backbones[0].Manifest;
        Assert.Contains(manifest.Sha256, exported.Metadata["backbones"]);
        Assert.Contains(manifest.Preprocessing.Id, exported.Metadata["backbones"]);
    }

    [Fact]
    public void The_same_version_always_gives_the_same_file()
    {
        using var loaded = new Shelf("headstart-small");
        var head = RandomHead(loaded.Recipe.Length, hidden: true, severalLabels: false);
        var known = new NoveltyDetector([new float[loaded.Recipe.Length]], 0.25);
        Assert.Equal(ModelExport.Build(loaded.Recipe, head, known, Nothing), ModelExport.Build(loaded.Recipe, head, known, Nothing));
    }

    [Fact]
    public void A_backbone_whose_file_has_changed_is_not_exported()
    {
        using var folder = new TestFolder();
        var file = SharedData.Smallest();
        var path = Path.Combine(folder.Path, "network.onnx");
        File.Copy(file.Path, path);
        using var backbone = Backbone.Open(file with { Path = path }, threads: 1);
        var recipe = FeatureRecipe.Of(backbone);
        var head = RandomHead(recipe.Length, hidden: false, severalLabels: false);
        var known = new NoveltyDetector([new float[recipe.Length]], 0.25);

        File.AppendAllText(path, "x");
        Assert.Contains("has changed", Assert.Throws<BackboneException>(() => ModelExport.Build(recipe, head, known, Nothing)).Message);
        File.Delete(path);
        Assert.Contains("no longer be read", Assert.Throws<BackboneException>(() => ModelExport.Build(recipe, head, known, Nothing))
            .Message);
    }

    [Fact]
    public void A_model_of_an_earlier_preprocessing_is_to_be_trained_again_before_it_is_exported()
    {
        using var loaded = new Shelf("headstart-small");
        var earlier = FeatureRecipe.Of(loaded.Recipe.Backbones[0].Earlier);
        var head = RandomHead(earlier.Length, hidden: false, severalLabels: false);
        var known = new NoveltyDetector([new float[earlier.Length]], 0.25);

        var refused = Assert.Throws<ModelExportException>(() => ModelExport.Build(earlier, head, known, Nothing));

        Assert.Contains("train it again", refused.Message);
    }

    [Fact]
    public void A_network_that_cannot_be_joined_with_others_is_refused_with_a_sentence()
    {
        using var folder = new TestFolder();
        var n = new TinyNetwork();
        n.Model.OpsetImport[0].Version = 10;
        var features = n.Op("TopK", [n.Flatten(n.Pool(n.Trunk())), n.Integers(6)], ("axis", 1L));
        n.Model.Graph.Node[^1].Output.Add("places");
        var path = folder.File("old.onnx");
        File.WriteAllBytes(path, n.Bytes(features, -1, 6));
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));
        var manifest = new BackboneManifest
        {
            Id = "old",
            Features = 6,
            Preprocessing = SharedData.ImageNet with { Size = TinyNetwork.Side },
            Source = "a test",
            Licence = "MIT",
            Sha256 = sha256,
        };
        using var backbone = Backbone.Open(new BackboneFile(manifest, path), threads: 1);

        var refused = Assert.Throws<ModelExportException>(() => ModelExport.Build(
            FeatureRecipe.Of(backbone), RandomHead(6, hidden: false, severalLabels: false), new NoveltyDetector([new float[6]], 0.25),
            Nothing));

        Assert.Equal("old cannot be exported: The network uses the operator TopK of ONNX operator set 10, which may behave differently "
            + "in set 18.", refused.Message);
    }

    private static Head RandomHead(int features, bool hidden, bool severalLabels)
    {
        var random = new Random(5);
        DenseLayer Layer(int inputs, int outputs, float scale) => new(inputs,
            [.. Enumerable.Range(0, inputs * outputs).Select(_ => scale * (random.NextSingle() - 0.5f))],
                [.. Enumerable.Range(0, outputs).Select(_ => random.NextSingle() - 0.5f)]);
        return new Head(["käse", "<b>", "c", "d"], Layer(hidden ? 16 : features, 4, 4), hidden ? Layer(features, 16, 4) : null,
            severalLabels ? [0.25f, 0.5f, 0.75f, 1] : null);
    }

    private static float[] Unit(float[] features)
    {
        var length = MathF.Sqrt(features.Sum(value => value * value));
        return [.. features.Select(value => value / length)];
    }

    // A PNG: a JPEG is shrunk by the service while it is read, by a program that has only its pixels afterwards; see AgreementTests.
    private static byte[] Resized(string file, int width, int height)
    {
        VipsRuntime.EnsureLoaded();
        using var image = Image.NewFromBuffer(File.ReadAllBytes(file));
        using var resized = image.Resize((double)width / image.Width, vscale: (double)height / image.Height);
        using var cropped = resized.Crop(0, 0, Math.Min(width, resized.Width), Math.Min(height, resized.Height));
        return cropped.PngsaveBuffer();
    }
}
