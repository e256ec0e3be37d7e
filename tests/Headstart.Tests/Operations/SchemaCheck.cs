using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Headstart.Tests.Operations;

/// <summary>Compares JSON with the schemas of an OpenAPI document, as far as ours uses them.</summary>
internal sealed class SchemaCheck(JsonNode document)
{
    private static readonly string[] Known =
        ["$ref", "oneOf", "type", "properties", "required", "enum", "items", "additionalProperties", "format", "description",
            "example", "readOnly"];

    /// <summary>The schema that is meant, without the case of null.</summary>
    public JsonNode Resolve(JsonNode schema) =>
        (string?)schema["$ref"] is { } name ? document["components"]!["schemas"]![name[(name.LastIndexOf('/') + 1)..]]!
        : schema["oneOf"] is JsonArray choices && MayBeNull(schema) ? Resolve(choices.Single(choice => !MayBeNull(choice!))!)
        : schema;

    /// <summary>The type that a value has where it is not null.</summary>
    public static string? TypeOf(JsonNode schema) =>
        schema["type"] is JsonArray types ? (string?)types.Single(type => (string?)type != "null") : (string?)schema["type"];

    private static bool MayBeNull(JsonNode schema) => schema["type"] is JsonArray types && types.Any(type => (string?)type == "null")
        || (schema["type"] is JsonValue type && (string?)type == "null")
        || (schema["oneOf"] is JsonArray choices && choices.Any(choice => MayBeNull(choice!)));

    /// <summary>The first thing in which the value does not fit, with its place; null when it fits.</summary>
    public string? Misfit(JsonNode? value, JsonNode schema, string at = "$")
    {
        var mayBeNull = MayBeNull(schema);
        schema = Resolve(schema);
        if (schema.AsObject().FirstOrDefault(word => !Known.Contains(word.Key)).Key is { } unknown)
        {
            return $"{at}: this check does not know what {unknown} in a schema means";
        }

        if (value is null)
        {
            return mayBeNull || MayBeNull(schema) || schema["type"] is null ? null : $"{at} is null";
        }

        if (schema["enum"] is JsonArray values && !values.Any(one => JsonNode.DeepEquals(one, value)))
        {
            return $"{at} is {value.ToJsonString()}, which is none of {values.ToJsonString()}";
        }

        if (schema["oneOf"] is JsonArray choices)
        {
            var misfits = choices.Select(choice => Misfit(value, choice!, at)).ToList();
            return misfits.Contains(null) ? null : string.Join(", and ", misfits);
        }

        return TypeOf(schema) switch
        {
            "object" => ObjectMisfit(value, schema, at),
            "array" => value is JsonArray items ? items.Select((item, i) => Misfit(item, schema["items"]!, $"{at}[{i}]"))
            .FirstOrDefault(misfit => misfit is not null) : $"{at} is no array",
            "string" => TextMisfit(value, (string?)schema["format"], at),
            "integer" => value.GetValueKind() == JsonValueKind.Number
            && long.TryParse(value.ToJsonString(), CultureInfo.InvariantCulture, out _) ? null : $"{at} is no integer",
            "number" => value.GetValueKind() == JsonValueKind.Number ? null : $"{at} is no number",
            "boolean" => value.GetValueKind() is JsonValueKind.True or JsonValueKind.False ? null : $"{at} is neither true nor false",
            _ => null,
        };
    }

    private string? ObjectMisfit(JsonNode value, JsonNode schema, string at)
    {
        if (value is not JsonObject members)
        {
            return $"{at} is no object";
        }

        if (schema["required"]?.AsArray().FirstOrDefault(name => !members.ContainsKey((string)name!)) is { } missing)
        {
            return $"{at} has no {missing}";
        }

        foreach (var (name, member) in members)
        {
            var place = $"{at}.{name}";
            var misfit = schema["properties"]?[name] is { } known ? Misfit(member, known, place)
                : schema["additionalProperties"] is JsonObject free ? Misfit(member, free, place)
                : schema["additionalProperties"]?.GetValue<bool>() is false ? $"{place} is not documented" : null;
            if (misfit is not null)
            {
                return misfit;
            }
        }

        return null;
    }

    private static string? TextMisfit(JsonNode value, string? format, string at)
    {
        if (value.GetValueKind() != JsonValueKind.String)
        {
            return $"{at} is no text";
        }

        var text = value.GetValue<string>();
        var fits = format switch
        {
            "uuid" => Guid.TryParseExact(text, "D", out _),
            "date-time" => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out _) && text.EndsWith('Z'),
            "byte" => Convert.TryFromBase64String(text, new byte[text.Length], out _),
            _ => true,
        };
        return fits ? null : $"{at} is \"{text}\", which is no {format}";
    }
}
