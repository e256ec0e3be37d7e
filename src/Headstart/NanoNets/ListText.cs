using System.Text;
using System.Text.Json;

namespace Headstart.NanoNets;

/// <summary>
/// Lists that arrive as one text: JSON, or what Python prints, <c>['cats', "dog's"]</c>, which is what the generated client sends for a list.
/// </summary>
internal static class ListText
{
    /// <returns>The elements; null where the text is no list of texts.</returns>
    public static List<string>? Read(string text)
    {
        text = text.Trim();
        return text is not ['[', .., ']'] ? null : FromJson(text) ?? FromPython(text.AsSpan(1, text.Length - 2));
    }

    private static List<string>? FromJson(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<List<string>>(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static List<string>? FromPython(ReadOnlySpan<char> rest)
    {
        var items = new List<string>();
        rest = rest.Trim();
        while (!rest.IsEmpty)
        {
            rest = rest.TrimStart('u'); // Python 2
            if (rest is not ['\'' or '"', ..] || Quoted(rest, out var length) is not { } item)
            {
                return null;
            }

            items.Add(item);
            rest = rest[length..].TrimStart();
            if (!rest.IsEmpty && rest[0] != ',')
            {
                return null;
            }

            rest = rest.TrimStart(',').TrimStart();
        }

        return items;
    }

    private static string? Quoted(ReadOnlySpan<char> text, out int length)
    {
        var item = new StringBuilder();
        for (length = 1; length < text.Length; length++)
        {
            if (text[length] == text[0])
            {
                length++;
                return item.ToString();
            }

            if (text[length] == '\\' && length + 1 < text.Length)
            {
                length++; // of the escapes those that a name can have: quotes and the backslash itself
            }

            item.Append(text[length]);
        }

        return null;
    }
}
