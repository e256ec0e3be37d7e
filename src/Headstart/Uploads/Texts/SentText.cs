using System.Text.Json;
using Headstart.Data;
using Headstart.Uploads.Files;
using Headstart.Uploads.Formats;
using Headstart.Uploads.Manifests;

namespace Headstart.Uploads.Texts;

/// <summary>A text as sent, or why it could not be read.</summary>
/// <param name="Category">Empty or null if it has none.</param>
/// <param name="FileName">The file that contains it; null if the request body is the file.</param>
/// <param name="Split">The split as sent.</param>
/// <param name="Confirmed">Whether the sender says that a user has confirmed the category.</param>
internal sealed record SentText(string? Text, string? Category, string? FileName = null, string? Split = null, string? Reason = null,
    string? Detail = null, bool Confirmed = false)
{
    public static SentText Not(string reason, string detail) => new(null, null, Reason: reason, Detail: detail);

    /// <summary>Reads a line; fastText writes labels before the text: <c>__label__good I loved it</c>.</summary>
    public static SentText OfLine(string line)
    {
        const string Mark = "__label__";
        var (rest, labels) = (line.TrimStart(), new List<string>());
        while (rest.StartsWith(Mark, StringComparison.Ordinal))
        {
            var end = rest.AsSpan().IndexOfAny(' ', '\t') is var at and >= 0 ? at : rest.Length;
            labels.Add(rest[Mark.Length..end]);
            rest = rest[end..].TrimStart();
        }

        return labels.Count > 1 ? Several(labels) : new(labels.Count == 0 ? line : rest, labels.FirstOrDefault());
    }

    /// <summary>Reads a string, or an object with a text and optionally its category and split.</summary>
    public static SentText Of(JsonElement value)
    {
        try
        {
            return value.ValueKind switch
            {
                JsonValueKind.String => new(value.GetString(), null),
                JsonValueKind.Object when FieldTypos.In("The text", [.. value.EnumerateObject().Select(field => field.Name)]) is { } typo =>
                    Not("unknown-field", typo),
                JsonValueKind.Object when value.TryGetProperty("answer", out var answer) && answer.ValueKind == JsonValueKind.String
                    && LabelWords.IsRefusal("answer", answer.GetString()!) => Not(LabelWords.RefusedReason, LabelWords.Refused),
                JsonValueKind.Object => Labelled(value),
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

    /// <summary>Reads labels in a list, as doccano and Prodigy write them.</summary>
    private static SentText Labelled(JsonElement value)
    {
        foreach (var name in (string[])["category", "label", "labels", "accept"])
        {
            if (List(value, name) is { } several)
            {
                return several.Count < 2 ? Of(value, several.FirstOrDefault()) : Several(several);
            }

            if (name is "category" or "label" && Label(value, name) is { } one)
            {
                return Of(value, one);
            }
        }

        return Of(value, null);
    }

    private static SentText Several(List<string> labels) => Not("several-categories", $"The text has {labels.Count} categories "
        + $"({RequestBodies.Readable(string.Join(", ", labels.Take(5)))}), and a text has exactly one; send one.");

    private static SentText Of(JsonElement value, string? category) => new(Field(value, "text"), category,
        Field(value, "fileName") is { } name ? RequestBodies.Readable(name) : null, Field(value, "split"),
        Confirmed: value.TryGetProperty("confirmed", out var confirmed) && confirmed.ValueKind == JsonValueKind.True);

    /// <summary>null if it is not a list of labels: spans of a text are not.</summary>
    private static List<string>? List(JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array
            && value.EnumerateArray().All(label => label.ValueKind == JsonValueKind.String)
            ? [.. value.EnumerateArray().Select(label => label.GetString()!)] : null;

    /// <summary>Accepts numbers too, since some data sets name their categories 0 and 1.</summary>
    private static string? Label(JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) && value.ValueKind is (JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False)
            ? value.GetRawText() : Field(of, name);

    private static string? Field(JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.GetString() : null;
}
