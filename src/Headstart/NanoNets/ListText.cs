using System.Text;
using System.Text.Json;

namespace Headstart.NanoNets;

/// <summary>
/// Lists sent as one string: JSON, or a printed Python list, <c>['cats', "dog's"]</c>, as NanoNets' generated client sends it.
/// </summary>
internal static class ListText
{
    /// <returns>The elements; null if the string is not a list of strings.</returns>
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
                length++; // only the escapes that occur in names: quotes and the backslash itself
            }

            item.Append(text[length]);
        }

        return null;
    }
}
