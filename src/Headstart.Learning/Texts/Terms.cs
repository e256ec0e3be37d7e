using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Texts;

/// <summary>What is counted in a text. A term is handed out as characters that are gone after the call: most are never kept.</summary>
internal static class Terms
{
    public delegate void Counter(ReadOnlySpan<char> term);

    /// <summary>Every token and every two that follow each other, a space between them, which is in no token.</summary>
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

    /// <summary>The runs of three to five characters in every word, its ends being spaces: beginnings and endings say that they are
    /// that.</summary>
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
