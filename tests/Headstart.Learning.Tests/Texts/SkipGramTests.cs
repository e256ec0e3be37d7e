using Headstart.Learning.Texts;

namespace Headstart.Learning.Tests.Texts;

public sealed class SkipGramTests
{
    private static readonly TextCorpus Corpus = new(Reviews.Subjects(10, seed: 1), Reviews.Subjects(300, seed: 2));

    [Fact]
    public void Words_used_alike_come_near_each_other_without_any_label()
    {
        using var features = Fit("skipgram");
        Assert.True(Reviews.Cosine(features, "horse", "bird") > 0.5 + Reviews.Cosine(features, "horse", "market"));
        Assert.True(Reviews.Cosine(features, "the cat barks", "dog fur") > 0.5
            + Reviews.Cosine(features, "the cat barks", "the price falls"));
    }

    [Fact]
    public void Words_that_were_never_seen_are_made_of_their_pieces()
    {
        using var features = Fit("skipgram");
        Assert.True(Reviews.Cosine(features, "horses", "horse") > Reviews.Cosine(features, "horses", "market"));
        Assert.Contains(features.Of("marketplace"), value => value != 0);
    }

    [Fact]
    public void The_same_texts_and_seed_give_the_same_bytes_and_another_seed_others()
    {
        using var first = Fit("skipgram-sif");
        using var again = Fit("skipgram-sif");
        using var other = Fit("skipgram-sif", seed: 2);
        Assert.Equal(Reviews.Bytes(first), Reviews.Bytes(again));
        Assert.NotEqual(Reviews.Bytes(first), Reviews.Bytes(other));

        using var loaded = TextFeatures.Load(new MemoryStream(Reviews.Bytes(first)), []);
        Assert.Equal(first.Of("the cat feeds horses"), loaded.Of("the cat feeds horses"));
        Assert.Equal(Reviews.Bytes(first), Reviews.Bytes(loaded));
    }

    [Fact]
    public void Cancelling_ends_the_training()
    {
        using var cancel = new CancellationTokenSource();
        var progress = new Stopping(cancel);
        Assert.ThrowsAny<OperationCanceledException>(() => TextCandidates.Fit(Corpus, [], 1, progress, cancel.Token));
        Assert.InRange(progress.Last, 0.001, 0.5);
    }

    [Theory]
    [InlineData("")]
    [InlineData("👍")]
    [InlineData("one")]
    [InlineData("我喜欢电影")]
    public void The_smallest_corpus_gives_features(string text)
    {
        foreach (var features in TextCandidates.Fit(new([text], []), [], 1, null, TestContext.Current.CancellationToken))
        {
            Assert.True(features.Length == 0 || features.Of("other words").All(float.IsFinite));
        }
    }

    private static TextFeatures Fit(string id, int seed = 1) =>
        TextCandidates.Fit(Corpus, [], seed, null, TestContext.Current.CancellationToken).Single(features => features.Id == id);

    private sealed class Stopping(CancellationTokenSource cancel) : IProgress<double>
    {
        public double Last { get; private set; }

        public void Report(double value)
        {
            Last = value;
            cancel.Cancel();
        }
    }
}
