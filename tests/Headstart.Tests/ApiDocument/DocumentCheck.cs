using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Headstart.Tests.ApiDocument;

/// <summary>Compares answers with the committed OpenAPI document.</summary>
internal sealed class DocumentCheck
{
    private static readonly string[] OfProblems = ["type", "title", "status", "detail"];

    private readonly List<(DocumentedOperation Operation, Regex Path)> _operations;

    public DocumentCheck(JsonNode document)
    {
        Schemas = new(document);
        Operations = DocumentedOperation.All(document);
        // What stands there as it is goes before what is a parameter.
        _operations = [.. Operations.OrderBy(operation => operation.Path.Count(letter => letter == '{'))
            .Select(operation => (operation, new Regex($"^{Regex.Replace(Regex.Escape(operation.Path), @"\\{[^}]+}", "[^/]+")}/?$")))];
    }

    public SchemaCheck Schemas { get; }

    public List<DocumentedOperation> Operations { get; }

    /// <summary>null where the document has no such operation.</summary>
    public DocumentedOperation? Find(string method, string path) =>
        _operations.FirstOrDefault(known => known.Operation.Method == method && known.Path.IsMatch(path)).Operation;

    /// <returns>In what the answer is not as documented; null where it is.</returns>
    public string? Wrong(DocumentedOperation operation, int status, string? mediaType, byte[] body)
    {
        if (operation.Responses[status.ToString(CultureInfo.InvariantCulture)] is not { } declared)
        {
            return $"{status} is not documented: {Shown(body)}";
        }

        if (declared["content"] is not JsonObject content)
        {
            return body.Length > 0 ? $"{status} has a body of {mediaType}, and none is documented"
                : status >= 400 ? WrongProblem(body, mediaType, status) : null;
        }

        if (mediaType is null || content[mediaType] is not { } described)
        {
            return $"{status} came as {mediaType}: {Shown(body)}";
        }

        return mediaType switch
        {
            "application/problem+json" => WrongProblem(body, mediaType, status),
            "application/json" => WrongJson(body, status, described["schema"]!),
            "application/x-ndjson" => Encoding.UTF8.GetString(body).Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => WrongJson(Encoding.UTF8.GetBytes(line), status, new JsonObject()))
                .FirstOrDefault(wrong => wrong is not null),
            _ => null,
        };
    }

    /// <returns>In what an event is not as documented.</returns>
    public string? WrongEvent(DocumentedOperation operation, string data)
    {
        // Each is what the path without /events answers.
        var row = Operations.Single(o => o.Method == "GET" && $"{o.Path}/events" == operation.Path);
        return WrongJson(Encoding.UTF8.GetBytes(data), 200, row.Responses["200"]!["content"]!["application/json"]!["schema"]!);
    }

    public static string? WrongProblem(byte[] body, string? mediaType, int status)
    {
        try
        {
            var problem = mediaType == "application/problem+json" ? JsonNode.Parse(body) : null;
            return problem is JsonObject && OfProblems.All(name => problem[name] is not null) && (int)problem["status"]! == status ? null
                : $"{status} is no problem: {mediaType} {Shown(body)}";
        }
        catch (JsonException)
        {
            return $"{status} is no JSON: {Shown(body)}";
        }
    }

    private string? WrongJson(byte[] body, int status, JsonNode schema)
    {
        try
        {
            return Schemas.Misfit(JsonNode.Parse(body), schema) is { } misfit ? $"{status}: {misfit}" : null;
        }
        catch (JsonException)
        {
            return $"{status} is no JSON: {Shown(body)}";
        }
    }

    private static string Shown(byte[] body) => Encoding.UTF8.GetString(body.AsSpan(0, Math.Min(body.Length, 300)));
}
