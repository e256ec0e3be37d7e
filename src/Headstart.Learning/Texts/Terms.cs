using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Texts;

/// <summary>Splits texts into terms. A term is passed as characters that are valid only during the call, because most are never
/// kept.</summary>
internal static class Terms
{
    public delegate void Counter(ReadOnlySpan<char> term);

    /// <summary>Every token, and every two consecutive ones with a space between them, which no token contains.</summary>
    public static void OfWords(IReadOnlyList<Token> tokens, Counter count)
    {
        Span<char> pair = stackalloc char[4 * Tokens.MaxToken];
        for (var i = 0; i < tokens.Count; i++)
        {
            var word = tokens[i].Text;
            count(word);
            if (i > 0 && tokens[i - 1].Text is { } before && before.Length + 1 + word.Length <= pair.Length)
            {
                before.CopyTo(pair);
                pair[before.Length] = ' ';
                word.CopyTo(pair[(before.Length + 1)..]);
                count(pair[..(before.Length + 1 + word.Length)]);
            }
        }
    }

    /// <summary>Sequences of three to five characters in every word. A space marks each end of the word, so that its beginning and end are
    /// terms of their own.</summary>
    public static void OfPieces(IReadOnlyList<Token> tokens, Counter count)
    {
        Span<char> padded = stackalloc char[2 * Tokens.MaxToken + 2];
        foreach (var token in tokens)
        {
            if (token.Kind == TokenKind.Word && token.Text.Length + 2 <= padded.Length)
            {
                var word = padded[..(token.Text.Length + 2)];
                word[0] = word[^1] = ' ';
                token.Text.CopyTo(word[1..]);
                for (var length = ShortestTermPiece; length <= Math.Min(LongestTermPiece, word.Length); length++)
                {
                    for (var at = 0; at + length <= word.Length; at++)
                    {
                        count(word.Slice(at, length));
                    }
                }
            }
        }
    }
}
