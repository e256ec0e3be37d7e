using Headstart.Learning.Texts;

namespace Headstart.Learning.Tests.Texts;

public sealed class TokensTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData(" \t\r\n\u00A0\u3000", "")]
    [InlineData("Hello", "hello")]
    [InlineData("I don't think so; 3.14 is 1,000 times U.S.", "i don't think so ; 3.14 is 1,000 times u . s .")]
    [InlineData("l\u2019eau vive", "l'eau vive")]
    [InlineData("ﬁne Ｆｕｌｌ ㎏ e\u0301t\u00E9", "fine full kg \u00E9t\u00E9")]
    [InlineData("STRASSE straße ΣΑΣ σας", "strasse strasse σασ σασ")]
    [InlineData("我喜欢电影", "我 喜 欢 电 影")]
    [InlineData("映画がﾄﾃﾓ好き", "映 画 が ト テ モ 好 き")]
    [InlineData("ภาพยนตร์", "ภ า พ ย น ต ร์")]
    [InlineData("나는 영화를 좋아한다", "나는 영화를 좋아한다")]
    [InlineData("הסרט היה נפלא", "הסרט היה נפלא")]
    [InlineData("كتاب\u200Cها \u200Fجميل", "كتابها جميل")]
    [InlineData("great👍🏽👨‍👩‍👧 🇩🇪❤️ 1️⃣!!! :)", "great 👍🏽 👨👩👧 🇩🇪 ❤ 1⃣ !!! :)")]
    [InlineData("so\u00ADft hyphen", "soft hyphen")]
    public void A_text_is_divided_into_folded_tokens(string text, string expected) =>
        Assert.Equal(expected, string.Join(' ', Tokens.Of(text).Select(token => token.Text)));

    [Fact]
    public void The_same_text_in_composed_and_decomposed_form_has_the_same_tokens() =>
        Assert.Equal(Tokens.Of("\u00E9t\u00E9 \uAC00").Select(token => token.Text),
            Tokens.Of("e\u0301te\u0301 \u1100\u1161").Select(token => token.Text));

    [Fact]
    public void A_token_says_where_it_stood_in_the_text_as_given()
    {
        const string Text = "ﬁne, 👍🏽 我ok";
        Assert.Equal(["ﬁne", ",", "👍🏽", "我", "ok"], Tokens.Of(Text).Select(token => Text.Substring(token.Start, token.Length)));
    }

    [Fact]
    public void Half_surrogates_and_control_characters_do_no_harm() =>
        Assert.Equal(["a", "b"], Tokens.Of("a\uD83D \0\u0007 \uDE00b").Where(token => token.Kind == TokenKind.Word)
            .Select(token => token.Text));

    [Fact]
    public void What_is_beyond_the_longest_text_counts_for_nothing_and_no_emoji_is_torn_there()
    {
        var text = new string(' ', Tokens.MaxLength - 1) + "👍 hello";
        Assert.Empty(Tokens.Of(text));
        Assert.Equal(Tokens.MaxLength, Tokens.Of(string.Concat(Enumerable.Repeat("我", 3 * Tokens.MaxLength))).Count);
    }

    [Fact]
    public void A_run_of_letters_without_end_is_cut() =>
        Assert.All(Tokens.Of(new string('x', 5_000)), token => Assert.InRange(token.Length, 1, Tokens.MaxToken));
}
