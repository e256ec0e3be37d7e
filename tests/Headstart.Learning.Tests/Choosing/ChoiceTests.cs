using Headstart.Learning.Backbones;
using Headstart.Learning.Choosing;
using Headstart.Learning.Heads;
using Headstart.Learning.Imaging;

namespace Headstart.Learning.Tests.Choosing;

public sealed class ChoiceTests : IDisposable
{
    private const double Few = 5, Many = 50; // images a category

    private readonly List<Backbone> _backbones = [.. BackboneFolders.Find([SharedData.Folder("backbones")]).Found
        .Select(file => Backbone.Open(file, threads: 1, stages: true)).OrderBy(backbone => backbone.Manifest.Bytes)];

    public ChoiceTests() => _backbones.ForEach(backbone => backbone.Measure());

    private Backbone Squeeze => _backbones[0];

    private Backbone Mobile => _backbones[1];

    private Backbone Edge => _backbones[2];

    [Fact]
    public void A_backbone_with_stages_gives_its_own_features_first_and_then_the_average_of_each_stage()
    {
        foreach (var backbone in _backbones)
        {
            using var plain = Backbone.Open(BackboneFolders.Find([SharedData.Folder("backbones")])
                .Found.Single(file => file.Manifest.Id == backbone.Manifest.Id), 1);
            var image = Photograph(backbone.Manifest.Preprocessing);
            var (whole, own) = (backbone.Extract(image, 1)[0], plain.Extract(image, 1)[0]);

            Assert.Equal(backbone.Length, whole.Length);
            Assert.InRange(backbone.Sections.Count, 2, 3);
            Assert.All(own.Zip(whole), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
            Assert.All(backbone.Sections.Skip(1), section =>
                Assert.Contains(whole[section.Offset..(section.Offset + section.Length)], value => value != 0));
            Assert.NotEqual(plain.FeatureSpace, backbone.FeatureSpace); // or the cache would hand one for the other
        }
    }

    [Fact]
    public void A_recipe_puts_its_parts_together_and_is_found_again_by_its_id()
    {
        var stage = new FeatureRecipe([new FeaturePart(Mobile, Mobile.Sections[^1])]);
        var recipe = FeatureRecipe.Of(Squeeze) + stage + FeatureRecipe.Of(Mobile);
        Assert.Equal("squeezenet1.1+mobilenetv2-1.0@stride16+mobilenetv2-1.0", recipe.Id);
        Assert.Equal(recipe.Parts, FeatureRecipe.Parse(recipe.Id, _backbones)!.Parts);
        Assert.Null(FeatureRecipe.Parse("squeezenet1.1+mobilenetv2-1.0@stride17", _backbones));
        Assert.Equal([Squeeze, Mobile], recipe.Backbones);
        Assert.Equal(Squeeze.MsPerImage + Mobile.MsPerImage, recipe.MsPerImage);

        var (first, second) = (Enumerable.Range(0, Squeeze.Length).Select(i => (float)i).ToArray(), Enumerable.Range(0, Mobile.Length)
            .Select(i => -(float)i).ToArray());
        var section = Mobile.Sections[^1];
        float[][] parts = [first[..512], second[section.Offset..(section.Offset + section.Length)], second[..1280]];
        var expected = parts.SelectMany(part => part.Select(value => Math.Sign(value) * Math.Sqrt(Math.Abs(value) / part.Sum(Math.Abs))));
        Assert.All(recipe.Assemble([first, second]).Zip(expected), pair => Assert.Equal(pair.Second, pair.First, 1e-6));
        Assert.All(recipe.Assemble([new float[first.Length], new float[second.Length]]), value => Assert.Equal(0, value)); // not NaN
    }

    [Fact]
    public void Two_backbones_are_joined_only_within_the_budget_and_the_favourite_is_the_two_best_known()
    {
        Assert.Contains(Candidates.Of(_backbones, double.PositiveInfinity), recipe => recipe.Id == "mobilenetv2-1.0+mobilenet-edgetpu-1.0");
        Assert.Equal("mobilenetv2-1.0+mobilenet-edgetpu-1.0", Candidates.Favourite(_backbones, double.PositiveInfinity, Many).Id);
        foreach (var order in (Backbone[][])[[Edge, Mobile, Squeeze], [Mobile, Squeeze, Edge]]) // however fast each was found to be
        {
            Assert.Equal("mobilenetv2-1.0+mobilenet-edgetpu-1.0", Candidates.Favourite(order, double.PositiveInfinity, Many).Id);
            Assert.Equal(Candidates.Of(_backbones, double.PositiveInfinity).Select(recipe => recipe.Id).Order(),
                Candidates.Of(order, double.PositiveInfinity).Select(recipe => recipe.Id).Order());
        }

        var alone = _backbones.Max(backbone => backbone.MsPerImage);
        Assert.All(Candidates.Of(_backbones, alone), recipe => Assert.True(recipe.MsPerImage <= alone));
        var favourite = Candidates.Favourite([Squeeze, Mobile], Mobile.MsPerImage, Many);
        Assert.Equal("mobilenetv2-1.0", favourite.Id);
    }

    [Fact]
    public void Of_few_images_a_third_backbone_is_in_the_favourite_unless_it_is_far_weaker()
    {
        var (files, _) = BackboneFolders.Find([BackboneFolders.Bundled]);
        Assert.SkipWhen(files.Count == 0, "This build has no bundled backbones.");
        using var third = Backbone.Open(files.Single(), threads: 1);
        third.Measure();
        const string Three = "mobilenetv2-1.0+mobilenet-edgetpu-1.0+resnet18-mlnet", Two = "mobilenetv2-1.0+mobilenet-edgetpu-1.0";

        Assert.Equal(Three, Candidates.Favourite([.. _backbones, third], double.PositiveInfinity, Few).Id);
        Assert.Equal(Two, Candidates.Favourite([.. _backbones, third], double.PositiveInfinity, Many).Id);
        Assert.Equal(Two, Candidates.Favourite([.. _backbones, third], Mobile.MsPerImage + Edge.MsPerImage, Few).Id);
        Assert.Equal(Two, Candidates.Favourite(_backbones, double.PositiveInfinity, Few).Id); // SqueezeNet
    }

    [Fact]
    public void The_best_pair_is_joined_to_each_third_within_the_budget()
    {
        var (pair, other) = (FeatureRecipe.Of(Squeeze) + FeatureRecipe.Of(Mobile), FeatureRecipe.Of(Squeeze) + FeatureRecipe.Of(Edge));
        var stage = FeatureRecipe.Of(Edge) + new FeatureRecipe([new FeaturePart(Edge, Edge.Sections[^1])]);
        Trial[] trials = [Made(other, seed: 1, better: 0), Made(pair, seed: 1, better: 0.1), Made(stage, seed: 1, better: 0.2),
            Trial(Edge, seed: 1, better: 0.3)];

        Assert.Equal(pair.Id, Candidates.BestPair(trials)!.Id);
        Assert.Equal("squeezenet1.1+mobilenetv2-1.0+mobilenet-edgetpu-1.0",
            Assert.Single(Candidates.Threes(pair, _backbones, double.PositiveInfinity)).Id);
        Assert.Empty(Candidates.Threes(pair, _backbones, pair.MsPerImage));
        Assert.Null(Candidates.BestPair(trials[2..]));
    }

    [Fact]
    public void Features_are_not_blamed_for_a_head_that_is_too_sure_of_itself()
    {
        var random = new Random(3);
        int[] labels = [.. Enumerable.Range(0, 300).Select(i => i % 3)];
        // Right four times in five; one head says so, the other is nearly certain.
        int[] said = [.. labels.Select(label => random.NextDouble() < 0.8 ? label : (label + 1) % 3)];
        var set = new LabelledFeatures([.. labels.Select(_ => new float[1])], labels, ["a", "b", "c"]);
        var (honest, sure) = (Loss(0.8f), Loss(0.9999f));

        Assert.Equal(honest, sure, 0.03);

        double Loss(float confidence)
        {
            var run = said.Select(choice => Enumerable.Range(0, 3).Select(k => k == choice ? confidence : (1 - confidence) / 2).ToArray())
                .ToList();
            int[] all = [.. Enumerable.Range(0, labels.Length)];
            var validation = new CrossValidation(0, 0, new HeadMethod(HeadKind.Logistic, 1), 5, 1, all, all, [run]);
            return -validation.CrossCalibrated(set).Zip(labels, (p, label) => Math.Log(p[label])).Average();
        }
    }

    [Fact]
    public void The_favourite_gives_way_only_to_what_is_clearly_better()
    {
        var (slow, fast) = Slower(Mobile, Edge);
        var favourite = Trial(fast, seed: 1);

        var hardlyBetter = Trial(slow, seed: 2, better: 0.002); // well within the noise
        Assert.Same(favourite, ChoiceRule.Choose([favourite, hardlyBetter], favourite));
        Assert.EndsWith("no other features were clearly better", ChoiceRule.Reason([favourite, hardlyBetter], favourite, "images"));
        var better = Trial(slow, seed: 2, better: 0.2);
        Assert.Same(better, ChoiceRule.Choose([favourite, better], favourite));
        Assert.StartsWith($"{better.Id} gave the best cross-validated results on ",
            ChoiceRule.Reason([favourite, better], better, "images"));
    }

    [Fact]
    public void A_faster_one_takes_the_place_of_what_is_no_better()
    {
        var (slow, fast) = Slower(Mobile, Edge);
        var favourite = Trial(slow, seed: 1);
        var asGood = favourite with { Recipe = FeatureRecipe.Of(fast) };
        Assert.Same(asGood, ChoiceRule.Choose([asGood, favourite], favourite));
        var unsure = Trial(fast, seed: 2); // as good on average, but not image by image
        Assert.Same(favourite, ChoiceRule.Choose([unsure, favourite], favourite));
    }

    [Fact]
    public void Stability_is_how_many_standard_errors_the_closest_rival_is_away()
    {
        var (slow, fast) = Slower(Mobile, Edge);
        var (chosen, worse, muchWorse) = (Trial(fast, seed: 1), Trial(slow, seed: 2, better: -0.1), Trial(slow, seed: 3, better: -1));
        var (lead, error) = chosen.Lead(worse);
        Assert.Equal((lead + 2 * error) / error, ChoiceRule.Stability([chosen, worse, muchWorse], chosen), 1e-9);
        Assert.Equal(double.PositiveInfinity, ChoiceRule.Stability([chosen], chosen));
    }

    public void Dispose() => _backbones.ForEach(backbone => backbone.Dispose());

    private static (Backbone Slow, Backbone Fast) Slower(Backbone a, Backbone b) => a.MsPerImage > b.MsPerImage ? (a, b) : (b, a);

    private static Trial Trial(Backbone backbone, int seed, double better = 0) => Made(FeatureRecipe.Of(backbone), seed, better);

    private static Trial Made(FeatureRecipe recipe, int seed, double better)
    {
        var random = new Random(seed);
        return new Trial(recipe, new CrossValidation(0, 0, new HeadMethod(HeadKind.Logistic, 1), 5, 1, [], [], [[]]),
            [.. Enumerable.Range(0, 200).Select(_ => better - 1 + random.NextDouble())]);
    }

    private static float[] Photograph(Preprocessing preprocessing)
    {
        var input = new float[preprocessing.Length];
        ImageReader.Preprocess(File.ReadAllBytes(Directory.GetFiles(SharedData.Folder("datasets/cats_dogs/cats"))[0]), preprocessing,
            input);
        return input;
    }
}
