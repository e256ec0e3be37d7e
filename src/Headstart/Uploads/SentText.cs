using System.Text.Json;
using Headstart.Data;

namespace Headstart.Uploads;

/// <summary>A text as it was sent, or why it could not be read.</summary>
/// <param name="Category">Empty or null where it has none.</param>
/// <param name="FileName">Of the file that it stands in; null where the body of the request is the file.</param>
/// <param name="Split">As its sender gave it.</param>
internal sealed record SentText(string? Text, string? Category, string? FileName = null, string? Split = null, string? Reason = null, string? Detail = null)
{
    public static SentText Not(string reason, string detail) => new(null, null, Reason: reason, Detail: detail);

    /// <summary>A string, or an object with a text and if wanted its category and its split.</summary>
    public static SentText Of(JsonElement value)
    {
        try
        {
            return value.ValueKind switch
            {
                JsonValueKind.String => new(value.GetString(), null),
                JsonValueKind.Object => new(Field(value, "text"), Label(value, "category") ?? Label(value, "label"), Split: Field(value, "split")),
                var kind => Not("invalid-row", $$"""This is {{kind.ToString().ToLowerInvariant()}} and not a text, such as {"text":"…","category":"…"}."""),
            };
        }
        catch (InvalidOperationException) // a string that is not Unicode, or a field that is no string
        {
            return Not("invalid-row", """The text or its category is not a string of valid Unicode, such as {"text":"…","category":"…"}.""");
        }
    }

    /// <summary>The side that its sender gave it; null where the content decides.</summary>
    /// <returns>Whether it is one, or none was given.</returns>
    public bool TryReadSplit(out Split? side) => Sides.TryRead(Split, out side);

    /// <summary>Data sets name categories 0 and 1, too.</summary>
    private static string? Label(JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) && value.ValueKind is (JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False) ? value.GetRawText() : Field(of, name);

    private static string? Field(JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.GetString() : null;
}
