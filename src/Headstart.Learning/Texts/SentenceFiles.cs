using System.Security.Cryptography;
using System.Text;

namespace Headstart.Learning.Texts;

/// <summary>The tokenizer of a sentence network, which determines the format of its vocabulary.</summary>
public enum Tokenizer
{
    /// <summary>BERT's: <c>vocab.txt</c>, one token per line.</summary>
    WordPiece,

    /// <summary>XLM-R's: <c>sentencepiece.bpe.model</c>.</summary>
    SentencePiece,

    /// <summary>CLIP's: <c>merges.txt</c>, the pairs of pieces to merge, most frequent first.</summary>
    BytePairs,

    /// <summary>Model2Vec's, for static token vectors: WordPiece in <c>tokenizer.json</c>.</summary>
    PlainWordPiece,
}

/// <summary>The files of a sentence network, with its tokenizer and how both are used.</summary>
/// <param name="Network">The ONNX file, or a safetensors file with static token vectors.</param>
/// <param name="Vocabulary">The vocabulary, in the format of the tokenizer.</param>
/// <param name="Tokenizer">The kind of tokenizer.</param>
/// <param name="Reading">The content of <c>name.json</c>.</param>
/// <param name="Table">The static token vectors; null for a network.</param>
internal sealed record SentenceFiles(FilePart Network, FilePart Vocabulary, Tokenizer Tokenizer, SentenceReading Reading,
    TokenVectors? Table = null)
{
    private const string Onnx = ".onnx";

    /// <summary>Whether a file is a network, token vectors, or an assembly with a network and its vocabulary as resources. The weights of
    /// a network in ONNX beside it are not.</summary>
    public static bool IsNetwork(string path) => EndsIn(path, Onnx) || IsAssembly(path)
        || (EndsIn(path, TokenVectors.Extension) && !File.Exists(Path.ChangeExtension(path, Onnx)));

    /// <param name="path">A file that <see cref="IsNetwork"/> accepts.</param>
    /// <exception cref="TextFeaturesException">Something is missing, or the network does not match its description.</exception>
    public static SentenceFiles Of(string path)
    {
        var description = Path.ChangeExtension(path, ".json");
        var reading = File.Exists(description) ? SentenceReading.Read(description) : SentenceReading.Usual;
        if (IsAssembly(path))
        {
            return new(FilePart.Resource(path, NetworkName(Tokenizer.WordPiece)),
                FilePart.Resource(path, VocabularyName(Tokenizer.WordPiece)), Tokenizer.WordPiece, reading);
        }

        var table = EndsIn(path, TokenVectors.Extension) ? TokenVectors.Find(path) : null;
        foreach (var tokenizer in Enum.GetValues<Tokenizer>().Where(kind => kind is Tokenizer.PlainWordPiece == table is not null))
        {
            if (Beside(path, VocabularyName(tokenizer)) is { } found)
            {
                return new(FilePart.Whole(path), FilePart.Whole(found), tokenizer, reading, table);
            }
        }

        if (table is not null)
        {
            throw new TextFeaturesException($"it has no {VocabularyName(Tokenizer.PlainWordPiece)} beside it");
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
        Tokenizer.PlainWordPiece => "tokenizer.json",
        _ => "merges.txt",
    };

    public static string NetworkName(Tokenizer tokenizer) =>
        "model" + (tokenizer is Tokenizer.PlainWordPiece ? TokenVectors.Extension : Onnx);

    /// <summary>SHA-256 of the hashes of network and vocabulary and of the settings that change the vectors.</summary>
    /// <exception cref="TextFeaturesException">The network does not match its description.</exception>
    public string Sum()
    {
        var sum = Network.Sum();
        return Reading.Sha256 is { } named && named != Convert.ToHexStringLower(sum)
            ? throw new TextFeaturesException($"its SHA-256 is {Convert.ToHexStringLower(sum)}, but its description says {named}")
            : SumOf(sum, Vocabulary.Sum(), Reading);
    }

    public static string SumOf(byte[] network, byte[] vocabulary, SentenceReading reading) =>
        Convert.ToHexStringLower(SHA256.HashData([.. network, .. vocabulary, .. Encoding.UTF8.GetBytes(reading.Id)]));

    private static bool IsAssembly(string path) => EndsIn(path, ".dll");

    private static bool EndsIn(string path, string extension) => path.EndsWith(extension, StringComparison.OrdinalIgnoreCase);

    private static string? Beside(string network, string name) => ((string[])[Path.ChangeExtension(network, name),
        Path.Combine(Path.GetDirectoryName(network)!, name)]).FirstOrDefault(File.Exists);
}
