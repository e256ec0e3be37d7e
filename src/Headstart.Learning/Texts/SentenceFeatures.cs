using System.Numerics.Tensors;

namespace Headstart.Learning.Texts;

/// <summary>The vector of a registered sentence network and that of its inner layer, each minus the mean over the model's texts, which
/// tells no texts apart.</summary>
internal sealed class SentenceFeatures : TextFeatures
{
    public const string Kind = "centredSentences";

    private readonly RegisteredText _source;
    private readonly SentenceEncoder _encoder;
    private readonly float[] _mean; // [d]

    /// <param name="source">The network, which is opened here.</param>
    /// <param name="mean"><c>[d]</c></param>
    private SentenceFeatures(RegisteredText source, float[] mean)
    {
        (_source, _encoder, _mean) = (source, source.Sentences, mean);
        if (mean.Length != Length)
        {
            throw new TextFeaturesException($"'{source.Id}' gives {Length} numbers a text, not {mean.Length}");
        }
    }

    public override string Id => _source.Id;

    internal override bool IsStatic => _source.IsStatic;

    public override int Length => _encoder.Sections.Sum();

    /// <param name="source">The network.</param>
    /// <param name="corpus">Texts to compute the mean from.</param>
    /// <param name="cancel">Checked before each text.</param>
    public static SentenceFeatures Fit(RegisteredText source, TextCorpus corpus, CancellationToken cancel)
    {
        var texts = corpus.ForCentre;
        var vectors = new float[texts.Count][];
        AllCores.For(texts.Count, i => vectors[i] = source.Sentences.Encode(texts[i]), cancel);
        var mean = new float[source.Sentences.Sections.Sum()];
        foreach (var vector in vectors)
        {
            TensorPrimitives.MultiplyAdd(vector, 1f / texts.Count, mean, mean);
        }

        return new(source, mean);
    }

    public static SentenceFeatures Read(BinaryReader reader, IReadOnlyList<RegisteredText> registered)
    {
        var source = RegisteredText.Require(registered, reader.ReadString(), reader.ReadString());
        return new(source, [.. Enumerable.Range(0, reader.ReadInt32()).Select(_ => reader.ReadSingle())]);
    }

    internal override void Save(BinaryWriter writer)
    {
        writer.Write(_source.Id);
        writer.Write(_source.Sha256);
        writer.Write(_mean.Length);
        foreach (var value in _mean)
        {
            writer.Write(value);
        }
    }

    internal override void Write(string text, IReadOnlyList<Token> tokens, FeatureRow row)
    {
        if (tokens.Count == 0)
        {
            return;
        }

        var centred = new float[Length];
        TensorPrimitives.Subtract(_encoder.Encode(text), _mean, centred);
        var (start, at) = (row.Offset, 0);
        foreach (var length in _encoder.Sections)
        {
            row.Offset = start + at;
            row.AddUnit(centred.AsSpan(at, length));
            at += length;
        }

        row.Offset = start;
    }
}
