using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Headstart.Tests.ApiDocument;

/// <summary>Values for the generated requests: such as a schema wants, and such as nobody should send.</summary>
internal sealed class OddValues(Random random, SchemaCheck schemas)
{
    private static readonly string[] OddTexts =
    [
        "", " ", "\0", "a\0b", "null", "../../etc/passwd", "%00", "'; DROP TABLE models; --", "\uFFFF\uFFFE", "\u202Egpj.exe",
            "e\u0301\u0301\u0301",
        "👩‍👩‍👧‍👧", "\r\nX: y", "{0}", "<script>",
        "-1", "0", "1e999", "NaN", "9223372036854775808", "00000000-0000-0000-0000-000000000000", "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.9999999+14:00",
    ];

    /// <summary>JSON as text: some cannot be written any other way.</summary>
    private static readonly string[] OddJson =
    [
        "null", "true", "\"\"", "[]", "{}", "[[]]", "-1", "0", "1.5", "1e400", "-0", "2147483648", "99999999999999999999999", "\"\\u0000\"",
            "\"\\ud800\"", "\"\\udc00x\"", "\"x\\ud83d\"",
        "[null]", "[\"\\ud800\"]", "{\"\\ud800\":1}", "\"http://127.0.0.1:1/x.jpg\"", "\"file:///etc/passwd\"", "\"http://[::\"", "[{}]",
            "[{\"url\":null}]",
    ];

    public bool Chance(double p) => random.NextDouble() < p;

    public T Of<T>(params IReadOnlyList<T> choices) => choices[random.Next(choices.Count)];

    public string OddText() => random.Next(10) switch
    {
        0 => new string('x', random.Next(200, 20_000)),
        1 => string.Concat(Enumerable.Range(0, random.Next(1, 40)).Select(_ => (char)random.Next(1, 0xD800))),
        _ => Of(OddTexts),
    };

    /// <summary>A value for a parameter in a path, a query or a header, before it is escaped.</summary>
    public string Parameter(JsonNode schema, bool odd)
    {
        schema = schemas.Resolve(schema);
        return odd ? OddText() : (SchemaCheck.TypeOf(schema), (string?)schema["format"]) switch
        {
            ("integer", _) => random.Next(0, 5).ToString(CultureInfo.InvariantCulture),
            ("boolean", _) => Of("true", "false"),
            (_, "uuid") => Guid.CreateVersion7().ToString(),
            (_, "date-time") => "2026-01-02T03:04:05Z",
            _ => Of("cats", "dogs", "jsonl", "csv", "kept", "x"),
        };
    }

    /// <summary>JSON that fits the schema, without what need not be there half of the time.</summary>
    public JsonNode? Fitting(JsonNode schema, string name = "", int depth = 0)
    {
        schema = schemas.Resolve(schema);
        if (schema["enum"] is JsonArray values)
        {
            return Of([.. values])!.DeepClone();
        }

        switch (SchemaCheck.TypeOf(schema))
        {
            case "object":
                var required = schema["required"]?.AsArray().Select(member => (string)member!).ToHashSet() ?? [];
                return new JsonObject((schema["properties"]?.AsObject() ?? [])
                    .Where(member => depth < 6 && (required.Contains(member.Key) || Chance(0.5)))
                    .Select(member => KeyValuePair.Create(member.Key, Fitting(member.Value!, member.Key, depth + 1))));
            case "array":
                return new JsonArray([.. Enumerable.Range(0, random.Next(0, 4)).Select(_ => Fitting(schema["items"]!, name, depth + 1))]);
            case "integer" or "number":
                return random.Next(0, 100);
            case "boolean":
                return Chance(0.5);
            case "string":
                return (string?)schema["format"] switch
                {
                    "uuid" => Guid.CreateVersion7().ToString(),
                    "date-time" => "2099-01-02T03:04:05Z",
                    "byte" => "iVBORw0KGgo=",
                    _ => name.StartsWith("url", StringComparison.Ordinal) ? "http://127.0.0.1:1/cat.jpg"
                    : Of("cats", "dogs", "pos", "headstart-small", $"Name {random.Next()}"),
                };
            default:
                return Of<JsonNode?>(1, "x", null);
        }
    }

    /// <summary>Bytes that were JSON, or still are, and not as the schema wants them.</summary>
    public byte[] Damaged(JsonNode? json)
    {
        var text = json?.ToJsonString() ?? "null";
        switch (random.Next(12))
        {
            case 0:
                return Encoding.UTF8.GetBytes(text[..random.Next(text.Length)]);
            case 1:
                return [.. Encoding.UTF8.GetBytes(text).SelectMany(b => b == '"' && Chance(0.2) ? new byte[] { b, 0xC3, 0x28 } : [b])];
            case 2:
                return Encoding.UTF8.GetBytes(new string('[', random.Next(50, 5_000)));
            case 3:
                return [];
            case 4:
                return Encoding.Unicode.GetBytes(text);
            case 5:
                return Encoding.UTF8.GetBytes($"{{\"name\":\"{new string('n', Of(2_000, 200_000, 1_100_000))}\"}}");
            case 6:
                return Encoding.UTF8.GetBytes(text.Replace("{", "{\"extra\":{\"a\":[1]},", StringComparison.Ordinal));
            case 7:
                return Encoding.UTF8.GetBytes(Of(OddJson));
            default:
                return Encoding.UTF8.GetBytes(Replaced(json?.DeepClone()));
        }
    }

    /// <summary>One value of it is something else, or a member is gone.</summary>
    private string Replaced(JsonNode? json)
    {
        const string Mark = "\u2603here\u2603";
        var places = new List<Action>();
        Walk(json);
        if (places.Count == 0)
        {
            return Of(OddJson);
        }

        Of(places)();
        var odd = Chance(0.7) ? Of(OddJson) : JsonSerializer.Serialize(OddText());
        return json!.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping })
            .Replace($"\"{Mark}\"", odd, StringComparison.Ordinal);

        void Walk(JsonNode? node)
        {
            foreach (var (name, member) in node as JsonObject ?? [])
            {
                places.Add(() => node![name] = Mark);
                places.Add(() => ((JsonObject)node!).Remove(name));
                Walk(member);
            }

            for (var i = 0; i < (node as JsonArray)?.Count; i++)
            {
                var at = i;
                places.Add(() => node[at] = Mark);
                Walk(node[at]);
            }
        }
    }
}
