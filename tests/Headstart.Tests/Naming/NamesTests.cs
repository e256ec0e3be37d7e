using Headstart.Naming;

namespace Headstart.Tests.Naming;

public sealed class NamesTests
{
    [Theory]
    [InlineData("Cafe\u0301", "Caf\u00e9", "macOS writes a letter and its accent")]
    [InlineData("cat\u200b", "cat", "zero-width space")]
    [InlineData("\ufeffcat", "cat", "byte order mark")]
    [InlineData("d\u00adog", "dog", "soft hyphen")]
    [InlineData("\u200f\u05db\u05dc\u05d1\u200e", "\u05db\u05dc\u05d1", "direction marks")]
    [InlineData("\u202ecat\u202c \u2066dog\u2069", "cat dog", "overriding directions")]
    [InlineData("\u2764\ufe0f", "\u2764", "a heart in colour")]
    [InlineData("cat\u200dfish \u200ccat", "catfish cat", "joiners between letters that do not join")]
    [InlineData("e\u200b\u0301", "\u00e9", "something invisible between a letter and its accent")]
    [InlineData("hot\u00a0dog", "hot dog", "no-break space")]
    [InlineData("\u3000hot \u2009\u202f dog\u2007", "hot dog", "blanks of all widths")]
    [InlineData("  hot   dog ", "hot dog", "blanks that a page shows as one")]
    [InlineData("\u3164", "", "a filler that is seen as nothing")]
    [InlineData("1\ufe0f\u20e3", "1\u20e3", "a key")]
    public void What_looks_the_same_is_the_same_name(string given, string expected, string why)
    {
        Assert.True(Names.Clean(given) == expected, why);
        Assert.Equal(expected, Names.Clean(expected));
    }

    [Theory]
    [InlineData("\ud83d\udc68\u200d\ud83d\udc69\u200d\ud83d\udc67")] // a family
    [InlineData("\ud83d\udc69\ud83c\udffd\u200d\ud83d\udd2c")] // a scientist with a colour of skin
    [InlineData("\ud83c\udff4\udb40\udc67\udb40\udc62\udb40\udc65\udb40\udc6e\udb40\udc67\udb40\udc7f")] // England
    [InlineData("\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645")] // Persian, with a non-joiner that is seen
    [InlineData("\u0915\u094d\u200d\u0937")] // Hindi, likewise
    [InlineData("東京 🐈 Ünïcode \"a\\b/c\" 'd'")]
    public void What_is_seen_stays(string name) => Assert.Equal((name, null), Names.Read(name, "category"));

    [Theory]
    [InlineData("caf\u00e9\0x")]
    [InlineData("caf\u00e9\u2028x")]
    [InlineData("caf\u00e9\tx")]
    [InlineData("caf\u00e9 \ud83d")]
    [InlineData("\u200b\ufeff")]
    [InlineData("\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9", 11)]
    [InlineData("\udb40\udc67", 100_000)]
    public void What_cannot_be_a_name_is_refused(string part, int times = 1)
    {
        var (name, problem) = Names.Read(string.Concat(Enumerable.Repeat(part, times)), "category");
        Assert.Null(name);
        Assert.StartsWith("The name of a category ", problem);
    }

    [Fact]
    public void A_sequence_of_emoji_is_the_same_with_and_without_variation_selectors() =>
        Assert.Equal(Names.Clean("\u2764\u200d\ud83d\udd25"), Names.Clean("\u2764\ufe0f\u200d\ud83d\udd25"));

    [Theory]
    [InlineData("Cat", "cat", "case")]
    [InlineData("STRASSE", "straße", "case, width or blanks")]
    [InlineData("Cat", "Ｃａｔ", "case, width or blanks")]
    [InlineData("hotdog", "hot dog", "only in blanks")]
    [InlineData("dog", "d\u043eg", "look alike")] // Cyrillic о
    [InlineData("Cat", "\u0421at", "look alike")] // Cyrillic С
    [InlineData("CAT", "\u0421\u0410\u0422", "look alike")] // all of it Cyrillic
    [InlineData("Alpha", "\u0391lpha", "look alike")] // Greek Α
    [InlineData("КОШКА", "кошка", "only in case")]
    [InlineData("dog's", "dog’s", "look alike")]
    [InlineData("T-shirt", "T–shirt", "look alike")]
    [InlineData("007", "7", "the same number")]
    [InlineData("1", "1.0", "the same number")]
    public void Names_that_differ_in_what_eyes_overlook_are_similar(string one, string other, string how)
    {
        Assert.True(SimilarNames.Are(one, other));
        Assert.Equal([[one, other]], SimilarNames.Find(["before", one, "between", other, "after"]));
        Assert.Contains(how, SimilarNames.Difference(one, other));
    }

    [Theory]
    [InlineData("cat", "cats")]
    [InlineData("cafe", "café")]
    [InlineData("1", "l")]
    [InlineData("вера", "bepa")]
    [InlineData("東京", "京東")]
    public void Other_names_are_not(string one, string other) => Assert.False(SimilarNames.Are(one, other));
}
