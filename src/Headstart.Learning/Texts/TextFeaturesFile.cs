using System.Security.Cryptography;
using System.Text;

namespace Headstart.Learning.Texts;

/// <summary>The file format of text features, little-endian: 8 bytes of magic, version (int32), the kind (string) and its fields, then the
/// SHA-256 of everything before it. Registered files are not copied but named by id and SHA-256.</summary>
internal static class TextFeaturesFile
{
    private const int FormatVersion = 1;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static ReadOnlySpan<byte> Magic => "HSTTEXT\n"u8;

    public static void Write(TextFeatures features, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var content = new MemoryStream();
        using (var writer = new BinaryWriter(content, Strict, leaveOpen: true))
        {
            writer.Write(Magic);
            writer.Write(FormatVersion);
            WritePart(features, writer);
        }

        var bytes = content.ToArray();
        stream.Write(bytes);
        stream.Write(SHA256.HashData(bytes));
    }

    public static TextFeatures Read(Stream stream, IReadOnlyList<RegisteredText> registered)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(registered);
        using var whole = new MemoryStream();
        stream.CopyTo(whole);
        var bytes = whole.ToArray();
        Require(bytes.AsSpan().StartsWith(Magic) && bytes.Length >= Magic.Length + sizeof(int) + SHA256.HashSizeInBytes, "This is not a "
            + "text features file.");
        Require(SHA256.HashData(bytes.AsSpan(..^SHA256.HashSizeInBytes)).AsSpan().SequenceEqual(bytes.AsSpan(^SHA256.HashSizeInBytes..)),
            "The text features file is damaged or truncated: restore or download it again.");
        using var reader = new BinaryReader(new MemoryStream(bytes, Magic.Length, bytes.Length - Magic.Length - SHA256.HashSizeInBytes),
            Strict);
        var version = reader.ReadInt32();
        Require(version == FormatVersion, version > FormatVersion
            ? $"These text features have format version {version}, but this release of Headstart reads versions up to {FormatVersion}: "
                + "update Headstart."
            : $"These text features have format version {version}, which is no longer read: train the model again.");
        try
        {
            return ReadPart(reader, registered);
        }
        catch (Exception exception) when (exception is ArgumentException or EndOfStreamException or FormatException or OverflowException)
        {
            // The checksum is right, so the file was written this way.
            throw new TextFeaturesException("The contents of the text features file are inconsistent.", exception);
        }
    }

    public static void WritePart(TextFeatures features, BinaryWriter writer)
    {
        writer.Write(features switch
        {
            TfIdfFeatures => TfIdfFeatures.Kind,
            WordVectorFeatures => WordVectorFeatures.Kind,
            SentenceFeatures => SentenceFeatures.Kind,
            JoinedFeatures => JoinedFeatures.Kind,
            PrincipalFeatures => PrincipalFeatures.Kind,
            _ => throw new NotSupportedException(features.Id),
        });
        features.Save(writer);
    }

    private static TextFeatures ReadPart(BinaryReader reader, IReadOnlyList<RegisteredText> registered) => reader.ReadString() switch
    {
        TfIdfFeatures.Kind => TfIdfFeatures.Read(reader),
        WordVectorFeatures.Kind => WordVectorFeatures.Read(reader, registered),
        SentenceFeatures.Kind => SentenceFeatures.Read(reader, registered),
        JoinedFeatures.Kind => new JoinedFeatures(ReadPart(reader, registered), ReadPart(reader, registered)),
        PrincipalFeatures.Kind => PrincipalFeatures.Read(ReadPart(reader, registered), reader),
        var kind => throw new TextFeaturesException($"These text features are of the kind '{kind}', which this release of Headstart does "
            + "not support: update Headstart."),
    };

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new TextFeaturesException(otherwise);
        }
    }
}
