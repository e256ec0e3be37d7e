using System.Numerics;
using System.Text;
using Headstart.Learning;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Similarity;

/// <summary>
/// Finds near-duplicate texts: with other capitals, punctuation or spaces, or a few changed words. MinHash over runs of characters (Broder
/// 1997) finds candidate pairs in one pass; their similarity is then computed exactly.
/// </summary>
internal static class TextLookAlikes
{
    private const int RunLength = 5; // characters
    // two texts of similarity s become a candidate pair with probability 1 - (1 - s^4)^8: 0.98 at 0.8, 0.05 at 0.3
    private const int Bands = 8, RowsOfBand = 4;
    private const int LongestLook = 5_000; // characters; the beginnings of long texts show whether they are similar

    /// <summary>Pairs of near-duplicate texts; of a group not all pairs, but enough to connect it.</summary>
    public static IReadOnlyList<(int First, int Second)> Pairs(IReadOnlyList<string> texts, CancellationToken cancel)
    {
        var runs = new HashSet<uint>[texts.Count];
        var signatures = new ulong[texts.Count][];
        AllCores.For(texts.Count, i =>
        {
            runs[i] = Runs(Plain(texts[i]));
            signatures[i] = Signature(runs[i]);
        }, cancel);
        var pairs = new HashSet<(int, int)>();
        for (var band = 0; band < Bands; band++)
        {
            cancel.ThrowIfCancellationRequested();
            foreach (var bucket in Enumerable.Range(0, texts.Count).Where(i => runs[i].Count > 0).GroupBy(i => signatures[i][band]))
            {
                // Compare each with the first only: a bucket of thousands must not cost millions of comparisons.
                var first = bucket.First();
                pairs.UnionWith(bucket.Skip(1).Where(i => Likeness(runs[first], runs[i]) >= SameText).Select(i => (first, i)));
            }
        }

        return [.. pairs.Order()];
    }

    /// <summary>Lower-case letters and digits, with one space between words.</summary>
    private static string Plain(string text)
    {
        var plain = new StringBuilder();
        foreach (var rune in text.AsSpan(0, Math.Min(text.Length, LongestLook)).EnumerateRunes())
        {
            if (Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.OtherSymbol)
            {
                plain.Append(Rune.ToLowerInvariant(rune));
            }
            else if (plain.Length > 0 && plain[^1] != ' ')
            {
                plain.Append(' ');
            }
        }

        return plain.ToString().TrimEnd();
    }

    /// <summary>FNV-1a hashes of the runs of characters.</summary>
    private static HashSet<uint> Runs(string plain)
    {
        var runs = new HashSet<uint>();
        for (var start = 0; start <= Math.Max(0, plain.Length - RunLength) && plain.Length > 0; start++)
        {
            var hash = 2_166_136_261u;
            foreach (var sign in plain.AsSpan(start, Math.Min(RunLength, plain.Length)))
            {
                hash = (hash ^ sign) * 16_777_619u;
            }

            runs.Add(hash);
        }

        return runs;
    }

    /// <summary>For each band, its combined minimum hashes.</summary>
    private static ulong[] Signature(HashSet<uint> runs)
    {
        var bands = new ulong[Bands];
        for (var band = 0; band < Bands; band++)
        {
            for (var row = 0; row < RowsOfBand; row++)
            {
                var seed = 0x9E37_79B9_7F4A_7C15ul * (ulong)(1 + band * RowsOfBand + row);
                var least = ulong.MaxValue;
                foreach (var run in runs)
                {
                    least = Math.Min(least, Mix(run + seed));
                }

                bands[band] = Mix(BitOperations.RotateLeft(bands[band], 13) + least);
            }
        }

        return bands;
    }

    /// <summary>Jaccard similarity: the size of the intersection divided by that of the union.</summary>
    private static double Likeness(HashSet<uint> one, HashSet<uint> other)
    {
        var both = one.Count(other.Contains);
        return (double)both / (one.Count + other.Count - both);
    }

    /// <summary>SplitMix64.</summary>
    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58_476D_1CE4_E5B9ul;
        value = (value ^ (value >> 27)) * 0x94D0_49BB_1331_11EBul;
        return value ^ (value >> 31);
    }
}
