using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;

namespace Headstart.Reports;

/// <summary>
/// A piece of a page, written as an interpolated string. Interpolated values are escaped for elements and quoted attributes; only another
/// piece is inserted as it is. A plain string cannot become a piece, so escaping cannot be forgotten.
/// </summary>
[InterpolatedStringHandler]
internal sealed class Html(int literalLength, int formattedCount)
{
    private readonly StringBuilder _text = new(literalLength + 16 * formattedCount);

    public void AppendLiteral(string markup) => _text.Append(markup);

    public void AppendFormatted(string? text) => _text.Append(WebUtility.HtmlEncode(text));

    public void AppendFormatted(int number) => _text.Append(number.ToString("#,0", CultureInfo.InvariantCulture));

    public void AppendFormatted(double number, string format) => _text.Append(number.ToString(format, CultureInfo.InvariantCulture));

    public void AppendFormatted(Html? piece) => _text.Append(piece?._text);

    public void AppendFormatted(IEnumerable<Html> pieces)
    {
        foreach (var piece in pieces)
        {
            _text.Append(piece._text);
        }
    }

    public override string ToString() => _text.ToString();

    public static IEnumerable<Html> Each<T>(IEnumerable<T> items, Func<T, Html> piece) => items.Select(piece);

    /// <returns>null if the body is empty.</returns>
    public static Html? Section(string title, Html? body)
    {
        if (body is null)
        {
            return null;
        }

        return $"<section><h2>{title}</h2>\n{body}\n</section>\n";
    }

    /// <summary>A word with its first letter capitalised.</summary>
    public static string Title(string word) => char.ToUpperInvariant(word[0]) + word[1..];

    public static Html Paragraph(string text) => $"<p>{text}</p>";

    /// <summary>Wide tables scroll in their own box, also by keyboard.</summary>
    public static Html Table(string name, IEnumerable<string> heads, IEnumerable<Html> rows, string look = "") => $"""
        <div class="wide" role="region" aria-label="{name}" tabindex="0"><table class="{look}"><thead><tr>{Each(heads, head => $"<th scope=\"col\">{head}</th>")}</tr></thead>
        <tbody>{rows}</tbody></table></div>
        """;

    public static Html Percent(double share) => $"<span class=\"n\">{Advice.Percent(share)}</span>";

    /// <summary>For table columns, with aligned decimal points; a dash for unknown values.</summary>
    public static string PercentOrDash(double? share) => share is { } known
        ? string.Create(CultureInfo.InvariantCulture, $"{100 * known:0.0} %") : "–";

    public static string Range(double low, double high) =>
        string.Create(CultureInfo.InvariantCulture, $"{100 * low:0.0} to {100 * high:0.0} %");
}
