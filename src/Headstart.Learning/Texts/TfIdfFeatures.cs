using System.Runtime.InteropServices;

namespace Headstart.Learning.Texts;

/// <summary>Words, pairs of words and pieces of words in a text, rare ones weighing more (TF-IDF, sublinear: Manning, Raghavan and Schütze,
/// Introduction to Information Retrieval, 6.4). Often better than small pretrained vectors.</summary>
internal sealed class TfIdfFeatures : TextFeatures
{
    public const string Kind = "tfidf";

    private readonly TermBlock _words;
    private readonly TermBlock _pieces;

    private TfIdfFeatures(TermBlock words, TermBlock pieces) => (_words, _pieces) = (words, pieces);

    public override string Id => Kind;

    public override int Length => _words.Count + _pieces.Count;

    /// <summary>Learns the terms from the labelled texts, because a head gives others no weight, and their rarity from all texts.</summary>
    public static TfIdfFeatures Fit(TextCorpus corpus, CancellationToken cancel) =>
        new(TermBlock.Fit(corpus, Terms.OfWords, cancel), TermBlock.Fit(corpus, Terms.OfPieces, cancel));

    public static TfIdfFeatures Read(BinaryReader reader) => new(TermBlock.Read(reader), TermBlock.Read(reader));

    internal override void Save(BinaryWriter writer)
    {
        _words.Save(writer);
        _pieces.Save(writer);
    }

    internal override void Write(string text, IReadOnlyList<Token> tokens, FeatureRow row)
    {
        var words = _words.Weigh(tokens, Terms.OfWords);
        var pieces = _pieces.Weigh(tokens, Terms.OfPieces);
        // Words and pieces weigh the same, and together they have length 1.
        var share = words.Count > 0 && pieces.Count > 0 ? MathF.Sqrt(0.5f) : 1;
        foreach (var (column, value) in words)
        {
            row.Add(column, share * value);
        }

        foreach (var (column, value) in pieces)
        {
            row.Add(_words.Count + column, share * value);
        }
    }
}
