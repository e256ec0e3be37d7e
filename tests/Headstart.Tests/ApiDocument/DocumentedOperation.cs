using System.Text.Json.Nodes;

namespace Headstart.Tests.ApiDocument;

/// <summary>An operation of the committed OpenAPI document.</summary>
internal sealed record DocumentedOperation(string Method, string Path, JsonObject Definition)
{
    private static readonly string[] Methods = ["get", "post", "put", "patch", "delete"];

    public string Id => (string)Definition["operationId"]!;

    public List<JsonNode> Parameters => Definition["parameters"]?.AsArray().Select(parameter => parameter!).ToList() ?? [];

    /// <summary>Schemas and examples by media type; null where there is no body.</summary>
    public JsonObject? Bodies => Definition["requestBody"]?["content"]?.AsObject();

    public JsonObject Responses => Definition["responses"]!.AsObject();

    public static JsonNode ReadDocument() => JsonNode.Parse(File.ReadAllText(Repository.PathOf("src", "Headstart", "openapi.json")))!;

    public static List<DocumentedOperation> All(JsonNode document) =>
        [.. document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject()
        .Where(operation => Methods.Contains(operation.Key))
            .Select(operation => new DocumentedOperation(operation.Key.ToUpperInvariant(), path.Key, operation.Value!.AsObject())))];
}
