using System.Text;
using Headstart.Learning.Backbones;
using Headstart.Learning.Export;
using Headstart.Learning.Heads;
using Headstart.Learning.Texts;
using Headstart.Learning.Words;

namespace Headstart.Learning.Tests.Words;

/// <summary>Categories that are known by their words, with a small pair of networks that share a space.</summary>
public sealed class CategoryWordsTests : IDisposable
{
    private static readonly string[] Names = ["blue", "green", "red"];

    private readonly TestFolder _folder = new();
    private readonly List<IDisposable> _opened = [];

    public void Dispose()
    {
        _opened.ForEach(opened => opened.Dispose());
        _folder.Dispose();
    }

    [Theory]
    [InlineData("Cat dog", new long[] { 516, 513, 515, 517 })]
    [InlineData("cats", new long[] { 516, 512, 't' - '!', 256 + 's' - '!', 517 })]
    [InlineData("  dog,\n cat ", new long[] { 516, 515, 256 + ',' - '!', 513, 517 })]
    [InlineData("é", new long[] { 516, 127, 256 + 102, 517 })] // bytes C3 and A9 of UTF-8
    [InlineData("", new long[] { 516, 517 })]
    [InlineData("cat cat cat cat cat cat cat cat", new long[] { 516, 513, 513, 513, 513, 517 })]
    public void Clips_tokenizer_has_its_numbers_from_the_pairs_alone(string text, long[] ids)
    {
        using var merges = new MemoryStream(Encoding.UTF8.GetBytes("#version: 0.2\nc a\nca t</w>\nd o\ndo g</w>\n"));

        Assert.Equal(ids, BytePairs.Read(merges)(text, 6));
    }

    [Fact]
    public void Pairs_that_are_none_are_refused()
    {
        using var merges = new MemoryStream("no pairs\nat all here"u8.ToArray());

        Assert.Contains("line 2 of its vocabulary", Assert.Throws<TextFeaturesException>(() => BytePairs.Read(merges)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Names_alone_tell_images_apart_and_the_export_answers_the_same(bool both)
    {
        var words = WordsOf(Names, both: both);
        var pair = Assert.Single(words.Pairs);

        var (head, known) = words.ZeroShot(pair);

        Assert.Equal(["blue", "green", "red"], Answers(head, pair));
        Assert.False(known.Decides);
        Assert.False(known.IsUnknown(pair.Recipe.Extract(ColourPair.Picture(9, 9, 9))));
        Assert.NotEmpty(ModelExport.Build(pair.Recipe, head, known, new Dictionary<string, string>())); // compares the two
    }

    [Fact]
    public void A_description_is_read_instead_of_the_name()
    {
        var words = WordsOf(["cold", "fresh", "warm"], "BLUE as the sea", "green_leaves", "a red, red rose");

        Assert.Equal(["cold", "fresh", "warm"], Answers(words.ZeroShot(words.Pairs[0]).Head, words.Pairs[0]));
        Assert.Equal("a photo of a fire engine.", CategoryWords.Prompt("fire_engine", null));
    }

    [Fact]
    public void The_text_half_of_a_pair_is_no_backbone_for_texts()
    {
        var pair = WordsOf(Names).Pairs[0];

        Assert.Equal(RegisteredTextKind.Words, pair.Texts.Kind);
        Assert.DoesNotContain(TextCandidates.Ids([pair.Texts]), id => id.Contains(ColourPair.Texts, StringComparison.Ordinal));
    }

    [Fact]
    public void Halves_of_different_pairs_do_not_meet()
    {
        Assert.Empty(WordsOf(Names, space: "sound").Pairs);
    }

    [Fact]
    public void Few_examples_are_worth_more_beside_words()
    {
        var (train, test) = Made(perCategory: 1, saying: 0.7f);
        var plain = HeadTraining.Train(train with { Prior = null }, HeadTraining.Favourite, Cancel);
        var words = HeadTraining.Train(train, HeadTraining.FavouriteWithWords, Cancel);
        var alone = new Head(train.Categories, train.Prior!);

        Assert.True(Right(words, test) >= Right(plain, test) + 0.1, $"{Right(words, test)} and {Right(plain, test)}");
        Assert.True(Right(words, test) >= Right(alone, test) - 0.02, $"{Right(words, test)} and {Right(alone, test)}");
        Assert.Equal(HeadKind.Words, HeadTraining.CrossValidate(train, 1, Cancel).Method.Kind); // nothing to try it on
    }

    [Fact]
    public void Words_that_are_wrong_are_not_believed()
    {
        var (train, test) = Made(perCategory: 20, saying: 0);
        var plain = HeadTraining.CrossValidate(train with { Prior = null }, 1, Cancel);
        var words = HeadTraining.CrossValidate(train, 1, Cancel);

        Assert.All(CategoryWords.Belief(train), belief => Assert.InRange(belief, 0, 0.45));
        Assert.True(words.Accuracy >= plain.Accuracy - 0.03, $"{words.Accuracy} and {plain.Accuracy}");
        Assert.True(Right(HeadTraining.Train(train, words.Method, Cancel), test)
            >= Right(HeadTraining.Train(train with { Prior = null }, plain.Method, Cancel), test) - 0.03);
        Assert.All(CategoryWords.Belief(Made(perCategory: 20, saying: 1).Train), belief => Assert.InRange(belief, 0.55, 1));
    }

    [Fact]
    public void What_is_tried_is_what_is_kept()
    {
        var (train, test) = Made(perCategory: 5, saying: 0.7f);
        using var spaces = new PartSpaces(train);
        using var scope = TorchSharp.torch.NewDisposeScope();
        int[] all = [.. Enumerable.Range(0, train.Count)];
        var fit = new PartFit(train, spaces, all, all);

        var tried = fit.Probabilities(new(HeadKind.Words, 0.1), new double[fit.Parameters], Cancel);
        var kept = HeadTraining.Train(train, new(HeadKind.Words, 0.1), Cancel);

        foreach (var (i, probabilities) in tried.Chunk(train.Categories.Count).Index())
        {
            Assert.All(kept.Probabilities(train.Features[i]).Zip(probabilities), pair => Assert.Equal(pair.Second, pair.First, 0.005));
        }

        Assert.Equal(4, test.Categories.Count);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private CategoryWords WordsOf(string[] names, string? blue = null, string? green = null, string? red = null, string space = "colour",
        bool both = false)
    {
        ColourPair.WriteTo(_folder.Path, space, both);
        var (files, problems) = BackboneFolders.Find([_folder.Path]);
        var (texts, others) = RegisteredText.Find([_folder.Path]);
        Assert.Empty(problems.Concat(others));
        var backbone = Backbone.Open(Assert.Single(files), threads: 1, stages: true);
        _opened.AddRange([backbone, .. texts]);
        string?[] descriptions = [blue, green, red];
        return new(ImageTextPair.Find([backbone], () => texts), names, [.. names.Zip(descriptions, CategoryWords.Prompt)]);
    }

    private static string[] Answers(Head head, ImageTextPair pair) =>
    [
        .. ((byte[][])[ColourPair.Picture(40, 60, 220), ColourPair.Picture(30, 200, 90), ColourPair.Picture(180, 90, 60)])
            .Select(picture => head.Labels[head.Best(pair.Recipe.Extract(picture))]),
    ];

    /// <summary>Noisy vectors of four categories in 48 dimensions, and words that know their directions more or less.</summary>
    private static (LabelledFeatures Train, LabelledFeatures Test) Made(int perCategory, float saying)
    {
        const int Dimensions = 48;
        var random = new Random(11);
        float[][] directions = [.. Enumerable.Range(0, 4).Select(_ => Noise(1))];
        float[][] words = [.. directions.Select(direction => Unit([.. direction.Zip(Noise(1), (own, other) =>
            saying * own + (1 - saying) * other)]))];
        var prior = new DenseLayer(Dimensions, [.. words.SelectMany(word => word.Select(value => 20 * value))], new float[4]);
        return (Set(perCategory), Set(100));

        LabelledFeatures Set(int count)
        {
            int[] labels = [.. Enumerable.Range(0, 4 * count).Select(i => i % 4)];
            return new([.. labels.Select(k => Unit([.. directions[k].Zip(Noise(1.6f), (own, noise) => own + noise)]))], labels,
                ["a", "b", "c", "d"])
            { Prior = prior };
        }

        float[] Noise(float size) => [.. Enumerable.Range(0, Dimensions).Select(_ => size * (float)(random.NextDouble() * 2 - 1))];
    }

    private static float[] Unit(float[] vector) => NoveltyDetector.Unit(vector);

    private static double Right(Head head, LabelledFeatures set) =>
        Enumerable.Range(0, set.Count).Average(i => head.Best(set.Features[i]) == set.Labels[i] ? 1.0 : 0);
}
