namespace Headstart.Learning.Texts;

/// <summary>A word, a character of a script without spaces, an emoji, or a run of punctuation.</summary>
/// <param name="Text">Its folded form: NFKC, no case, no invisible marks.</param>
/// <param name="Start">Where it begins in the text as it was given, in UTF-16 code units.</param>
/// <param name="Length">How long it is there.</param>
/// <param name="Kind">What it is.</param>
public readonly record struct Token(string Text, int Start, int Length, TokenKind Kind);

/// <summary>What a token is.</summary>
public enum TokenKind
{
    /// <summary>Letters and digits between spaces or punctuation.</summary>
    Word,

    /// <summary>One character of a script that puts no spaces between words, with its marks.</summary>
    Character,

    /// <summary>An emoji or another sign, with all that modifies it.</summary>
    Sign,

    /// <summary>Punctuation, as long as it is.</summary>
    Punctuation,
}
