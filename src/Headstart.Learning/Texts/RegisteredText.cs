namespace Headstart.Learning.Texts;

/// <summary>Kind of a pretrained text backbone.</summary>
public enum RegisteredTextKind
{
    /// <summary>A vector for each of many words, in GloVe's text format.</summary>
    WordVectors,

    /// <summary>A network that turns a sentence into a vector, as ONNX, and its tokenizer.</summary>
    Sentences,

    /// <summary>The text network of an image-text pair: reads the words of image categories, not texts.</summary>
    Words,
}

/// <summary>A pretrained text backbone found in a folder and read on first use; a failure is not kept, because memory and disks recover.
/// Thread-safe.</summary>
public sealed class RegisteredText : IDisposable
{
    private static readonly string[] Endings = [".txt", ".txt.gz"]; // of word vectors

    private readonly Func<WordVectors> _read;
    private readonly Func<SentenceEncoder> _open;
    private WordVectors? _words;
    private SentenceEncoder? _sentences;
    private object? _gate;

    private RegisteredText(string id, string path, int dimensions)
    {
        (Id, Sha256, Path, Kind) = (id, Convert.ToHexStringLower(FilePart.Whole(path).Sum()), path, RegisteredTextKind.WordVectors);
        Dimensions = dimensions;
        _read = () => GloveFile.Read(path, System.IO.Path.GetFileName(path));
        _open = () => throw new InvalidOperationException($"{id} has word vectors, not a network.");
    }

    private RegisteredText(string id, string path, SentenceFiles files)
    {
        (Id, Sha256, Path) = (id, files.Sum(), path);
        (Kind, Space, Scale) = (files.Reading.Space is null ? RegisteredTextKind.Sentences : RegisteredTextKind.Words,
            files.Reading.Space, files.Reading.Scale);
        IsStatic = files.Table is not null;
        _read = () => throw new InvalidOperationException($"{id} is a sentence network and has no word vectors.");
        _open = () => SentenceEncoder.Open(files);
    }

    /// <summary>The file's name without its endings, or the folder's name if the file is called model.</summary>
    public string Id { get; }

    /// <summary>SHA-256 of the file, or of the hashes of network and vocabulary and how they are used; lower-case hexadecimal.</summary>
    public string Sha256 { get; }

    public string Path { get; }

    public RegisteredTextKind Kind { get; }

    /// <summary>Whether it has static token vectors instead of a network.</summary>
    internal bool IsStatic { get; }

    /// <summary>Length of the word vectors; null for a sentence network, which is not opened just to be listed.</summary>
    public int? Dimensions { get; }

    /// <summary>The space that it shares with an image network; null if none.</summary>
    public string? Space { get; }

    /// <summary>Factor by which cosines in that space are multiplied.</summary>
    internal double Scale { get; }

    /// <exception cref="TextFeaturesException">The file cannot be read as word vectors.</exception>
    internal WordVectors Words => LazyInitializer.EnsureInitialized(ref _words, ref _gate, _read);

    /// <exception cref="TextFeaturesException">The network or its vocabulary cannot be used.</exception>
    internal SentenceEncoder Sentences => LazyInitializer.EnsureInitialized(ref _sentences, ref _gate, _open);

    /// <summary>Identifies the vectors of a sentence network: those with the same value are interchangeable.</summary>
    public string FeatureSpace => $"{Id}-{Sha256[..12]}";

    /// <summary>The vector of a text, not to be modified; sentence networks only.</summary>
    /// <exception cref="TextFeaturesException">The network or its vocabulary cannot be used.</exception>
    public float[] Encode(string text) => Sentences.Encode(text);

    /// <summary>Adds an earlier result to a sentence network's cache.</summary>
    /// <param name="text">The text.</param>
    /// <param name="vector">The result of <see cref="Encode"/> in the same <see cref="FeatureSpace"/>.</param>
    /// <returns>false if its length does not fit.</returns>
    /// <exception cref="TextFeaturesException">The network or its vocabulary cannot be used.</exception>
    public bool Remember(string text, float[] vector)
    {
        ArgumentNullException.ThrowIfNull(vector);
        if (vector.Length != Sentences.Sections.Sum())
        {
            return false;
        }

        Sentences.Remember(text, vector);
        return true;
    }

    /// <summary>
    /// Searches the folder <c>text</c> in each directory, and its subfolders, for word vectors in GloVe's format, <c>*.txt</c> and
    /// <c>*.txt.gz</c>, and for sentence networks, <c>*.onnx</c>, with a vocabulary in the same folder: <c>vocab.txt</c> of WordPiece,
    /// <c>sentencepiece.bpe.model</c> or CLIP's <c>merges.txt</c> (also <c>name.vocab.txt</c>…), and optionally <c>name.json</c>
    /// (<see cref="SentenceReading"/>); for static token vectors, <c>*.safetensors</c>, with a <c>tokenizer.json</c>. Also for
    /// assemblies, <c>*.dll</c>, that contain a network and its vocabulary as resources.
    /// </summary>
    /// <returns>What was found, and a sentence about each problem. Bad files never throw.</returns>
    public static (IReadOnlyList<RegisteredText> Found, IReadOnlyList<string> Problems) Find(IEnumerable<string> directories)
    {
        ArgumentNullException.ThrowIfNull(directories);
        var found = new Dictionary<string, RegisteredText>();
        var problems = new List<string>();
        foreach (var path in directories.Select(directory => System.IO.Path.Combine(directory, "text")).Where(Directory.Exists)
            .SelectMany(folder => Directory.GetDirectories(folder).Prepend(folder)).SelectMany(Directory.GetFiles)
                .Order(StringComparer.Ordinal))
        {
            try
            {
                if (Identify(path) is { } file && !found.TryAdd(file.Id, file) && found[file.Id].Sha256 != file.Sha256)
                {
                    problems.Add($"{path} is not used: {found[file.Id].Path} is another text backbone with the id '{file.Id}'.");
                }
            }
            catch (Exception exception) when (exception is TextFeaturesException or IOException or UnauthorizedAccessException)
            {
                problems.Add($"{path} is not used: {exception.Message.TrimEnd('.')}.");
            }
        }

        return ([.. found.Values], problems);
    }

    /// <summary>The ending of a word vector file, or null for any other name.</summary>
    public static string? EndingOf(string fileName) =>
        Endings.FirstOrDefault(ending => fileName.EndsWith(ending, StringComparison.OrdinalIgnoreCase));

    /// <summary>Reads a whole file of word vectors, whatever its name.</summary>
    /// <param name="path">The file.</param>
    /// <param name="fileName">Name shown to the user.</param>
    /// <returns>The length of its vectors.</returns>
    /// <exception cref="TextFeaturesException">The file cannot be read as word vectors; the message says where and what was
    /// expected.</exception>
    public static int Check(string path, string fileName) => GloveFile.Read(path, fileName).Dimensions;

    /// <summary>Opens word vectors that were checked.</summary>
    /// <param name="path">The file, under the name that gives its id.</param>
    /// <exception cref="TextFeaturesException">The file does not begin like word vectors.</exception>
    public static RegisteredText Open(string path) =>
        Identify(path) ?? throw new TextFeaturesException($"{System.IO.Path.GetFileName(path)} is not a word vector file: its first line "
            + "does not fit");

    public void Dispose() => _sentences?.Dispose();

    /// <exception cref="TextFeaturesException">No file has this id and SHA-256.</exception>
    internal static RegisteredText Require(IEnumerable<RegisteredText> registered, string id, string sha256) =>
        registered.FirstOrDefault(file => file.Sha256 == sha256)
            ?? throw new TextFeaturesException($"The features '{id}' need a file that is no longer in the backbone folders (SHA-256 "
                + $"{sha256}): put it back.");

    private static RegisteredText? Identify(string path)
    {
        var name = System.IO.Path.GetFileName(path);
        if (SentenceFiles.IsNetwork(path))
        {
            var alone = System.IO.Path.GetFileNameWithoutExtension(name);
            var id = alone == "model" ? System.IO.Path.GetFileName(System.IO.Path.GetDirectoryName(path)!) : alone;
            return new(id, path, SentenceFiles.Of(path));
        }

        return EndingOf(name) is { } ending && GloveFile.Dimensions(path) is { } dimensions ? new(name[..^ending.Length], path, dimensions)
            : null;
    }
}
