using System.Text.Json.Nodes;
using Json.Schema;

namespace Headstart.Tests.ApiDocument;

/// <summary>Compares JSON with the schemas of an OpenAPI 3.1 document, which are those of JSON Schema 2020-12.</summary>
internal sealed class SchemaCheck
{
    private readonly JsonNode _document;
    private readonly EvaluationOptions _options = new() { OutputFormat = OutputFormat.List, RequireFormatValidation = true };
    private readonly Uri _definitions = new($"https://headstart.test/{Guid.CreateVersion7()}");

    public SchemaCheck(JsonNode document)
    {
        _document = document;
        var definitions = new JsonObject { ["$defs"] = document["components"]!["schemas"]!.DeepClone() };
        _options.SchemaRegistry.Register(_definitions, Schema(definitions));
    }

    /// <summary>The schema that is meant, without the case of null.</summary>
    public JsonNode Resolve(JsonNode schema) =>
        (string?)schema["$ref"] is { } name ? _document["components"]!["schemas"]![name[(name.LastIndexOf('/') + 1)..]]!
        : schema["oneOf"] is JsonArray choices && MayBeNull(schema) ? Resolve(choices.Single(choice => !MayBeNull(choice!))!)
        : schema;

    /// <summary>The type that a value has where it is not null.</summary>
    public static string? TypeOf(JsonNode schema) =>
        schema["type"] is JsonArray types ? (string?)types.Single(type => (string?)type != "null") : (string?)schema["type"];

    private static bool MayBeNull(JsonNode schema) => schema["type"] is JsonArray types && types.Any(type => (string?)type == "null")
        || (schema["type"] is JsonValue type && (string?)type == "null")
        || (schema["oneOf"] is JsonArray choices && choices.Any(choice => MayBeNull(choice!)));

    /// <summary>The things in which the value does not fit, with their places; null when it fits.</summary>
    public string? Misfit(JsonNode? value, JsonNode schema)
    {
        var found = Schema(schema).Evaluate(value, _options);
        return found.IsValid ? null : string.Join("; ", found.Details.Where(detail => detail.HasErrors)
            .SelectMany(detail => detail.Errors!.Select(error => $"{detail.InstanceLocation} {error.Value}")).Distinct().Take(5));
    }

    private JsonSchema Schema(JsonNode schema) => JsonSchema.FromText(
        schema.ToJsonString().Replace("\"#/components/schemas/", $"\"{_definitions}#/$defs/", StringComparison.Ordinal));
}
