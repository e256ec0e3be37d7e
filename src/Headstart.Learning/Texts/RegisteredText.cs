namespace Headstart.Learning.Texts;

/// <summary>What a file with knowledge of a language holds.</summary>
public enum RegisteredTextKind
{
    /// <summary>A vector for each of many words, in GloVe's text format.</summary>
    WordVectors,

    /// <summary>A network that makes a vector of a sentence, as ONNX, and its tokenizer.</summary>
    Sentences,

    /// <summary>The text half of an image-text pair: reads the words of categories of images, and no texts.</summary>
    Words,
}

/// <summary>A pretrained text backbone that was found in a folder; read when it is first needed. Thread-safe.</summary>
public sealed class RegisteredText : IDisposable
{
    private static readonly string[] Endings = [".txt", ".txt.gz"]; // of word vectors

    private readonly Lazy<WordVectors> _words;
    private readonly Lazy<SentenceEncoder> _sentences;

    private RegisteredText(string id, string path, int dimensions)
    {
        (Id, Sha256, Path, Kind) = (id, Convert.ToHexStringLower(FilePart.Whole(path).Sum()), path, RegisteredTextKind.WordVectors);
        Dimensions = dimensions;
        _words = new(() => GloveFile.Read(path, System.IO.Path.GetFileName(path)));
        _sentences = new(() => throw new InvalidOperationException($"{id} has word vectors."));
    }

    private RegisteredText(string id, string path, SentenceFiles files)
    {
        (Id, Sha256, Path) = (id, files.Sum(), path);
        (Kind, Space, Scale) = (files.Reading.Space is null ? RegisteredTextKind.Sentences : RegisteredTextKind.Words,
            files.Reading.Space, files.Reading.Scale);
        _words = new(() => throw new InvalidOperationException($"{id} is a sentence network."));
        _sentences = new(() => SentenceEncoder.Open(files));
    }

    /// <summary>The file's name without its endings, or that of its folder where the file is called model.</summary>
    public string Id { get; }

    /// <summary>Of the file, or of the sums of network and vocabulary and how they are used, lower-case hexadecimal.</summary>
    public string Sha256 { get; }

    public string Path { get; }

    public RegisteredTextKind Kind { get; }

    /// <summary>Length of its word vectors; null for a sentence network, which is not opened to be listed.</summary>
    public int? Dimensions { get; }

    /// <summary>The space that it shares with an image network; null where it shares none.</summary>
    public string? Space { get; }

    /// <summary>By what cosines in that space are multiplied.</summary>
    internal double Scale { get; }

    /// <exception cref="TextFeaturesException">The file cannot be read as word vectors.</exception>
    internal WordVectors Words => _words.Value;

    /// <exception cref="TextFeaturesException">The network or its vocabulary cannot be used.</exception>
    internal SentenceEncoder Sentences => _sentences.Value;

    /// <summary>Names the numbers that a sentence network gives: those of one space are interchangeable.</summary>
    public string FeatureSpace => $"{Id}-{Sha256[..12]}";

    /// <summary>The vector of a text, not to be changed; of a sentence network alone.</summary>
    /// <exception cref="TextFeaturesException">The network or its vocabulary cannot be used.</exception>
    public float[] Encode(string text) => Sentences.Encode(text);

    /// <summary>Tells a sentence network what it gave to a text earlier, so that it need not read it again.</summary>
    /// <param name="text">The text.</param>
    /// <param name="vector">What <see cref="Encode"/> gave in the same <see cref="FeatureSpace"/>.</param>
    /// <returns>false where it cannot be: its length is another.</returns>
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
    /// Looks at the folder <c>text</c> in each of the directories, and at the folders in that, for word vectors in GloVe's format,
    /// <c>*.txt</c> and <c>*.txt.gz</c>, and for sentence networks, <c>*.onnx</c>, with a vocabulary beside, <c>vocab.txt</c> of WordPiece
    /// or <c>sentencepiece.bpe.model</c> or CLIP's <c>merges.txt</c> (also <c>name.vocab.txt</c>…), and where needed <c>name.json</c>
    /// (<see cref="SentenceReading"/>). Or for an assembly, <c>*.dll</c>, with a network and its vocabulary as resources.
    /// </summary>
    /// <returns>What was found, and a sentence for everything that is not as it should be. Nothing is thrown for bad files.</returns>
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

    /// <summary>The ending of a file of word vectors, or null for the name of another one.</summary>
    public static string? EndingOf(string fileName) =>
        Endings.FirstOrDefault(ending => fileName.EndsWith(ending, StringComparison.OrdinalIgnoreCase));

    /// <summary>Reads a file of word vectors to its end, whatever it is called.</summary>
    /// <param name="path">The file.</param>
    /// <param name="fileName">How its owner calls it.</param>
    /// <returns>The length of its vectors.</returns>
    /// <exception cref="TextFeaturesException">It cannot be read as word vectors; the message says where and what was expected.</exception>
    public static int Check(string path, string fileName) => GloveFile.Read(path, fileName).Dimensions;

    /// <summary>Word vectors that were checked.</summary>
    /// <param name="path">The file, under the name that gives its id.</param>
    /// <exception cref="TextFeaturesException">It does not begin as word vectors do.</exception>
    public static RegisteredText Open(string path) =>
        Identify(path) ?? throw new TextFeaturesException($"{System.IO.Path.GetFileName(path)} is not a word vector file: its first line "
            + "does not fit");

    public void Dispose()
    {
        if (_sentences.IsValueCreated)
        {
            _sentences.Value.Dispose();
        }
    }

    /// <exception cref="TextFeaturesException">It is not there.</exception>
    internal static RegisteredText Require(IEnumerable<RegisteredText> registered, string id, string sha256) =>
        registered.FirstOrDefault(file => file.Sha256 == sha256)
            ?? throw new TextFeaturesException($"The features '{id}' need a file that is no longer in the backbone folders (SHA-256 "
                + $"{sha256}): put it back.");

    private static RegisteredText? Identify(string path)
    {
        var name = System.IO.Path.GetFileName(path);
        if (SentenceFiles.IsNetwork(name))
        {
            var alone = System.IO.Path.GetFileNameWithoutExtension(name);
            var id = alone == "model" ? System.IO.Path.GetFileName(System.IO.Path.GetDirectoryName(path)!) : alone;
            return new(id, path, SentenceFiles.Of(path));
        }

        return EndingOf(name) is { } ending && GloveFile.Dimensions(path) is { } dimensions ? new(name[..^ending.Length], path, dimensions)
            : null;
    }
}
