using System.Text.Json;

namespace Headstart.Uploads.Formats;

/// <summary>What tells JSON files of different tools apart: an object with these properties, or a list whose first object has
/// them.</summary>
internal sealed record JsonShape(bool IsList, bool IsLines, IReadOnlySet<string> Names)
{
    /// <summary>Null unless the whole is JSON or JSON Lines, whose first line then counts.</summary>
    public static JsonShape? Of(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions
            {
                AllowTrailingCommas = true,
                CommentHandling = JsonCommentHandling.Skip,
                AllowMultipleValues = true,
            });
            return reader.Read() ? Read(ref reader) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    public bool Has(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (!Names.Contains(name))
            {
                return false;
            }
        }

        return true;
    }

    private static JsonShape? Read(ref Utf8JsonReader reader)
    {
        var list = reader.TokenType == JsonTokenType.StartArray;
        if (list && (!reader.Read() || reader.TokenType == JsonTokenType.EndArray))
        {
            return new(true, false, new HashSet<string>());
        }

        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return null;
        }

        var names = new HashSet<string>();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            names.Add(reader.GetString()!);
            reader.Read();
            reader.Skip();
        }

        while (list && reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            reader.Skip();
        }

        return new(list, reader.Read(), names);
    }
}
