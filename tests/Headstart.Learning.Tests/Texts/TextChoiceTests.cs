using Headstart.Learning.Heads;
using Headstart.Learning.Texts;

namespace Headstart.Learning.Tests.Texts;

public sealed class TextChoiceTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void Unlabelled_reviews_make_a_few_labelled_ones_go_further_than_tfidf_alone()
    {
        var (texts, labels) = Reviews.Sst2("train.tsv", 1_000);
        var (unseen, truth) = Reviews.Sst2("test.tsv", 1_000);
        var candidates = TextCandidates.Fit(new(texts[..200], texts[200..]), Reviews.Registered(), seed: 1, null, Cancel);
        var choice = TextChoice.Make(candidates, texts[..200], labels[..200], Reviews.Categories, seed: 1, null, Cancel);

        Assert.Equal(candidates.Count, choice.Trials.Count);
        Assert.Contains("glove-100d-10k-tuned", choice.Chosen.Id, StringComparison.Ordinal);
        Assert.True(Accuracy(choice.Chosen.Features) > 0.02 + Accuracy(candidates.Single(features => features.Id == "tfidf")));

        double Accuracy(TextFeatures features)
        {
            var set = new LabelledFeatures(features.Of(texts[..200], Cancel), labels[..200], Reviews.Categories);
            var head = HeadTraining.Train(set, choice.Trials.Single(trial => trial.Features == features).Validation.Method, Cancel);
            return features.Of(unseen, Cancel).Zip(truth, (f, label) => head.Best(f) == label ? 1.0 : 0).Average();
        }
    }

    [Fact]
    public void A_handful_of_labels_leaves_the_choice_to_the_favourite()
    {
        string[] texts = Reviews.Subjects(8, seed: 3);
        var candidates = TextCandidates.Fit(new(texts, Reviews.Subjects(100, seed: 4)), [], seed: 1, null, Cancel);
        var choice = TextChoice.Make(candidates, texts, [0, 1, 0, 1, 0, 1, 0, 1], ["animals", "money"], seed: 1, null, Cancel);
        Assert.Equal("skipgram+tfidf", choice.Chosen.Id);
    }

    [Fact]
    public void Less_than_a_millisecond_is_not_felt()
    {
        using var features = TfIdfFeatures.Fit(new(["a good cat", "a bad dog"], []), Cancel);
        var trial = new TextTrial(features, null!, []);

        Assert.Equal(0, trial.MsPerExample); // never measured
        Assert.Equal(1, trial.ComparedMs);
    }

    [Fact]
    public void Words_that_speak_for_and_against_a_label_are_told_by_leaving_them_out()
    {
        string[] texts = [.. Reviews.Subjects(60, seed: 5)];
        using var features = TextCandidates.Fit(new(texts, []), [], seed: 1, null, Cancel).Single(f => f.Id == "tfidf");
        var head = HeadTraining.Train(new(features.Of(texts, Cancel), [.. texts.Select((_, i) => i % 2)], ["animals", "money"]),
            new HeadMethod(HeadKind.Logistic, 0.3), Cancel);

        const string Text = "The 👍 cat, 我: PROFIT!";
        var words = WordOcclusion.Explain(Text, features, f => head.Probabilities(f), label: 0, Cancel);
        Assert.Equal(["The", "👍", "cat", "我", "PROFIT"], words.Select(word => word.Word));
        Assert.All(words, word => Assert.Equal(word.Word, Text.Substring(word.Start, word.Length)));
        Assert.True(words[2].Weight > 0.05 && words[4].Weight < -0.05);
        Assert.Empty(WordOcclusion.Explain(" ", features, f => head.Probabilities(f), label: 0, Cancel));
    }
}
