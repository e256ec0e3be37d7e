namespace Headstart.Learning.Texts;

/// <summary>What a registered sentence network makes of a text.</summary>
/// <param name="source">The network; opened now.</param>
internal sealed class SentenceFeatures(RegisteredText source) : TextFeatures
{
    public const string Kind = "sentences";

    private readonly SentenceEncoder _encoder = source.Sentences;

    public override string Id => source.Id;

    public override int Length => _encoder.Length;

    public static SentenceFeatures Read(BinaryReader reader, IReadOnlyList<RegisteredText> registered) =>
        new(RegisteredText.Require(registered, reader.ReadString(), reader.ReadString()));

    internal override void Save(BinaryWriter writer)
    {
        writer.Write(source.Id);
        writer.Write(source.Sha256);
    }

    internal override void Write(string text, IReadOnlyList<Token> tokens, FeatureRow row)
    {
        if (tokens.Count > 0)
        {
            row.AddUnit(_encoder.Encode(text));
        }
    }
}
