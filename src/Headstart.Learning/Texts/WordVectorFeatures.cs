using System.Numerics.Tensors;
using Headstart.Learning.Native;
using TorchSharp;
using static Headstart.Learning.TrainingDefaults;
using static TorchSharp.torch;

namespace Headstart.Learning.Texts;

/// <summary>
/// The mean of a text's word vectors, minus the mean of all texts. Either plain, or weighted by <c>a / (a + p)</c>, so that frequent words
/// count less (smooth inverse frequency: Arora, Liang and Ma 2017, "A simple but tough-to-beat baseline for sentence embeddings"; the mean
/// replaces their first principal component, which is nearly the same).
/// </summary>
internal sealed class WordVectorFeatures : TextFeatures
{
    public const string Kind = "words";

    /// <summary>Suffix of the names of weighted means.</summary>
    public const string Weighted = "-sif";

    private readonly WordVectors _vectors;
    private readonly RegisteredText? _source; // the file of the vectors; null if they were learned here
    private readonly SortedDictionary<string, float> _weights; // of frequent words; empty if all weigh the same
    private readonly Dictionary<string, float> _lookup;
    private readonly float[] _mean; // [d]
    private readonly float[] _axes; // [d, d], orthonormal rows: principal axes of the texts, which decorrelate the features

    private WordVectorFeatures(string id, WordVectors vectors, RegisteredText? source, SortedDictionary<string, float> weights,
        float[] mean, float[] axes)
    {
        (Id, _vectors, _source, _weights, _mean, _axes) = (id, vectors, source, weights, mean, axes);
        _lookup = new(weights, StringComparer.Ordinal);
    }

    public override string Id { get; }

    public override int Length => _mean.Length;

    /// <param name="name">Name of the vectors.</param>
    /// <param name="vectors">The word vectors.</param>
    /// <param name="source">Their file; null if they were learned here.</param>
    /// <param name="corpus">Texts for the mean and the principal axes.</param>
    /// <param name="words">The words of the corpus and their frequencies.</param>
    /// <param name="weighted">Whether frequent words weigh less.</param>
    public static WordVectorFeatures Fit(string name, WordVectors vectors, RegisteredText? source, TextCorpus corpus, Vocabulary words,
        bool weighted)
    {
        var weights = new SortedDictionary<string, float>(StringComparer.Ordinal);
        foreach (var (i, word) in words.Words.Index())
        {
            var share = (double)words.Counts[i] / words.TotalTokens;
            if (weighted && share > SifRare)
            {
                weights.Add(word, (float)(SifSmoothing / (SifSmoothing + share)));
            }
        }

        var (id, d) = (weighted ? name + Weighted : name, vectors.Dimensions);
        var plain = new WordVectorFeatures(id, vectors, source, weights, new float[d], new float[d * d]);
        var means = corpus.TokensOfAll.Where((_, i) => i % (1 + corpus.TokensOfAll.Count / TextsForSif) == 0).Select(plain.Mean)
            .Where(m => TensorPrimitives.Norm<float>(m) > 0).ToList();
        if (means.Count == 0)
        {
            return plain;
        }

        TorchRuntime.EnsureLoaded();
        using var scope = NewDisposeScope();
        var texts = tensor([.. means.SelectMany(m => m)], [means.Count, d]).to(float64);
        var mean = texts.mean([0]);
        var centred = texts - mean;
        var axes = linalg.eigh(centred.t().mm(centred)).Item2.t().contiguous();
        return new(id, vectors, source, weights, [.. mean.to(float32).data<float>()], [.. axes.to(float32).data<float>()]);
    }

    public static WordVectorFeatures Read(BinaryReader reader, IReadOnlyList<RegisteredText> registered)
    {
        var (id, sha256) = (reader.ReadString(), reader.ReadString());
        var source = sha256.Length == 0 ? null : RegisteredText.Require(registered, id, sha256);
        var vectors = source is null ? WordVectors.Read(reader) : source.Words;
        var weights = new SortedDictionary<string, float>(StringComparer.Ordinal);
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            weights.Add(reader.ReadString(), reader.ReadSingle());
        }

        return new(id, vectors, source, weights, Floats(vectors.Dimensions), Floats(vectors.Dimensions * vectors.Dimensions));

        float[] Floats(int count)
        {
            var values = new float[count];
            for (var i = 0; i < count; i++)
            {
                values[i] = reader.ReadSingle();
            }

            return values;
        }
    }

    internal override void Save(BinaryWriter writer)
    {
        writer.Write(Id);
        writer.Write(_source?.Sha256 ?? "");
        if (_source is null)
        {
            _vectors.Save(writer);
        }

        writer.Write(_weights.Count);
        foreach (var (word, weight) in _weights)
        {
            writer.Write(word);
            writer.Write(weight);
        }

        foreach (var value in _mean.Concat(_axes))
        {
            writer.Write(value);
        }
    }

    internal override void Write(string text, IReadOnlyList<Token> tokens, FeatureRow row)
    {
        var mean = Mean(tokens);
        if (TensorPrimitives.Norm<float>(mean) > 0)
        {
            TensorPrimitives.Subtract(mean, _mean, mean);
            var turned = new float[mean.Length];
            for (var i = 0; i < turned.Length; i++)
            {
                turned[i] = TensorPrimitives.Dot(mean, _axes.AsSpan(i * mean.Length, mean.Length));
            }

            row.AddUnit(turned);
        }
    }

    private float[] Mean(IReadOnlyList<Token> tokens)
    {
        var sum = new float[_vectors.Dimensions];
        var known = 0;
        foreach (var token in tokens)
        {
            known += _vectors.AddTo(sum, token.Text, _lookup.GetValueOrDefault(token.Text, 1)) ? 1 : 0;
        }

        TensorPrimitives.Divide(sum, Math.Max(1, known), sum);
        return sum;
    }
}
