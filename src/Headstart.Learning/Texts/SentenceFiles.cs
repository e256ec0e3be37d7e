using System.Security.Cryptography;
using System.Text;

namespace Headstart.Learning.Texts;

/// <summary>What a sentence network's tokenizer makes of words, and so the form of its vocabulary.</summary>
public enum Tokenizer
{
    /// <summary><c>vocab.txt</c>, a token a line: BERT's.</summary>
    WordPiece,

    /// <summary><c>sentencepiece.bpe.model</c>: XLM-R's.</summary>
    SentencePiece,

    /// <summary><c>merges.txt</c>, the pairs of pieces that become one, most frequent first: CLIP's.</summary>
    BytePairs,
}

/// <summary>A sentence network where it lies, with its tokenizer's vocabulary and how both are used.</summary>
/// <param name="Network">ONNX.</param>
/// <param name="Vocabulary">In the form of the tokenizer.</param>
/// <param name="Tokenizer">Which one.</param>
/// <param name="Reading">What <c>name.json</c> says.</param>
internal sealed record SentenceFiles(FilePart Network, FilePart Vocabulary, Tokenizer Tokenizer, SentenceReading Reading)
{
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
            return new(FilePart.Resource(path, NetworkName), FilePart.Resource(path, VocabularyName(Tokenizer.WordPiece)),
                Tokenizer.WordPiece, reading);
        }

        foreach (var tokenizer in Enum.GetValues<Tokenizer>())
        {
            if (Beside(path, VocabularyName(tokenizer)) is { } found)
            {
                return new(FilePart.Whole(path), FilePart.Whole(found), tokenizer, reading);
            }
        }

        var usual = VocabularyName(Tokenizer.WordPiece);
        throw new TextFeaturesException($"it has no vocabulary beside it: {Path.GetFileName(Path.ChangeExtension(path, usual))} or "
            + $"{usual}, in WordPiece's form, a token a line, or {VocabularyName(Tokenizer.SentencePiece)}, or CLIP's "
            + VocabularyName(Tokenizer.BytePairs));
    }

    public static string VocabularyName(Tokenizer tokenizer) => tokenizer switch
    {
        Tokenizer.WordPiece => "vocab.txt",
        Tokenizer.SentencePiece => "sentencepiece.bpe.model",
        _ => "merges.txt",
    };

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
