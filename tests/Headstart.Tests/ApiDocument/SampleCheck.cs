using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Headstart.Tests.ApiDocument;

/// <summary>Compares the answers that a page of the documentation shows with the OpenAPI document: a block directly below a block of
/// curl commands is what these commands answer. <c>…</c> stands for what the page leaves out.</summary>
internal sealed partial class SampleCheck(DocumentCheck check)
{
    /// <returns>How many answers the page shows, and in what they are not as documented.</returns>
    public (int Answers, List<string> Wrong) Of(string page)
    {
        var (answers, wrong) = (0, new List<string>());
        foreach (Match block in Block().Matches(page))
        {
            var schemas = Command().Matches(block.Groups["commands"].Value).SelectMany(SchemasOf).ToList();
            List<string> tokens = [.. Token().Matches(block.Groups["answer"].Value).Select(token => token.Value)];
            for (var i = 0; i < tokens.Count; i++)
            {
                if (tokens[i] != "{")
                {
                    continue;
                }

                var misfits = schemas.ConvertAll(schema => Misfit(tokens, i, schema).Wrong);
                // Problems begin with their type and may have any field.
                if (tokens[i + 1] != "\"type\"" && !misfits.Contains(null))
                {
                    wrong.Add($"{string.Concat(tokens.Skip(i).Take(12))}: "
                        + (misfits.FirstOrDefault() ?? "no command above it has such an answer"));
                }

                answers++;
                i = Misfit(tokens, i, null).End;
            }
        }

        return (answers, wrong);
    }

    /// <summary>The schemas of what a curl command may answer, problems aside.</summary>
    private IEnumerable<JsonNode> SchemasOf(Match command)
    {
        var path = Variable().Replace(command.Groups["url"].Value, variable => variable.Value switch
        {
            "$HOST" or "http://localhost:8080" => "",
            "$API" => "/api/v1",
            "$MODEL" or "$OTHER" => "/api/v1/models/1",
            _ => "1",
        });
        var method = Method().Match(command.Value) is { Success: true } given ? given.Groups[1].Value
            : Body().IsMatch(command.Value) ? "POST" : "GET";
        // Each event is what the path without /events answers.
        path = path.EndsWith("/events", StringComparison.Ordinal) ? path[..^"/events".Length]
            : command.Value.Contains("?dryRun=true", StringComparison.Ordinal) ? $"{path}/dry-run" : path;
        var operation = check.Find(method, path)
            ?? throw new InvalidOperationException($"The document has no {method} {path}: {command.Value}");
        return operation.Responses.Select(response => response.Value!["content"]?["application/json"]?["schema"]).OfType<JsonNode>();
    }

    /// <returns>What is wrong with the object or list that begins there, and where it ends. No schema fits all.</returns>
    private (string? Wrong, int End) Misfit(List<string> tokens, int start, JsonNode? schema)
    {
        var known = schema is null ? null : check.Schemas.Resolve(schema);
        var (names, complete) = (new HashSet<string>(), tokens[start] == "{");
        string? wrong = null;
        JsonNode? value = known?["items"];
        var i = start + 1;
        for (; i < tokens.Count && tokens[i] is not ("}" or "]"); i++)
        {
            if (tokens[i] is "{" or "[")
            {
                var inner = Misfit(tokens, i, value);
                (wrong, i) = (wrong ?? inner.Wrong, inner.End);
            }
            else if (tokens[i] == "…")
            {
                complete &= tokens[i - 1] == ":";
            }
            else if (tokens[i][0] == '"' && i + 1 < tokens.Count && tokens[i + 1] == ":")
            {
                var name = tokens[i].Trim('"');
                names.Add(name);
                value = known?["properties"]?[name] ?? known?["additionalProperties"] as JsonObject;
                wrong ??= value is null && known is not null ? $"there is no field {name}" : null;
            }
        }

        var missing = complete ? known?["required"]?.AsArray().Select(name => (string)name!).Except(names).FirstOrDefault() : null;
        return (wrong ?? (missing is null ? null : $"the field {missing} is missing"), i);
    }

    [GeneratedRegex(@"^```sh\n(?<commands>(?:(?!```).*\n)+)```\n+```(?:jsonc?)?\n(?<answer>(?:(?!```).*\n)+)```", RegexOptions.Multiline)]
    private static partial Regex Block();

    /// <summary>To the end of the line, or of the lines that belong to it.</summary>
    [GeneratedRegex(@"\bcurl (?:(?!\n\S).)*?(?<url>(?:\$API|\$MODEL|\$OTHER|\$HOST|http://localhost:8080)[^\s""'?]*)(?:(?!\n\S|\bcurl ).)*",
        RegexOptions.Singleline)]
    private static partial Regex Command();

    [GeneratedRegex(@"http://localhost:8080|\$\w+")]
    private static partial Regex Variable();

    [GeneratedRegex(@"-X ([A-Z]+)")]
    private static partial Regex Method();

    [GeneratedRegex(@" (?:-F|-d|--data-binary) ")]
    private static partial Regex Body();

    [GeneratedRegex(@"""(?:[^""\\]|\\.)*""|[{}\[\],:…]")]
    private static partial Regex Token();
}
