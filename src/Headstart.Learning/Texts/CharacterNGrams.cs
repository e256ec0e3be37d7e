using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Texts;

/// <summary>
/// The character n-grams of a word, as hash buckets (Bojanowski et al. 2017, fastText): runs of three to six characters, with &lt; and &gt;
/// around the word. Saved vectors are stored by bucket, so the hash must never change.
/// </summary>
internal static class CharacterNGrams
{
    /// <summary>The bucket of each n-gram, repeats included; empty for a single character.</summary>
    public static List<int> Of(string word)
    {
        var marked = $"<{word}>";
        var buckets = new List<int>();
        for (var length = ShortestNGram; length <= Math.Min(LongestNGram, marked.Length); length++)
        {
            for (var at = 0; at + length <= marked.Length; at++)
            {
                buckets.Add(Bucket(marked.AsSpan(at, length)));
            }
        }

        return buckets;
    }

    /// <summary>FNV-1a of the UTF-16 code units.</summary>
    private static int Bucket(ReadOnlySpan<char> gram)
    {
        var hash = 2_166_136_261u;
        foreach (var unit in gram)
        {
            hash = (hash ^ unit) * 16_777_619u;
        }

        return (int)(hash % NGramBuckets);
    }
}
