namespace Headstart.Learning.Texts;

/// <summary>A word, a character of a script without spaces, an emoji, or a run of punctuation.</summary>
/// <param name="Text">Its folded form: NFKC, no case, no invisible marks.</param>
/// <param name="Start">Start in the original text, in UTF-16 code units.</param>
/// <param name="Length">Length in the original text, in UTF-16 code units.</param>
/// <param name="Kind">Its kind.</param>
public readonly record struct Token(string Text, int Start, int Length, TokenKind Kind);

/// <summary>Kind of a token.</summary>
public enum TokenKind
{
    /// <summary>Letters and digits between spaces or punctuation.</summary>
    Word,

    /// <summary>One character of a script without spaces between words, with its combining marks.</summary>
    Character,

    /// <summary>An emoji or another symbol, with its modifiers.</summary>
    Sign,

    /// <summary>A run of punctuation.</summary>
    Punctuation,
}
