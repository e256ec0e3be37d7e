using System.Text.Json;

namespace Headstart.Uploads.Formats;

/// <summary>The labels in a value of Label Studio, such as <c>{"choices":["cat"]}</c> or
/// <c>[{"x":1,"rectanglelabels":["cat"]}]</c>.</summary>
internal static class StudioValues
{
    public static string Disagreement(IEnumerable<IReadOnlySet<string>> answers) => "Its annotations in Label Studio have different labels "
        + $"({string.Join("; ", answers.Take(5).Select(labels => string.Join(", ", labels)))}); keep one of them there and export again.";

    /// <summary>Nothing if it is another value.</summary>
    public static IEnumerable<string> LabelsOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => value.EnumerateArray().SelectMany(LabelsOf),
        JsonValueKind.Object => value.EnumerateObject()
            .Where(field => field.Name == "choices" || field.Name.EndsWith("labels", StringComparison.Ordinal))
            .SelectMany(field => field.Value.ValueKind == JsonValueKind.Array ? field.Value.EnumerateArray() : [])
            .Where(label => label.ValueKind == JsonValueKind.String).Select(label => label.GetString()!),
        _ => [],
    };

    /// <summary>The labels of a cell, which is a label or such a value as JSON; null if it is plain text.</summary>
    public static IReadOnlyList<string>? LabelsOf(string cell)
    {
        if (cell is not ['{' or '[', ..])
        {
            return null;
        }

        try
        {
            using var json = JsonDocument.Parse(cell);
            return [.. LabelsOf(json.RootElement)];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
