using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Texts;

/// <summary>
/// Which buckets the pieces of a word fall into (Bojanowski et al. 2017, fastText): runs of three to six characters, its ends marked,
/// numbered by a hash that never changes, because saved vectors are found by it.
/// </summary>
internal static class WordPieces
{

    /// <summary>Buckets of the pieces of a word; one may be there twice. None of a word that is a single character.</summary>
    public static List<int> Of(string word)
    {
        var marked = $"<{word}>";
        var buckets = new List<int>();
        for (var length = ShortestWordPiece; length <= Math.Min(LongestWordPiece, marked.Length); length++)
        {
            for (var at = 0; at + length <= marked.Length; at++)
            {
                buckets.Add(Bucket(marked.AsSpan(at, length)));
            }
        }

        return buckets;
    }

    /// <summary>FNV-1a of the UTF-16 code units.</summary>
    private static int Bucket(ReadOnlySpan<char> piece)
    {
        var hash = 2_166_136_261u;
        foreach (var unit in piece)
        {
            hash = (hash ^ unit) * 16_777_619u;
        }

        return (int)(hash % WordPieceBuckets);
    }
}
