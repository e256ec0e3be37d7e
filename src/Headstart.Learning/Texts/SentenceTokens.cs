using Microsoft.ML.Tokenizers;

namespace Headstart.Learning.Texts;

/// <summary>Converts texts to the ids that a sentence network reads. Thread-safe.</summary>
internal static class SentenceTokens
{
    // Ids that fairseq put before SentencePiece's own pieces when it trained XLM-R; networks derived from XLM-R expect them:
    // https://huggingface.co/docs/transformers/model_doc/xlm-roberta (fairseq_offset).
    private const int Begin = 0;
    private const int End = 2;
    private const int Unknown = 3;

    /// <returns>Converts a text to ids, at most as many as the second argument says, including those at both ends.</returns>
    /// <exception cref="InvalidOperationException">The vocabulary cannot be read.</exception>
    public static Func<string, int, long[]> Of(SentenceFiles files)
    {
        using var vocabulary = files.Vocabulary.Open();
        return files.Tokenizer switch
        {
            Tokenizer.SentencePiece => SentencePieces(vocabulary),
            Tokenizer.BytePairs => BytePairs.Read(vocabulary),
            Tokenizer.PlainWordPiece => PlainWordPieces.Read(vocabulary, files.Table!.Tokens),
            _ => WordPieces(vocabulary, IsCased(Lines(files.Vocabulary))),
        };
    }

    /// <summary>A vocabulary without capitals belongs to a network that was trained without capitals and accents.</summary>
    public static bool IsCased(IEnumerable<string> vocabulary) =>
        vocabulary.Any(token => !token.StartsWith('[') && token.Any(char.IsUpper));

    /// <summary>The text as such a network reads it. The tokenizer's own lower-casing and accent stripping need ICU, which Headstart does
    /// not use.</summary>
    public static string Spelled(string text, bool cased) => cased ? text : UnicodeText.WithoutAccents(UnicodeText.Folded(text));

    private static Func<string, int, long[]> WordPieces(Stream vocabulary, bool cased)
    {
        var tokenizer = BertTokenizer.Create(vocabulary,
            new BertOptions { LowerCaseBeforeTokenization = false, RemoveNonSpacingMarks = false });
        return (text, most) => [.. tokenizer.EncodeToIds(Spelled(text, cased), most, addSpecialTokens: true, out _, out _)
            .Select(id => (long)id)];
    }

    private static Func<string, int, long[]> SentencePieces(Stream vocabulary)
    {
        var tokenizer = SentencePieceTokenizer.Create(vocabulary, addBeginningOfSentence: false, addEndOfSentence: false);
        return (text, most) => [Begin, .. tokenizer.EncodeToIds(UnicodeText.Compatible(text), false, false, most - 2, out _, out _)
            .Select(id => id == tokenizer.UnknownId ? Unknown : id + 1L), End];
    }

    private static IEnumerable<string> Lines(FilePart file)
    {
        using var lines = new StreamReader(file.Open());
        while (lines.ReadLine() is { } line)
        {
            yield return line;
        }
    }
}
