using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Net.Http.Headers;

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

    /// <summary>
    /// JSON that is said to be in an encoding which .NET does not read would be an error of ours where it is bound. Stands before the endpoints.
    /// </summary>
    public static void UseKnownEncodings(this WebApplication app) => app.Use(static (http, next) =>
        http.Request.HasJsonContentType() && MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type)
            && type.Charset.HasValue && !IsKnown(HeaderUtilities.RemoveQuotes(type.Charset).ToString())
            ? http.AnswerAsync(Problems.Of(StatusCodes.Status415UnsupportedMediaType, "unsupported-media-type",
                $"JSON is read in UTF-8; the charset {type.Charset} is not known here."))
            : next(http));

    private static bool IsKnown(string charset)
    {
        try
        {
            return Encoding.GetEncoding(charset) is not null;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException) // no such encoding, or UTF-7, which is unsafe
        {
            return false;
        }
    }

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
