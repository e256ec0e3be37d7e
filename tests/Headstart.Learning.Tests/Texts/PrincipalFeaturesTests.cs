using System.Text;
using Headstart.Learning.Texts;

namespace Headstart.Learning.Tests.Texts;

public sealed class PrincipalFeaturesTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_varies_most_between_the_texts_counts_most()
    {
        using var words = Words("up 3 1\ndown -3 1\nleft 3 -1\nright -3 -1\n");
        var (inner, features) = Fit(words, "up", "down", "left", "right");

        // Of a squared length, the first direction has 9 of 10 before, and 27 of 28 after: it deviates 3 times as much.
        Assert.Equal(8 / 10.0, Reviews.Cosine(inner, "up", "left"), 4);
        Assert.Equal(26 / 28.0, Reviews.Cosine(features, "up", "left"), 4);
        Assert.Equal(-26 / 28.0, Reviews.Cosine(features, "up", "down"), 4);
    }

    [Fact]
    public void Every_vector_keeps_its_length_and_unknown_texts_stay_zero()
    {
        using var words = Words("up 3 1 0\ndown -3 1 0\nleft 3 -1 1\nright -3 -1 1\n");
        var (_, features) = Fit(words, "up down", "down", "left right", "right", "up");

        Assert.All(["up", "down left", "right right up"], text => Assert.Equal(1, features.Of(text).Sum(value => value * value), 4));
        Assert.All(features.Of("unheard"), value => Assert.Equal(0, value));
    }

    [Fact]
    public void They_are_saved_and_read_again_bit_by_bit()
    {
        using var words = Words("up 3 1\ndown -3 1\nleft 3 -1\nright -3 -1\n");
        var (_, features) = Fit(words, "up", "down", "left", "right");
        var bytes = Reviews.Bytes(features);

        using var again = TextFeatures.Load(new MemoryStream(bytes), [words]);

        Assert.Equal(features.Id, again.Id);
        Assert.Equal(features.Of("up right"), again.Of("up right"));
        Assert.Equal(bytes, Reviews.Bytes(again));
    }

    [Fact]
    public void Features_that_do_not_vary_stay_as_they_are()
    {
        using var words = Words("up 3 1\ndown -3 1\n");
        var (inner, features) = Fit(words, "up", "up");

        Assert.Same(inner, features);
    }

    private static (TextFeatures Inner, TextFeatures Principal) Fit(RegisteredText words, params string[] texts)
    {
        var corpus = new TextCorpus(texts, []);
        var vocabulary = Vocabulary.Of(corpus);
        var inner = WordVectorFeatures.Fit(words.Id, words.Words, words, corpus, vocabulary, weighted: false);
        return (inner, PrincipalFeatures.Fit(inner, corpus, TestContext.Current.CancellationToken));
    }

    private RegisteredText Words(string lines)
    {
        var folder = Directory.CreateDirectory(_folder.File("text")).FullName;
        File.WriteAllText(Path.Combine(folder, "tiny.txt"), lines, new UTF8Encoding(false));
        return Assert.Single(RegisteredText.Find([_folder.Path]).Found);
    }
}
