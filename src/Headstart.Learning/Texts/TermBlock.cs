using System.Runtime.InteropServices;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Texts;

/// <summary>The terms of one kind (words or pieces) and their weights. Immutable.</summary>
internal sealed class TermBlock
{

    private readonly string[] _terms;
    private readonly float[] _rarity; // of each term, ln((1 + n) / (1 + texts with it)) + 1
    private readonly Dictionary<string, int> _places;

    private TermBlock(string[] terms, float[] rarity)
    {
        (_terms, _rarity) = (terms, rarity);
        _places = new(terms.Length, StringComparer.Ordinal);
        for (var i = 0; i < terms.Length; i++)
        {
            _places.Add(terms[i], i);
        }
    }

    public delegate void Division(IReadOnlyList<Token> tokens, Terms.Counter count);

    public int Count => _terms.Length;

    public static TermBlock Fit(TextCorpus corpus, Division divide, CancellationToken cancel)
    {
        var all = corpus.TokensOfAll;
        var texts = corpus.Labelled.Count > 0 ? corpus.Labelled.Count : all.Count;
        var counted = Frequencies(Enumerable.Range(0, Math.Min(texts, TextsForTerms))
            .Select(i => all[(int)((long)i * texts / Math.Min(texts, TextsForTerms))]), divide, null, cancel);
        string[] terms = [.. counted.OrderByDescending(term => term.Value).ThenBy(term => term.Key.Length)
            .ThenBy(term => term.Key, StringComparer.Ordinal)
            .Take(MaxTerms).Select(term => term.Key)];
        var frequencies = Frequencies(all, divide, terms, cancel);
        return new(terms, [.. terms.Select(term => (float)(Math.Log((1.0 + all.Count) / (1 + frequencies[term])) + 1))]);
    }

    public static TermBlock Read(BinaryReader reader)
    {
        var count = reader.ReadInt32();
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)MaxTerms);
        var (terms, rarity) = (new string[count], new float[count]);
        for (var i = 0; i < count; i++)
        {
            (terms[i], rarity[i]) = (reader.ReadString(), reader.ReadSingle());
        }

        return new(terms, rarity);
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_terms.Length);
        for (var i = 0; i < _terms.Length; i++)
        {
            writer.Write(_terms[i]);
            writer.Write(_rarity[i]);
        }
    }

    /// <summary>The known terms of a text, by position, with their weights, together of length 1; empty if it has none.</summary>
    public List<(int Place, float Weight)> Weigh(IReadOnlyList<Token> tokens, Division divide)
    {
        var counts = new Dictionary<int, int>();
        var places = _places.GetAlternateLookup<ReadOnlySpan<char>>();
        divide(tokens, term =>
        {
            if (places.TryGetValue(term, out var place))
            {
                CollectionsMarshal.GetValueRefOrAddDefault(counts, place, out _)++;
            }
        });
        var weights = counts.Select(term => (Place: term.Key, Weight: (1 + MathF.Log(term.Value)) * _rarity[term.Key]))
            .OrderBy(term => term.Place).ToList();
        var length = MathF.Sqrt(weights.Sum(term => term.Weight * term.Weight));
        return weights.ConvertAll(term => (term.Place, term.Weight / length));
    }

    /// <summary>Number of texts that contain each term.</summary>
    private static Dictionary<string, int> Frequencies(IEnumerable<IReadOnlyList<Token>> texts, Division divide, string[]? only,
        CancellationToken cancel)
    {
        var frequencies = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var term in only ?? [])
        {
            frequencies.Add(term, 0);
        }

        var lookup = frequencies.GetAlternateLookup<ReadOnlySpan<char>>();
        var last = new Dictionary<string, int>(StringComparer.Ordinal); // the text in which each was last seen
        var seen = last.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var (i, tokens) in texts.Index())
        {
            cancel.ThrowIfCancellationRequested();
            divide(tokens, term =>
            {
                if (only is null || lookup.ContainsKey(term))
                {
                    ref var text = ref CollectionsMarshal.GetValueRefOrAddDefault(seen, term, out var exists);
                    if (!exists || text != i)
                    {
                        text = i;
                        CollectionsMarshal.GetValueRefOrAddDefault(lookup, term, out _)++;
                    }
                }
            });
        }

        return frequencies;
    }
}
