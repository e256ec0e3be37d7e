using Headstart.Learning.Texts;

namespace Headstart.Reports;

/// <summary>A text as shown on the page: its beginning, with the most influential words marked.</summary>
internal static class TextMarks
{
    private const int Shown = 400;
    private const int Short = 80;
    private const double Strongest = 0.5; // opacity
    private const double Faintest = 0.05; // relative to the strongest word; weaker words are not marked

    public static Html Of(string text, IReadOnlyList<WordWeight> words)
    {
        var end = End(text, Shown);
        var most = words.Select(word => Math.Abs(word.Weight)).DefaultIfEmpty().Max();
        var at = 0;
        Html marked = $"";
        foreach (var word in words.Where(word => most > 0 && Math.Abs(word.Weight) >= Faintest * most && word.Start + word.Length <= end)
            .OrderBy(word => word.Start))
        {
            if (word.Start >= at)
            {
                marked.AppendFormatted(text[at..word.Start]);
                marked.AppendFormatted(Mark(word, most));
                at = word.Start + word.Length;
            }
        }

        marked.AppendFormatted(text[at..end] + (end < text.Length ? "…" : ""));
        return marked;
    }

    public static string Shortened(string text) => End(text, Short) is var end && end < text.Length ? text[..end] + "…" : text;

    private static Html Mark(WordWeight word, double most)
    {
        var colour = word.Weight > 0 ? "37 99 235" : "234 88 12";
        return $"<mark style=\"background:rgb({colour} / {Strongest * Math.Abs(word.Weight) / most:0.##})\">{word.Word}</mark>";
    }

    /// <summary>Never cuts a surrogate pair in half.</summary>
    private static int End(string text, int longest) => text.Length <= longest ? text.Length : char.IsHighSurrogate(text[longest - 1])
        ? longest - 1 : longest;
}
