using System.Globalization;
using System.Text;
using Headstart.Learning.Texts;

namespace Headstart.Naming;

/// <summary>
/// Names that people give to models, categories, keys and files. Names that look the same are the same: names pass through
/// <see cref="Clean"/> before they are compared or stored, so that the database can compare bytes. See <see cref="SimilarNames"/> for names
/// that only look alike.
/// </summary>
public static class Names
{
    public const int MaxLength = 100;
    private const int LongestToClean = 10_000; // longer names are refused without cleaning
    private const int ZeroWidthNonJoiner = 0x200C, ZeroWidthJoiner = 0x200D, BlackFlag = 0x1F3F4;

    /// <summary>The name to store, or a sentence that says what is wrong with it.</summary>
    public static (string? Name, string? Problem) Read(string? given, string what)
    {
        if (given?.Length > LongestToClean)
        {
            return (null, TooLong(what));
        }

        var name = Clean(given ?? "");
        return name.Length == 0 ? (null, $"The name of {Article(what)} must not be blank.")
            : name.Length > MaxLength ? (null, TooLong(what))
            : name.EnumerateRunes().Any(IsControl) ? (null, $"The name of {Article(what)} must not contain line breaks, tabs or other "
                + "control characters.")
            : name.Contains('\uFFFD') ? (null, $"The name of {Article(what)} has characters that are not valid UTF-8.")
            : (name, null);
    }

    /// <summary>
    /// The name in composed form (NFC, so that é typed in two ways is one name), without invisible characters, with single plain blanks and
    /// none at its ends. Joiners stay if they change the appearance: in emoji and in scripts that join letters. Variation selectors are
    /// dropped: a heart in colour is still a heart.
    /// </summary>
    public static string Clean(string given)
    {
        if (Ascii.IsValid(given))
        {
            return given.AsSpan().IndexOf("  ") < 0 ? given.Trim() : OneBlankAtATime(given);
        }

        Rune[] seen = [.. UnicodeText.Composed(given).EnumerateRunes().Where(rune => !IsInvisible(rune))];
        var clean = new StringBuilder(given.Length);
        var flag = false; // tags after a black flag name the region
        for (var i = 0; i < seen.Length; i++)
        {
            flag = seen[i].Value == BlackFlag || (flag && IsTag(seen[i]));
            clean.Append(IsBlank(seen[i]) ? " " : IsTag(seen[i]) ? flag ? seen[i].ToString() : ""
                : IsJoiner(seen[i]) && !(i > 0 && i + 1 < seen.Length && Joins(seen[i - 1]) && Joins(seen[i + 1])) ? ""
                : seen[i].ToString());
        }

        // Compose again: characters between a letter and its mark may have been removed.
        return UnicodeText.Composed(OneBlankAtATime(clean.ToString()));
    }

    private static string OneBlankAtATime(string text)
    {
        var one = new StringBuilder(text.Length);
        foreach (var letter in text)
        {
            if (letter != ' ' || (one.Length > 0 && one[^1] != ' '))
            {
                one.Append(letter);
            }
        }

        return one.ToString().Trim();
    }

    private static string Article(string what) => what[0] is 'a' ? $"an {what}" : $"a {what}";

    private static string TooLong(string what) =>
        $"The name of {Article(what)} may have at most {MaxLength} characters; this one is longer.";

    /// <summary>Includes line and paragraph separators, which break lines like control characters.</summary>
    private static bool IsControl(Rune rune) => Rune.IsControl(rune)
        || Rune.GetUnicodeCategory(rune) is UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    /// <summary>Spaces of all widths, and the braille pattern without dots.</summary>
    private static bool IsBlank(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.SpaceSeparator || rune.Value == 0x2800;

    /// <summary>
    /// Invisible characters (Unicode's property Default_Ignorable_Code_Point), such as zero-width spaces, byte order marks, soft hyphens,
    /// direction marks and variation selectors; without joiners and tags, which are sometimes visible.
    /// </summary>
    private static bool IsInvisible(Rune rune) => rune.Value is 0x00AD or 0x034F or 0x061C or 0x115F or 0x1160 or 0x17B4 or 0x17B5
        or (>= 0x180B and <= 0x180F) or 0x200B or 0x200E or 0x200F or (>= 0x202A and <= 0x202E) or (>= 0x2060 and <= 0x206F) or 0x3164
        or (>= 0xFE00 and <= 0xFE0F) or 0xFEFF or 0xFFA0 or (>= 0xFFF0 and <= 0xFFF8) or (>= 0xFFF9 and <= 0xFFFB)
        or (>= 0x1BCA0 and <= 0x1BCA3) or (>= 0x1D173 and <= 0x1D17A)
        or (>= 0xE0000 and < 0xE0020) or (> 0xE007F and <= 0xE0FFF);

    private static bool IsJoiner(Rune rune) => rune.Value is ZeroWidthJoiner or ZeroWidthNonJoiner;

    private static bool IsTag(Rune rune) => rune.Value is >= 0xE0020 and <= 0xE007F;

    /// <summary>Emoji with their skin tones, and the scripts from Arabic to Mongolian and their later blocks.</summary>
    private static bool Joins(Rune rune) => rune.Value is (>= 0x0600 and <= 0x1CFF) or (>= 0xA800 and <= 0xABFF)
        or (>= 0x10A00 and <= 0x11FFF)
        || Rune.GetUnicodeCategory(rune) is UnicodeCategory.OtherSymbol or UnicodeCategory.ModifierSymbol or UnicodeCategory.MathSymbol;
}
