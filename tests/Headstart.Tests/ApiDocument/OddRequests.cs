using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Headstart.Tests.ApiDocument;

/// <summary>A request that was made up.</summary>
/// <param name="Path">With the query, escaped.</param>
/// <param name="Misrouted">A part of the path is not of the documented type, so that it may be no path of ours.</param>
internal sealed record OddRequest(DocumentedOperation Operation, string Path, IReadOnlyList<(string Name, string Value)> Headers,
    byte[]? Body, bool Misrouted)
{
    public HttpRequestMessage Message(Uri host)
    {
        var address = new Uri(host.GetLeftPart(UriPartial.Authority) + Path,
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        var message = new HttpRequestMessage(new HttpMethod(Operation.Method),
            address)
        { Content = Body is null ? null : new ByteArrayContent(Body) };
        foreach (var (name, value) in Headers)
        {
            (name.StartsWith("Content-", StringComparison.Ordinal) ? message.Content?.Headers
                : (HttpHeaders)message.Headers)?.TryAddWithoutValidation(name, value);
        }

        return message;
    }

    public override string ToString()
    {
        var body = Encoding.Latin1.GetString(Body ?? []);
        return $"{Operation.Method} {(Path.Length > 500 ? Path[..500] + "…" : Path)}\n"
            + $"{string.Join('\n', Headers.Select(h => $"{h.Name}: {(h.Value.Length > 200 ? h.Value[..200] + "…" : h.Value)}"))}\n"
            + $"({body.Length} bytes) {string.Concat(body.Take(600).Select(c => c is >= ' ' and <= '~' ? $"{c}" : $"\\x{(int)c:x2}"))}";
    }
}

/// <summary>Makes requests up from what the document says of an operation.</summary>
internal sealed class OddRequests(FuzzHost host, Random random, SchemaCheck schemas)
{
    private static readonly (string Name, string[] Values)[] OddHeaders =
    [
        ("Range", ["bytes=0-10", "bytes=5-", "bytes=-1", "bytes=999999999-", "bytes=-", "bytes=9-1", "items=0-1", "bytes=0-1,3-4,6-7",
            "bytes=99999999999999999999-"]),
        ("If-None-Match", ["*", "\"x\"", "W/\"x\"", "\"", "", "x,y,,"]),
        ("If-Match", ["*", "\"x\"", "\""]),
        ("If-Range", ["\"x\"", "nonsense"]),
        ("If-Modified-Since", ["Wed, 21 Oct 2099 07:28:00 GMT", "yesterday"]),
        ("If-Unmodified-Since", ["Wed, 21 Oct 2009 07:28:00 GMT", "yesterday"]),
        ("Idempotency-Key", ["", "a-key", "\u00FC\u2603", "a\tb", new('k', 201), new('k', 5_000)]),
        ("Accept", ["", "image/webp", ";;;"]),
        ("Accept-Encoding", ["br;q=9", "identity;q=0"]),
        ("Content-Encoding", ["gzip", "nonsense"]),
        ("Content-Language", ["\u00FC"]),
        ("Origin", ["null", "https://elsewhere.example"]),
        ("Inference-Header-Content-Length", ["-1", "5", "99999999999", "x"]),
        ("X-HTTP-Method-Override", ["DELETE"]),
        ("Cookie", ["headstart=x; headstart-antiforgery=y", "=;=", "headstart=" + new string('c', 3_000)]),
    ];

    private readonly OddValues _values = new(random, schemas);

    public OddRequest Of(DocumentedOperation operation)
    {
        var texts = operation.Path.Contains("/texts", StringComparison.Ordinal) ? _values.Chance(0.9)
            : !operation.Path.Contains("/image", StringComparison.Ordinal) && !operation.Path.Contains("/batch", StringComparison.Ordinal)
                && _values.Chance(0.3);
        var (path, misrouted) = PathOf(operation, texts);
        var headers = new List<(string Name, string Value)>();
        if (_values.Chance(0.97))
        {
            headers.Add(("Authorization", $"Bearer {Api.Key}"));
        }
        else if (_values.Chance(0.7))
        {
            headers.Add(("Authorization", _values.Of("", "Bearer", "Bearer x", "Basic !!", "Basic eDo=", "Digest x", "Bearer \u00FC",
                "Bearer " + new string('k', 3_000))));
        }

        if (_values.Chance(0.15))
        {
            var (name, choices) = _values.Of(OddHeaders);
            headers.Add((name, _values.Of(choices)));
        }

        var body = BodyOf(operation, headers);
        return new(operation, path + Query(operation), headers, body, misrouted);
    }

    private (string Path, bool Misrouted) PathOf(DocumentedOperation operation, bool texts)
    {
        var (path, misrouted) = (operation.Path, false);
        var parameters = operation.Parameters.FindAll(parameter => (string)parameter["in"]! == "path");
        foreach (var (i, parameter) in parameters.Index())
        {
            var name = (string)parameter["name"]!;
            var deletes = operation.Method == "DELETE" && i == parameters.Count - 1;
            var odd = _values.Chance(0.08);
            var existing = odd || _values.Chance(i == 0 ? 0.15 : 0.25) ? null : host.Existing(texts, name, deletes, random);
            var value = existing ?? _values.Parameter(parameter["schema"]!, odd);
            misrouted |= odd;
            path = path.Replace($"{{{name}}}", odd && _values.Chance(0.2)
                ? _values.Of("%FF", "%2F", "%2e%2e%2e", "%", "a%00b", "%C3%28")
                : Uri.EscapeDataString(Whole(value)), StringComparison.Ordinal);
        }

        return (path, misrouted);
    }

    private string Query(DocumentedOperation operation)
    {
        var parts = operation.Parameters.Where(parameter => (string)parameter["in"]! == "query" && _values.Chance(0.4))
            .Select(parameter =>
                $"{parameter["name"]}={Uri.EscapeDataString(Whole(_values.Parameter(parameter["schema"]!, _values.Chance(0.4))))}")
                .ToList();
        if (_values.Chance(0.03))
        {
            parts.Add(_values.Of("&&==", "limit=1&limit=2", "unknown=1", "%ff=%ff", "after=", "limit=%00"));
        }

        return parts.Count == 0 ? "" : "?" + string.Join('&', parts);
    }

    private byte[]? BodyOf(DocumentedOperation operation, List<(string Name, string Value)> headers)
    {
        if (operation.Bodies is not { } bodies)
        {
            return operation.Method != "GET" && _values.Chance(0.1) ? _values.Damaged(null) : null;
        }

        if (_values.Chance(0.03))
        {
            return null;
        }

        var (mediaType, description) = _values.Of([.. bodies]);
        var (bytes, said) = new OddBodies(random, _values).Of(mediaType, description!, odd: _values.Chance(0.6));
        headers.Add(("Content-Type", said ?? ""));
        return bytes;
    }

    /// <summary>Short enough for an address, and without halves of characters, which cannot be escaped.</summary>
    private static string Whole(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text[..Math.Min(text.Length, 1_000)]));
}
