using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Texts;

/// <summary>The words of a corpus, most frequent first, and the texts as word numbers.</summary>
internal sealed class Vocabulary
{

    private Vocabulary(string[] words, int[] counts, int[][] texts, long tokens) =>
        (Words, Counts, Texts, TotalTokens) = (words, counts, texts, tokens);

    public IReadOnlyList<string> Words { get; }

    /// <summary>Number of occurrences of each word.</summary>
    public int[] Counts { get; }

    /// <summary>The words of each text in their order, without those outside the vocabulary.</summary>
    public int[][] Texts { get; }

    /// <summary>Number of words in all texts, known or not.</summary>
    public long TotalTokens { get; }

    public static Vocabulary Of(TextCorpus corpus)
    {
        var texts = corpus.TokensOfAll;
        var counts = texts.SelectMany(text => text).CountBy(token => token.Text, StringComparer.Ordinal)
            .ToDictionary(StringComparer.Ordinal);
        var total = counts.Values.Sum(count => (long)count);
        var least = total >= ManyTokens ? 2 : 1;
        string[] words = [.. counts.Where(word => word.Value >= least).OrderByDescending(word => word.Value)
            .ThenBy(word => word.Key, StringComparer.Ordinal)
            .Take(MaxWords).Select(word => word.Key)];
        var places = words.Index().ToDictionary(word => word.Item, word => word.Index, StringComparer.Ordinal);
        int[][] numbered = [.. texts.Select(text => text.Select(token => places.GetValueOrDefault(token.Text, -1))
            .Where(place => place >= 0).ToArray())];
        return new(words, [.. words.Select(word => counts[word])], numbered, total);
    }
}
