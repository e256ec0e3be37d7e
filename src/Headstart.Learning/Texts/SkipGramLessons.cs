using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Texts;

/// <summary>Training batches of the skip-gram: centre words with their context words. Frequent words are subsampled and the window size is
/// random, as in word2vec (Mikolov et al. 2013). The same seed gives the same lessons.</summary>
internal sealed class SkipGramLessons(Vocabulary words, int seed)
{

    private readonly Random _random = new(seed);
    private readonly double[] _kept = [.. words.Counts.Select(count => Math.Min(1, Math.Sqrt(FrequentWord * words.TotalTokens / count)))];
    private readonly double[] _noise = Cumulated(words.Counts);

    /// <summary>One batch.</summary>
    /// <param name="Centres">The centre words.</param>
    /// <param name="Pairs">For each pair the index into <paramref name="Centres"/>.</param>
    /// <param name="Contexts">For each pair the context word.</param>
    /// <param name="Noise">Random words, shared by all pairs.</param>
    public sealed record Lesson(IReadOnlyList<int> Centres, IReadOnlyList<int> Pairs, IReadOnlyList<int> Contexts, int[] Noise);

    /// <summary>All texts once, in a new order.</summary>
    /// <param name="noise">Noise words per lesson.</param>
    public IEnumerable<Lesson> Pass(int noise)
    {
        int[] order = [.. Enumerable.Range(0, words.Texts.Length)];
        _random.Shuffle(order);
        var (centres, pairs, contexts) = (new List<int>(), new List<int>(), new List<int>());
        foreach (var text in order)
        {
            int[] kept = [.. words.Texts[text].Where(word => _random.NextDouble() < _kept[word])];
            for (var at = 0; at < kept.Length; at++)
            {
                var reach = _random.Next(1, VectorWindow + 1);
                for (var beside = Math.Max(0, at - reach); beside <= Math.Min(kept.Length - 1, at + reach); beside++)
                {
                    if (beside != at)
                    {
                        pairs.Add(centres.Count);
                        contexts.Add(kept[beside]);
                    }
                }

                centres.Add(kept[at]);
                if (centres.Count == LessonWords)
                {
                    yield return new(centres, pairs, contexts, Drawn(noise));
                    (centres, pairs, contexts) = ([], [], []);
                }
            }
        }

        if (pairs.Count > 0)
        {
            yield return new(centres, pairs, contexts, Drawn(noise));
        }
    }

    private int[] Drawn(int count)
    {
        var drawn = new int[count];
        for (var i = 0; i < count; i++)
        {
            var found = Array.BinarySearch(_noise, _random.NextDouble() * _noise[^1]);
            drawn[i] = Math.Min(found < 0 ? ~found : found, _noise.Length - 1);
        }

        return drawn;
    }

    /// <summary>Noise is drawn in proportion to frequency to the power of 3/4.</summary>
    private static double[] Cumulated(int[] counts)
    {
        var sum = 0.0;
        return [.. counts.Select(count => sum += Math.Pow(count, 0.75))];
    }
}
