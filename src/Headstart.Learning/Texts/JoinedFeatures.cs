namespace Headstart.Learning.Texts;

/// <summary>Two kinds of features concatenated.</summary>
internal sealed class JoinedFeatures(TextFeatures first, TextFeatures second) : TextFeatures
{
    public const string Kind = "joined";

    public TextFeatures First { get; } = first;

    public TextFeatures Second { get; } = second;

    public override string Id { get; } = $"{first.Id}+{second.Id}";

    public override int Length { get; } = first.Length + second.Length;

    internal override bool IsStatic => First.IsStatic || Second.IsStatic;

    internal override void Write(string text, IReadOnlyList<Token> tokens, FeatureRow row)
    {
        var start = row.Offset;
        First.Write(text, tokens, row);
        row.Offset = start + First.Length;
        Second.Write(text, tokens, row);
        row.Offset = start;
    }

    internal override void Save(BinaryWriter writer)
    {
        TextFeaturesFile.WritePart(First, writer);
        TextFeaturesFile.WritePart(Second, writer);
    }
}
