using System.Text.Json;
using System.Text.RegularExpressions;

namespace Headstart.Operations;

/// <summary>What the framework says of a request that it could not read, in words for the sender instead of names of our types.</summary>
internal static partial class UnreadableRequests
{
    public static (int Status, string Type, string Detail) Describe(BadHttpRequestException e) => e.StatusCode switch
    {
        StatusCodes.Status408RequestTimeout => (e.StatusCode, "too-slow", "The body arrived too slowly; send the request again."),
        StatusCodes.Status413PayloadTooLarge => (e.StatusCode, "too-large", e.Message), // names the limit
        StatusCodes.Status415UnsupportedMediaType => (e.StatusCode, "unsupported-media-type", "This address takes application/json; send that Content-Type."),
        _ => (e.StatusCode, "bad-request", Sentence(e)),
    };

    private static string Sentence(BadHttpRequestException e) =>
        e.InnerException is JsonException json ? $"The body is not the JSON this address takes{Place(json)}; /swagger shows an example."
        : e.Message.Contains("no body was provided", StringComparison.Ordinal) ? "This address takes JSON, and there was none; /swagger shows an example."
        : Unbound().Match(e.Message) is { Success: true } match
            ? $"The value \"{match.Groups["value"].Value}\" of {match.Groups["name"].Value} cannot be read; /swagger says what it may be."
        : e.Message;

    private static string Place(JsonException json) =>
        json.LineNumber is { } line ? $": look at {json.Path ?? "$"}, line {line + 1}, byte {json.BytePositionInLine + 1}" : "";

    [GeneratedRegex("""^Failed to bind parameter "\S+ (?<name>\w+)" from "(?<value>.*)"\.$""", RegexOptions.Singleline)]
    private static partial Regex Unbound();
}
