using System.Security.Cryptography;
using System.Text;

namespace Headstart.Learning.Texts;

/// <summary>A sentence network where it lies, with its tokenizer's vocabulary and how both are used.</summary>
/// <param name="Network">ONNX.</param>
/// <param name="Vocabulary">WordPiece's, a token a line, or SentencePiece's.</param>
/// <param name="IsSentencePiece">Which of the two.</param>
/// <param name="Reading">What <c>name.json</c> says.</param>
internal sealed record SentenceFiles(FilePart Network, FilePart Vocabulary, bool IsSentencePiece, SentenceReading Reading)
{
    public const string SentencePieceName = "sentencepiece.bpe.model";

    public const string WordPieceName = "vocab.txt";

    private const string NetworkName = "model.onnx";

    /// <summary>A network's file, or an assembly that has network and vocabulary as resources.</summary>
    public static bool IsNetwork(string fileName) => fileName.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase) || IsAssembly(fileName);

    /// <param name="path">One of <see cref="IsNetwork"/>.</param>
    /// <exception cref="TextFeaturesException">Something is missing, or the network is not the one that its description names.</exception>
    public static SentenceFiles Of(string path)
    {
        var description = Path.ChangeExtension(path, ".json");
        var reading = File.Exists(description) ? SentenceReading.Read(description) : SentenceReading.Usual;
        if (IsAssembly(path))
        {
            return new(FilePart.Resource(path, NetworkName), FilePart.Resource(path, WordPieceName), IsSentencePiece: false, reading);
        }

        var vocabulary = Beside(path, WordPieceName);
        return (vocabulary ?? Beside(path, SentencePieceName)) is { } found
            ? new(FilePart.Whole(path), FilePart.Whole(found), IsSentencePiece: vocabulary is null, reading)
            : throw new TextFeaturesException(
                $"it has no vocabulary beside it: {Path.GetFileName(Path.ChangeExtension(path, WordPieceName))} or {WordPieceName}, in "
                + $"WordPiece's form, a token a line, or {SentencePieceName}");
    }

    /// <summary>Of the sums of network and vocabulary, and of what makes other numbers of them.</summary>
    /// <exception cref="TextFeaturesException">The network is not the one that its description names.</exception>
    public string Sum()
    {
        var sum = Network.Sum();
        return Reading.Sha256 is { } named && named != Convert.ToHexStringLower(sum)
            ? throw new TextFeaturesException($"its SHA-256 is {Convert.ToHexStringLower(sum)}, but its description says {named}")
            : SumOf(sum, Vocabulary.Sum(), Reading);
    }

    public static string SumOf(byte[] network, byte[] vocabulary, SentenceReading reading) =>
        Convert.ToHexStringLower(SHA256.HashData([.. network, .. vocabulary, .. Encoding.UTF8.GetBytes(reading.Id)]));

    private static bool IsAssembly(string fileName) => fileName.EndsWith(".dll", StringComparison.OrdinalIgnoreCase);

    private static string? Beside(string network, string name) => ((string[])[Path.ChangeExtension(network, name),
        Path.Combine(Path.GetDirectoryName(network)!, name)]).FirstOrDefault(File.Exists);
}
