using System.Globalization;
using System.Text.Json;

namespace Headstart.Uploads.Formats;

/// <summary>Numbers in the JSON of tools: numbers or text. Anything else is null, and the box is then incomplete.</summary>
internal static class JsonNumbers
{
    public static double? Number(this JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.TryGetDouble(out var number) ? number : null,
        JsonValueKind.String => Parse(value.GetString()),
        _ => null,
    };

    /// <summary>A number property of an object.</summary>
    public static double? Number(this JsonElement value, string name) => value.Property(name).Number();

    /// <summary>Undefined if the value is not an object or lacks the property.</summary>
    public static JsonElement Property(this JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out var found) ? found : default;

    /// <summary>The elements of a list; empty for anything else.</summary>
    public static IEnumerable<JsonElement> Elements(this JsonElement value) =>
        value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : [];

    /// <summary>Whether it is 1, true, or one of these as text.</summary>
    public static bool IsSet(this JsonElement value) => value.ValueKind == JsonValueKind.True || value.Number() is 1
        || (value.ValueKind == JsonValueKind.String && value.GetString() is "true" or "True");

    public static double? Parse(string? text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;
}
