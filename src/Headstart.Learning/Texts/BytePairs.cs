using System.Text.RegularExpressions;
using Microsoft.ML.Tokenizers;

namespace Headstart.Learning.Texts;

/// <summary>
/// CLIP's tokenizer: lower-case words in UTF-8, whose bytes are merged pair by pair, the most frequent pairs first (Sennrich et al. 2016).
/// The pairs determine its vocabulary (OpenAI's simple_tokenizer.py): each byte, each byte that ends a word, the result of each merge, and
/// the two tokens that begin and end a text.
/// </summary>
internal static partial class BytePairs
{
    private const string EndOfWord = "</w>";
    private const string Version = "#version"; // in the first line of the file

    /// <param name="merges"><c>merges.txt</c>, one pair per line.</param>
    /// <returns>Converts a text to ids, at most as many as the second argument says, including the begin and end tokens.</returns>
    /// <exception cref="TextFeaturesException">The file is not valid.</exception>
    public static Func<string, int, long[]> Read(Stream merges)
    {
        using var lines = new StreamReader(merges);
        var pairs = new List<string>();
        while (lines.ReadLine()?.Trim() is { } line)
        {
            if (line.Length > 0 && !(pairs.Count == 0 && line.StartsWith(Version, StringComparison.Ordinal)))
            {
                pairs.Add(line.Split(' ').Length == 2 ? line : throw new TextFeaturesException(
                    $"line {pairs.Count + 1} of its vocabulary is not two pieces separated by a space"));
            }
        }

        string[] bytes = [.. Bytes()];
        string[] tokens = [.. bytes, .. bytes.Select(value => value + EndOfWord), .. pairs.Select(pair => pair.Replace(" ", ""))];
        var tokenizer = BpeTokenizer.Create(new BpeOptions(tokens.Distinct().Select((token, id) => KeyValuePair.Create(token, id)))
        {
            Merges = pairs,
            PreTokenizer = new RegexPreTokenizer(Words(), null),
            EndOfWordSuffix = EndOfWord,
            ByteLevel = true,
        });
        var begin = tokens.Distinct().Count();
        return (text, most) => [begin, .. tokenizer.EncodeToIds(UnicodeText.Folded(text)).Take(most - 2).Select(id => (long)id), begin + 1];
    }

    /// <summary>A character for each byte, none of them blank: printable ones stand for themselves and come first, as in GPT-2.</summary>
    private static IEnumerable<string> Bytes()
    {
        var seen = Enumerable.Range('!', '~' - '!' + 1).Concat(Enumerable.Range(0xA1, 0xAC - 0xA1 + 1))
            .Concat(Enumerable.Range(0xAE, 0xFF - 0xAE + 1)).ToList();
        return seen.Concat(Enumerable.Range(256, 256 - seen.Count)).Select(code => ((char)code).ToString());
    }

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+")]
    private static partial Regex Words();
}
