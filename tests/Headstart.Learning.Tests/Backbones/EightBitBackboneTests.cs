using System.Security.Cryptography;
using Headstart.Learning.Backbones;
using Headstart.Learning.Export;
using Headstart.Learning.Heads;
using Headstart.Learning.Tests.Export;
using Headstart.Learning.Tests.Onnx;
using Headstart.Tests;

namespace Headstart.Learning.Tests.Backbones;

public sealed class EightBitBackboneTests
{
    private static readonly BackboneFile BuiltIn = BackboneFolders.Find([BackboneFolders.BuiltIn]).Found[0];

    [Fact]
    public void The_8_bit_form_is_a_backbone_of_its_own_with_nearly_the_same_features_stages_and_maps()
    {
        using var folder = new TestFolder();

        var made = EightBitBackbone.Make(BuiltIn, Photographs(), folder.Path);

        Assert.True(made.Likeness > EightBitBackbone.SmallestLikeness, $"{made.Likeness}");
        Assert.Equal("headstart-small-int8", made.Manifest.Id);
        Assert.Equal(BuiltIn.Manifest.Sha256, BackboneManifest.Parse(made.Manifest.ToJson()).QuantisedFrom);
        Assert.Empty(Directory.GetFiles(folder.Path)); // nothing was left behind
        using var before = Backbone.Open(BuiltIn, threads: 1, stages: true);
        using var after = Open(made, folder);
        Assert.Equal(before.Sections, after.Sections);
        Assert.Equal(before.Maps!.Sections, after.Maps!.Sections);
        Assert.NotEqual(before.FeatureSpace, after.FeatureSpace);
    }

    [Fact]
    public void A_model_on_8_bit_features_is_exported_with_the_8_bit_network_and_answers_alike()
    {
        Needs.Time();
        using var folder = new TestFolder();
        using var backbone = Open(EightBitBackbone.Make(BuiltIn, Photographs(), folder.Path), folder);
        var recipe = FeatureRecipe.Of(backbone);
        var random = new Random(1);
        var head = new Head(["cats", "dogs"], new(recipe.Length, [.. Enumerable.Range(0, 2 * recipe.Length)
            .Select(_ => random.NextSingle() - 0.5f)], [0, 0]));
        var features = recipe.Extract(Pets.Cat);

        using var exported = new ExportedModel(ModelExport.Build(recipe, head, new NoveltyDetector([features], 0.8),
            new Dictionary<string, string>()));

        var (probabilities, nearness, _) = exported.Ask(Pets.Cat);
        Assert.True(nearness > 0.98, $"{nearness}");
        Assert.All(head.Probabilities(features).Zip(probabilities), pair => Assert.Equal(pair.First, pair.Second, 0.05f));
    }

    [Fact]
    public void Too_few_photographs_are_refused_and_files_that_are_none_do_not_count()
    {
        using var folder = new TestFolder();

        var refusal = Assert.Throws<BackboneException>(() => EightBitBackbone.Make(BuiltIn, [.. Photographs().Take(5), [1, 2, 3]],
            folder.Path));

        Assert.Equal("Only 5 photographs can be read; give at least 20, better 250.", refusal.Message);
    }

    [Fact]
    public void A_network_that_fails_is_refused_with_a_sentence()
    {
        using var folder = new TestFolder();
        var network = new TinyNetwork();
        File.WriteAllBytes(folder.File("tiny.onnx"), network.Bytes(network.Flatten(network.Pool(network.Trunk())), -1, 6));
        var manifest = BuiltIn.Manifest with { Id = "tiny", Features = 6, Classifier = false }; // and images of another size

        var refusal = Assert.Throws<BackboneException>(() => EightBitBackbone.Make(new(manifest, folder.File("tiny.onnx")), Photographs(),
            folder.Path));

        Assert.StartsWith("The backbone 'tiny' cannot be quantised: ", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void With_labelled_photographs_it_is_compared_as_a_classifier_and_a_loss_is_refused()
    {
        using var folder = new TestFolder();
        var labelled = Enumerable.Repeat(Pets.Cats.Take(13).Select(file => (File: file, Category: "cats"))
            .Concat(Pets.Dogs.Take(13).Select(file => (File: file, Category: "dogs"))), 8).SelectMany(pets => pets)
            .Select(pet => new LabelledPhotograph("pets", pet.Category, () => File.ReadAllBytes(pet.File))).ToList();
        var waits = 0;

        var made = EightBitBackbone.Make(BuiltIn, Photographs(), folder.Path, labelled, () => waits++);

        Assert.InRange(made.Loss!.Value, -0.05, 0.05);
        Assert.True(waits > labelled.Count);
        Assert.Equal("it is 1.2 points less accurate on photographs of this host, and 0.3 are allowed",
            (made with { Speedup = 2, Likeness = 1, Loss = 0.012 }).Refusal);
        Assert.Null((made with { Speedup = 2, Likeness = 1, Loss = 0.003 }).Refusal);
    }

    [Fact]
    public void Each_photograph_goes_to_the_nearest_mean_of_its_set_without_itself()
    {
        LabelledPhotograph[] photographs = [Of("a", "x"), Of("a", "x"), Of("a", "y"), Of("a", "y"), Of("a", "z"), Of("b", "x"),
            Of("b", "x")];
        float[][] features = [[1, 0], [0.9f, 0.1f], [0, 1], [1, 0], [0, -1], [-1, 0], [0, -1]];

        // The fourth lies with x, and so the third has no companion; the fifth has none, and the others have nothing to be told from.
        Assert.Equal(2 / 4.0, CategoryMeans.Accuracy(photographs, features), 6);

        static LabelledPhotograph Of(string set, string category) => new(set, category, () => null);
    }

    [Theory]
    [InlineData(1.2, 0.999, "it is only 1.2 times as fast on this host, and 1.5 times are required")]
    [InlineData(2, 0.967, "its features are only 0.967 alike (mean cosine), and 0.98 is required")]
    [InlineData(2, 0.99, null)]
    public void It_is_used_only_where_it_is_much_faster_and_says_the_same(double speedup, double likeness, string? refusal) =>
        Assert.Equal(refusal, new EightBitBackbone.Result(BuiltIn.Manifest, [], likeness, 1, speedup).Refusal);

    private static IEnumerable<byte[]> Photographs() => Pets.Cats.Take(12).Concat(Pets.Dogs.Take(12)).Select(File.ReadAllBytes);

    private static Backbone Open(EightBitBackbone.Result made, TestFolder folder)
    {
        File.WriteAllBytes(folder.File("new"), made.Network);
        Assert.Equal(made.Manifest.Sha256, Convert.ToHexStringLower(SHA256.HashData(made.Network)));
        return Backbone.Open(BackboneFolders.Place(folder.File("new"), made.Manifest, folder.Path), threads: 1, stages: true);
    }
}
