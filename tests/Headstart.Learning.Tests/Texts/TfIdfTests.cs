using Headstart.Learning.Texts;

namespace Headstart.Learning.Tests.Texts;

public sealed class TfIdfTests
{
    private static readonly TextCorpus Corpus = new(["a good film", "a bad film", "good good acting"], ["what a film", "the end"]);

    [Fact]
    public void Texts_are_vectors_of_length_one_and_what_knows_no_term_is_all_zeros()
    {
        using var features = Fit(Corpus);
        Assert.Equal(1, Length(features.Of("a good film, they say")), 1e-5);
        Assert.All(features.Of(""), value => Assert.Equal(0, value));
        Assert.All(features.Of("猫 👍"), value => Assert.Equal(0, value));
    }

    [Fact]
    public void Rare_words_weigh_more_and_unseen_words_share_pieces_with_known_ones()
    {
        using var features = Fit(Corpus);
        Assert.True(Cosine(features, "a good film", "good acting") > Cosine(features, "a good film", "a bad one"));
        Assert.True(Cosine(features, "films", "film") > Cosine(features, "films", "acting"));
    }

    [Fact]
    public void Many_texts_at_once_have_the_same_features_as_one_by_one()
    {
        using var features = Fit(Corpus);
        string[] texts = ["a good film", "", "bad acting"];
        Assert.Equal(texts.Select(features.Of), features.Of(texts, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Saved_features_are_the_same_again_and_have_the_same_bytes()
    {
        using var features = Fit(Corpus);
        using var again = Fit(Corpus);
        var bytes = Bytes(features);
        Assert.Equal(bytes, Bytes(again));

        using var loaded = TextFeatures.Load(new MemoryStream(bytes), []);
        Assert.Equal((features.Id, features.Length), (loaded.Id, loaded.Length));
        Assert.Equal(features.Of("a good film"), loaded.Of("a good film"));
        Assert.Equal(bytes, Bytes(loaded));
    }

    [Fact]
    public void Damaged_or_foreign_bytes_are_refused_with_a_sentence()
    {
        using var features = Fit(Corpus);
        var bytes = Bytes(features);
        bytes[bytes.Length / 2] ^= 1;
        Assert.Contains("damaged", Assert.Throws<TextFeaturesException>(() => TextFeatures.Load(new MemoryStream(bytes), [])).Message,
            StringComparison.Ordinal);
        var foreign = Assert.Throws<TextFeaturesException>(() => TextFeatures.Load(new MemoryStream([1, 2, 3]), []));
        Assert.Contains("not a text features file", foreign.Message, StringComparison.Ordinal);
    }

    private static TextFeatures Fit(TextCorpus corpus) =>
        TextCandidates.Fit(corpus, [], seed: 1, null, TestContext.Current.CancellationToken).Single(f => f.Id == "tfidf");

    private static byte[] Bytes(TextFeatures features)
    {
        using var stream = new MemoryStream();
        features.Save(stream);
        return stream.ToArray();
    }

    private static double Length(float[] vector) => Math.Sqrt(vector.Sum(value => value * value));

    private static double Cosine(TextFeatures features, string a, string b) => features.Of(a).Zip(features.Of(b), (x, y) => x * y).Sum();
}
