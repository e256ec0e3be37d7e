using System.Security.Cryptography;
using System.Text;

namespace Headstart.Learning.Heads;

/// <summary>The files of heads, little-endian: 8 bytes of magic, version (int32), length of the whole file (int64), the contents, then the
/// SHA-256 of everything before it. Strings are an int32 length and UTF-8.</summary>
/// <param name="noun">Name of the kind of head in sentences.</param>
/// <param name="magic">The first 8 bytes.</param>
/// <param name="version">The version written, which is the only one that can be read.</param>
internal sealed class ArtifactFile(string noun, string magic, int version)
{
    private const int VersionAt = 8;
    private const int LengthAt = VersionAt + sizeof(int);
    private const int HeaderLength = LengthAt + sizeof(long);

    public static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public delegate T Contents<T>(ArtifactReader reader);

    public byte[] Write(Action<BinaryWriter> contents)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream, Strict);
        writer.Write(Strict.GetBytes(magic));
        writer.Write(version);
        writer.Write(0L); // the length, known at the end
        contents(writer);
        stream.Position = LengthAt;
        writer.Write(stream.Length + SHA256.HashSizeInBytes);
        var content = stream.ToArray();
        return [.. content, .. SHA256.HashData(content)];
    }

    /// <exception cref="HeadArtifactException">The bytes are not such a head, are damaged, cut short or extended, or were written by
    /// another version; the message says which.</exception>
    public T Read<T>(ReadOnlySpan<byte> bytes, Contents<T> contents)
    {
        Require(bytes.Length >= HeaderLength && bytes.StartsWith(Strict.GetBytes(magic)), $"This file is not a Headstart {noun}.");
        var header = new ArtifactReader(bytes[VersionAt..]);
        var written = header.Int32();
        Require(written == version, $"This {noun} has format version {written}, but this release of Headstart reads version {version}: "
            + $"{(written > version ? "update Headstart" : "train the model again")}.");
        Require(header.Int64() == bytes.Length && bytes.Length >= HeaderLength + SHA256.HashSizeInBytes,
            $"The {noun} file is truncated or has extra data at the end: restore or download it again.");
        var content = bytes[..^SHA256.HashSizeInBytes];
        Require(SHA256.HashData(content).AsSpan().SequenceEqual(bytes[content.Length..]),
            $"The {noun} file is damaged: restore or download it again.");
        try
        {
            return contents(new ArtifactReader(content[HeaderLength..]));
        }
        catch (Exception exception) when (exception is ArgumentException or OverflowException)
        {
            // The checksum is right, so the file was written this way: sizes that do not match, text that is not UTF-8, or values that are
            // not finite.
            throw new HeadArtifactException($"The contents of the {noun} file are inconsistent.", exception);
        }
    }

    public static void WriteString(BinaryWriter writer, string text)
    {
        var bytes = Strict.GetBytes(text);
        writer.Write(bytes.Length);
        writer.Write(bytes);
    }

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new HeadArtifactException(otherwise);
        }
    }
}
