using System.Globalization;
using System.Text;

namespace Headstart.Learning.Texts;

/// <summary>
/// Divides texts into tokens. After the word boundaries of Unicode Standard Annex 29, without their dictionaries: a word is letters, digits
/// and marks, with apostrophes between letters and points or commas between digits; scripts that write no spaces are divided into
/// characters, which pairs of tokens make words of again; what looks like one emoji is one token.
/// </summary>
public static class Tokens
{
    /// <summary>UTF-16 code units that are looked at; what follows them is as if it were not there.</summary>
    public const int MaxLength = 20_000;

    /// <summary>UTF-16 code units of the longest token; a longer run is cut into several.</summary>
    public const int MaxToken = 100;

    /// <param name="text">Any string; half surrogate pairs and control characters do no harm.</param>
    public static List<Token> Of(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var end = Math.Min(text.Length, MaxLength);
        if (end < text.Length && char.IsLowSurrogate(text[end]))
        {
            end--;
        }

        var tokens = new List<Token>(end / 5);
        for (var at = 0; at < end;)
        {
            var (kind, length) = Next(text.AsSpan(at, end - at));
            if (kind is { } found && Folded(text.Substring(at, length)) is { Length: > 0 } folded)
            {
                tokens.Add(new Token(folded, at, length, found));
            }

            at += length;
        }

        return tokens;
    }

    /// <summary>The kind and length of what the text begins with; no kind for what stands between tokens.</summary>
    private static (TokenKind? Kind, int Length) Next(ReadOnlySpan<char> text)
    {
        _ = Rune.DecodeFromUtf16(text, out var first, out var length);
        if (IsUnspaced(first))
        {
            return (TokenKind.Character, StringInfo.GetNextTextElementLength(text));
        }

        if (IsWordPart(first))
        {
            // A keycap is a digit with a frame, and one sign.
            var element = StringInfo.GetNextTextElementLength(text);
            return text[..element].Contains('\u20E3') ? (TokenKind.Sign, element) : (TokenKind.Word, WordLength(text));
        }

        return Rune.GetUnicodeCategory(first) switch
        {
            UnicodeCategory.MathSymbol or UnicodeCategory.CurrencySymbol or UnicodeCategory.ModifierSymbol or UnicodeCategory.OtherSymbol
                => (TokenKind.Sign, StringInfo.GetNextTextElementLength(text)),
            _ when IsPunctuation(first) => (TokenKind.Punctuation, PunctuationLength(text)),
            _ => (null, length),
        };
    }

    private static int WordLength(ReadOnlySpan<char> text)
    {
        var (at, before) = (0, default(Rune));
        while (at < text.Length && at < MaxToken)
        {
            _ = Rune.DecodeFromUtf16(text[at..], out var rune, out var length);
            if (!(IsWordPart(rune) && !IsUnspaced(rune)) && !IsExtend(rune) && !(at > 0 && Joins(rune, before, text[(at + length)..])))
            {
                break;
            }

            (at, before) = (at + length, IsExtend(rune) ? before : rune);
        }

        return at;
    }

    /// <summary>Whether a sign between two parts belongs to the word (WB6, WB7, WB11 and WB12): don't, l’eau, 3.14, 1,000.</summary>
    private static bool Joins(Rune sign, Rune before, ReadOnlySpan<char> rest)
    {
        _ = Rune.DecodeFromUtf16(rest, out var after, out _);
        return sign.Value switch
        {
            '\'' or '\u2019' => Rune.IsLetter(before) && Rune.IsLetter(after),
            '.' or ',' => Rune.IsDigit(before) && Rune.IsDigit(after),
            _ => false,
        };
    }

    private static int PunctuationLength(ReadOnlySpan<char> text)
    {
        var at = 0;
        while (at < text.Length && at < MaxToken)
        {
            _ = Rune.DecodeFromUtf16(text[at..], out var rune, out var length);
            if (!IsPunctuation(rune))
            {
                break;
            }

            at += length;
        }

        return at;
    }

    private static bool IsWordPart(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter
        or UnicodeCategory.TitlecaseLetter or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter
            or UnicodeCategory.NonSpacingMark
        or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark or UnicodeCategory.DecimalDigitNumber
            or UnicodeCategory.LetterNumber
        or UnicodeCategory.OtherNumber or UnicodeCategory.ConnectorPunctuation;

    /// <summary>Marks and invisible characters, which belong to what they follow (WB4): the Persian non-joiner, soft hyphens.</summary>
    private static bool IsExtend(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark
        or UnicodeCategory.EnclosingMark or UnicodeCategory.Format && rune.Value != 0xFEFF;

    private static bool IsPunctuation(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.DashPunctuation or UnicodeCategory.OpenPunctuation
        or UnicodeCategory.ClosePunctuation or UnicodeCategory.InitialQuotePunctuation or UnicodeCategory.FinalQuotePunctuation
        or UnicodeCategory.OtherPunctuation;

    /// <summary>Han, Hiragana, Katakana, Thai, Lao, Myanmar and Khmer. (Korean has spaces.)</summary>
    private static bool IsUnspaced(Rune rune) => Rune.IsLetter(rune) && rune.Value is (>= 0x0E00 and <= 0x0EFF) or (>= 0x1000 and <= 0x109F)
        or (>= 0x1780 and <= 0x17FF) or (>= 0x3005 and <= 0x3007) or (>= 0x3041 and <= 0x30FF) or (>= 0x31F0 and <= 0x31FF)
            or (>= 0x3400 and <= 0x4DBF)
        or (>= 0x4E00 and <= 0x9FFF) or (>= 0xF900 and <= 0xFAFF) or (>= 0xFF66 and <= 0xFF9F) or (>= 0x20000 and <= 0x3FFFF);

    /// <summary>Without the invisible: variation selectors, joiners outside emoji, directions, soft hyphens.</summary>
    private static string Folded(string token)
    {
        var folded = UnicodeText.Folded(token);
        return Ascii.IsValid(folded) ? folded : string.Concat(folded.EnumerateRunes().Where(rune => !IsInvisible(rune))
            .Select(rune => rune.ToString())).Replace('\u2019', '\'');
    }

    private static bool IsInvisible(Rune rune) => Rune.GetUnicodeCategory(rune) is UnicodeCategory.Format or UnicodeCategory.Control
        || rune.Value is (>= 0xFE00 and <= 0xFE0F) or 0x034F;
}
