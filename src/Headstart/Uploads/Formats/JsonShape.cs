using System.Text.Json;

namespace Headstart.Uploads.Formats;

/// <summary>Distinguishes JSON files of different tools: an object with these properties, or a list whose first object has
/// them.</summary>
/// <param name="FirstNames">Property names of the object in its first property.</param>
internal sealed record JsonShape(bool IsList, bool IsLines, IReadOnlySet<string> Names, IReadOnlySet<string> FirstNames)
{
    /// <summary>null unless everything is JSON, or JSON Lines, whose first line then counts.</summary>
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

    /// <summary>The property names of an object that has begun.</summary>
    /// <param name="reader">Stops at the end of the object.</param>
    /// <param name="ofFirst">Receives the names in its first property.</param>
    private static HashSet<string> NamesIn(ref Utf8JsonReader reader, HashSet<string>? ofFirst)
    {
        var names = new HashSet<string>();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            names.Add(reader.GetString()!);
            reader.Read();
            if (ofFirst is not null && names.Count == 1 && reader.TokenType == JsonTokenType.StartObject)
            {
                ofFirst.UnionWith(NamesIn(ref reader, null));
            }
            else
            {
                reader.Skip();
            }
        }

        return names;
    }

    private static JsonShape? Read(ref Utf8JsonReader reader)
    {
        var list = reader.TokenType == JsonTokenType.StartArray;
        if (list && (!reader.Read() || reader.TokenType == JsonTokenType.EndArray))
        {
            return new(true, false, new HashSet<string>(), new HashSet<string>());
        }

        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return null;
        }

        var first = new HashSet<string>();
        var names = NamesIn(ref reader, first);
        while (list && reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            reader.Skip();
        }

        return new(list, reader.Read(), names, first);
    }
}
