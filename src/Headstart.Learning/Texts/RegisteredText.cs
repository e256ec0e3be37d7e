namespace Headstart.Learning.Texts;

/// <summary>What a file with knowledge of a language holds.</summary>
public enum RegisteredTextKind
{
    /// <summary>A vector for each of many words, in GloVe's text format.</summary>
    WordVectors,

    /// <summary>A network that makes a vector of a sentence, as ONNX, and its tokenizer.</summary>
    Sentences,
}

/// <summary>A pretrained text backbone that was found in a folder; opened when it is first needed. Thread-safe.</summary>
public sealed class RegisteredText : IDisposable
{
    private RegisteredText(string id, string sha256, string path, RegisteredTextKind kind) => (Id, Sha256, Path, Kind) = (id, sha256, path, kind);

    /// <summary>The file's name without its endings.</summary>
    public string Id { get; }

    /// <summary>Of the file, lower-case hexadecimal.</summary>
    public string Sha256 { get; }

    public string Path { get; }

    public RegisteredTextKind Kind { get; }

    /// <summary>Looks at folders, and at their folder <c>text</c>, for word vectors (<c>*.txt</c>, <c>*.txt.gz</c>) and sentence networks (<c>*.onnx</c> with <c>*.vocab.txt</c> beside).</summary>
    /// <returns>What was found, and a sentence for everything that is not as it should be. Nothing is thrown for bad files.</returns>
    public static (IReadOnlyList<RegisteredText> Found, IReadOnlyList<string> Problems) Find(IEnumerable<string> directories)
    {
        ArgumentNullException.ThrowIfNull(directories);
        return ([], []);
    }

    public void Dispose()
    {
    }
}
