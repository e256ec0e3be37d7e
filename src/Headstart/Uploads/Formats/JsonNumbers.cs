using System.Globalization;
using System.Text.Json;

namespace Headstart.Uploads.Formats;

/// <summary>Numbers as tools write them into JSON: as numbers, or as text. What is none is null, and then a box is incomplete.</summary>
internal static class JsonNumbers
{
    public static double? Number(this JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.TryGetDouble(out var number) ? number : null,
        JsonValueKind.String => Parse(value.GetString()),
        _ => null,
    };

    /// <summary>A number in an object.</summary>
    public static double? Number(this JsonElement value, string name) => value.Property(name).Number();

    /// <summary>Undefined if the value is no object or has no such property.</summary>
    public static JsonElement Property(this JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out var found) ? found : default;

    /// <summary>The elements of a list; nothing if it is none.</summary>
    public static IEnumerable<JsonElement> Elements(this JsonElement value) =>
        value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : [];

    /// <summary>1, true, or these as text.</summary>
    public static bool IsSet(this JsonElement value) => value.ValueKind == JsonValueKind.True || value.Number() is 1
        || (value.ValueKind == JsonValueKind.String && value.GetString() is "true" or "True");

    public static double? Parse(string? text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;
}
