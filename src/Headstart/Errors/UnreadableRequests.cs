using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Net.Http.Headers;

namespace Headstart.Errors;

/// <summary>Explains to the sender why the framework could not read a request, without names of our types.</summary>
internal static partial class UnreadableRequests
{
    public static (int Status, string Type, string Detail) Describe(BadHttpRequestException e) => e.StatusCode switch
    {
        StatusCodes.Status408RequestTimeout => (e.StatusCode, "too-slow", "The request body arrived too slowly; send the request again."),
        StatusCodes.Status413PayloadTooLarge => (e.StatusCode, "too-large", e.Message), // its message names the limit
        StatusCodes.Status415UnsupportedMediaType => (e.StatusCode, "unsupported-media-type", "This endpoint takes JSON; send "
            + "Content-Type: application/json."),
        _ => (e.StatusCode, "bad-request", Sentence(e)),
    };

    /// <summary>Refuses JSON in an encoding .NET cannot read; model binding would answer 500. Register before the endpoints.</summary>
    public static void UseKnownEncodings(this WebApplication app) => app.Use(static (http, next) =>
        http.Request.HasJsonContentType() && MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type)
            && type.Charset.HasValue && !IsKnown(HeaderUtilities.RemoveQuotes(type.Charset).ToString())
            ? http.AnswerAsync(Problems.Of(StatusCodes.Status415UnsupportedMediaType, "unsupported-media-type",
                $"The charset {type.Charset} is not supported; send JSON in UTF-8."))
            : next(http));

    private static bool IsKnown(string charset)
    {
        try
        {
            return Encoding.GetEncoding(charset) is not null;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException) // unknown encoding, or UTF-7, which is unsafe
        {
            return false;
        }
    }

    /// <summary>What a body contains instead of JSON in UTF-8, if its beginning shows it; otherwise null.</summary>
    private static string? InsteadOfJson(JsonException e) =>
        e.Message.Contains("'0xFF'", StringComparison.Ordinal) || e.Message.Contains("'0xFE'", StringComparison.Ordinal)
            || e.Message.Contains("'0x00'", StringComparison.Ordinal)
            ? "The body is not JSON in UTF-8: it begins like UTF-16 or a file. Send the JSON in UTF-8, or with Content-Type: "
                + "application/json; charset=utf-16." : null;

    private static string Sentence(BadHttpRequestException e) =>
        e.InnerException is JsonException json ? Sentence(json)
        : e.Message.Contains("no body was provided", StringComparison.Ordinal) ? "This endpoint needs a JSON object, but the request has "
            + "no body, or null; /swagger shows an example."
        : Unbound().Match(e.Message) is { Success: true } match
            ? $"The value \"{match.Groups["value"].Value}\" of {JsonNamingPolicy.CamelCase.ConvertName(match.Groups["name"].Value)} is "
                + "invalid; /swagger says what is allowed."
        : e.Message;

    /// <summary>What is wrong with the JSON of a body.</summary>
    public static string Sentence(JsonException e) =>
        InsteadOfJson(e) is { } other ? other
        : UnknownField().Match(e.Message) is { Success: true } unknown
            ? UnknownFieldSentence(unknown.Groups["name"].Value, unknown.Groups["type"].Value)
        : Duplicate().Match(e.Message) is { Success: true } twice
            ? $"The request has the field \"{twice.Groups["name"].Value}\" twice; send it once. Nothing was changed."
        : $"The body is not the JSON that this endpoint expects{Place(e)}{Wanted(e)}; /swagger shows an example.";

    private static string UnknownFieldSentence(string name, string type)
    {
        string[] known = [.. typeof(UnreadableRequests).Assembly.GetType(type)?.GetProperties()
            .Select(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name)) ?? []];
        return $"This request has no field \"{name}\""
            + (known.MinBy(other => Distance(name, other)) is { } nearest && Distance(name, nearest) <= Math.Max(2, nearest.Length / 3)
                ? $"; did you mean \"{nearest}\"? Nothing was changed."
                : $"; its fields are {string.Join(", ", known)}. Nothing was changed.");
    }

    /// <summary>Finds a misspelt field among fields that may have any name, because other programs add their own.</summary>
    /// <param name="name">The name as sent.</param>
    /// <param name="ours">Our fields that are missing.</param>
    /// <returns>The field that was meant; null if none is similar.</returns>
    public static string? Meant(string name, params IEnumerable<string> ours) =>
        name.Length > 2 * Names.MaxLength ? null
        : ours.FirstOrDefault(other => !name.Equals(other, StringComparison.OrdinalIgnoreCase)
            && Distance(name, other) <= other.Length / 4);

    /// <summary>Levenshtein distance: the number of letters to insert, delete or replace.</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0]++;
            for (var j = 1; j <= b.Length; j++)
            {
                var replaced = diagonal + (char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[^1];
    }

    private static string Place(JsonException json) =>
        json.LineNumber is { } line ? $": look at {json.Path ?? "$"}, line {line + 1}, byte {json.BytePositionInLine + 1}" : "";

    /// <summary>What should be there instead. The message names the type of the value or of its owner.</summary>
    private static string Wanted(JsonException json)
    {
        if (Unlike().Match(json.Message) is not { Success: true } match)
        {
            return "";
        }

        var type = typeof(UnreadableRequests).Assembly.GetType(match.Groups["type"].Value) ?? Type.GetType(match.Groups["type"].Value);
        var field = json.Path?[(json.Path.LastIndexOf('.') + 1)..];
        type = type?.GetProperties().FirstOrDefault(one => one.Name.Equals(field, StringComparison.OrdinalIgnoreCase))?.PropertyType
            ?? type;
        return type is not null && Wanted(Nullable.GetUnderlyingType(type) ?? type) is { } wanted ? $", where {wanted} is expected" : "";
    }

    private static string? Wanted(Type type) =>
        type == typeof(string) ? "a string"
        : type == typeof(bool) ? "true or false"
        : type == typeof(int) ? $"a whole number of at most {int.MaxValue:N0}"
        : type == typeof(long) ? "a whole number"
        : type == typeof(double) ? "a number"
        : type == typeof(Guid) ? "an id"
        : type == typeof(DateTimeOffset) ? "a time such as 2030-01-31T00:00:00Z"
        : type.IsEnum ? $"one of {string.Join(", ", Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName))}"
        : type.IsGenericType ? type.GetGenericArguments() is [_] ? "a list" : "an object"
        : type.IsClass ? "an object" : null;

    [GeneratedRegex("""^The JSON value could not be converted to (?<type>\S+)\. Path: """)]
    private static partial Regex Unlike();

    [GeneratedRegex("""^Duplicate property '(?<name>.{0,200}?)' encountered""", RegexOptions.Singleline)]
    private static partial Regex Duplicate();

    [GeneratedRegex(
        """^The JSON property '(?<name>.{0,200}?)' could not be mapped to any \.NET member contained in type '(?<type>[^']+)'""",
        RegexOptions.Singleline)]
    private static partial Regex UnknownField();

    [GeneratedRegex("""^Failed to bind parameter "\S+ (?<name>\w+)" from "(?<value>.*)"\.$""", RegexOptions.Singleline)]
    private static partial Regex Unbound();
}
