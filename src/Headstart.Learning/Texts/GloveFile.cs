using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Headstart.Learning.Texts;

/// <summary>Word vectors in GloVe's text format: one word and its values per line, separated by spaces, optionally after word2vec's header
/// line of two numbers.</summary>
internal static class GloveFile
{
    /// <summary>Number of words read; files list the most frequent first.</summary>
    public const int MaxWords = 200_000;

    private const int MaxDimensions = 2_048;
    private const int MaxLine = 1 << 16; // UTF-16 units: a file without line ends must not fill the memory

    /// <summary>The length of the vectors, if the file begins like word vectors; null for others, such as notes in the same
    /// folder.</summary>
    public static int? Dimensions(string path)
    {
        try
        {
            using var reader = Reader(path, path);
            var parts = (ReadLine(reader, new()) ?? "").TrimEnd().Split(' ');
            return parts.Length < 2 || !parts.Skip(1)
                .All(part => float.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out _)) ? null
                : IsHeader(parts) ? int.Parse(parts[1], CultureInfo.InvariantCulture) : parts.Length - 1;
        }
        catch (Exception exception) when (exception is InvalidDataException or DecoderFallbackException)
        {
            return null;
        }
    }

    /// <param name="path">The file.</param>
    /// <param name="name">Name shown to the user; gzip-compressed if it ends in <c>.gz</c>.</param>
    /// <exception cref="TextFeaturesException">The file cannot be read as word vectors; the message says where.</exception>
    public static WordVectors Read(string path, string name)
    {
        try
        {
            using var reader = Reader(path, name);
            return Read(reader, name);
        }
        catch (Exception exception) when (exception is IOException or InvalidDataException or UnauthorizedAccessException
            or DecoderFallbackException)
        {
            throw new TextFeaturesException($"{name} cannot be read as word vectors: {exception.Message.TrimEnd('.')}.", exception);
        }
    }

    /// <returns>null at the end of the file.</returns>
    private static string? ReadLine(StreamReader reader, StringBuilder line)
    {
        line.Clear();
        int unit;
        while ((unit = reader.Read()) is >= 0 and not '\n')
        {
            line.Append(line.Length < MaxLine ? (char)unit
                : throw new InvalidDataException($"a line is longer than {MaxLine:N0} characters"));
        }

        return unit < 0 && line.Length == 0 ? null : line.ToString();
    }

    private static bool IsHeader(string[] parts) => parts.Length == 2
        && parts.All(part => int.TryParse(part, CultureInfo.InvariantCulture, out _));

    private static StreamReader Reader(string path, string name)
    {
        var file = File.OpenRead(path);
        return new(name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionMode.Decompress) : file,
            new UTF8Encoding(false, throwOnInvalidBytes: true));
    }

    private static WordVectors Read(StreamReader reader, string name)
    {
        var words = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var values = new List<float>();
        var dimensions = 0;
        var buffer = new StringBuilder();
        for (var line = 1; words.Count < MaxWords && ReadLine(reader, buffer) is { } text; line++)
        {
            var parts = text.TrimEnd().Split(' ');
            if (line == 1 && IsHeader(parts))
            {
                continue;
            }

            dimensions = dimensions == 0 ? parts.Length - 1 : dimensions;
            // Some files have "New York" and words that differ only in case: the first, which is the most frequent, counts.
            var word = parts.Length == dimensions + 1 ? UnicodeText.Folded(parts[0]) : "";
            if (dimensions is < 2 or > MaxDimensions || parts.Length < dimensions + 1)
            {
                throw new TextFeaturesException($"{name} cannot be read as word vectors: line {line} has {parts.Length - 1} values.");
            }

            if (word.Length > 0 && seen.Add(word))
            {
                words.Add(word);
                values.AddRange(parts.Skip(1).Select(part =>
                    float.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && float.IsFinite(value)
                    ? value : throw new TextFeaturesException($"{name} cannot be read as word vectors: '{part}' in line {line} is not a "
                        + "number.")));
            }
        }

        return words.Count > 0 ? new WordVectors([.. words], [.. values], [], dimensions)
            : throw new TextFeaturesException($"{name} cannot be read as word vectors: it is empty.");
    }
}
