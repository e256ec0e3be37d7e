using System.Text.Json;
using Headstart.Data;
using Headstart.Operations;

namespace Headstart.Uploads;

/// <summary>A text as it was sent, or why it could not be read.</summary>
/// <param name="Category">Empty or null if it has none.</param>
/// <param name="FileName">The file that contains it; null if the request body is the file.</param>
/// <param name="Split">As its sender gave it.</param>
/// <param name="Confirmed">Whether the sender says that a person has confirmed the category.</param>
internal sealed record SentText(string? Text, string? Category, string? FileName = null, string? Split = null, string? Reason = null,
    string? Detail = null, bool Confirmed = false)
{
    public static SentText Not(string reason, string detail) => new(null, null, Reason: reason, Detail: detail);

    /// <summary>A string, or an object with a text and optionally its category and split.</summary>
    public static SentText Of(JsonElement value)
    {
        try
        {
            return value.ValueKind switch
            {
                JsonValueKind.String => new(value.GetString(), null),
                JsonValueKind.Object when FieldTypos.In("The text", [.. value.EnumerateObject().Select(field => field.Name)]) is { } typo =>
                    Not("unknown-field", typo),
                JsonValueKind.Object => new(Field(value, "text"), Label(value, "category") ?? Label(value, "label"),
                Field(value, "fileName") is { } name ? RequestBodies.Readable(name) : null, Field(value, "split"),
                Confirmed: value.TryGetProperty("confirmed", out var confirmed) && confirmed.ValueKind == JsonValueKind.True),
                var kind => Not("invalid-row",
                    $$"""Expected a text such as {"text":"…","category":"…"}, not a JSON {{kind.ToString().ToLowerInvariant()}}."""),
            };
        }
        catch (InvalidOperationException) // a string that is not valid Unicode, or a field that is not a string
        {
            return Not("invalid-row",
                """The text or its category is not a valid Unicode string; send an object such as {"text":"…","category":"…"}.""");
        }
    }

    /// <summary>The split given by the sender; null if the content decides.</summary>
    /// <returns>Whether the given split is valid or absent.</returns>
    public bool TryReadSplit(out Split? side) => SplitNames.TryRead(Split, out side);

    /// <summary>Accepts numbers too, since some data sets name their categories 0 and 1.</summary>
    private static string? Label(JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) && value.ValueKind is (JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False)
            ? value.GetRawText() : Field(of, name);

    private static string? Field(JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.GetString() : null;
}
