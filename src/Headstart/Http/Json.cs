using System.Text.Json;
using System.Text.Json.Serialization;

namespace Headstart.Http;

/// <summary>How JSON looks everywhere: camelCase names and enum values.</summary>
public static class Json
{
    public static JsonSerializerOptions Options { get; } = Configure(new(JsonSerializerDefaults.Web));

    /// <summary>For bodies of requests: a field that the request does not have is a mistake of the sender's, and refused.</summary>
    private static JsonSerializerOptions Strict { get; } = ConfigureBodies(new(JsonSerializerDefaults.Web));

    /// <summary>A body that is read by hand, because the endpoint takes other content types too.</summary>
    /// <exception cref="BadHttpRequestException">It is not the JSON that this endpoint expects.</exception>
    public static async Task<T?> ReadAsync<T>(HttpRequest request, CancellationToken cancel)
    {
        try
        {
            return await request.ReadFromJsonAsync<T>(Strict, cancel);
        }
        catch (JsonException e)
        {
            throw new BadHttpRequestException("The body is not the JSON that this endpoint expects.", e);
        }
    }

    /// <summary>Makes the options those of requests and answers.</summary>
    public static JsonSerializerOptions ConfigureBodies(JsonSerializerOptions options)
    {
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        options.AllowDuplicateProperties = false; // of two values, none is certain
        return Configure(options);
    }

    private static JsonSerializerOptions Configure(JsonSerializerOptions options)
    {
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false));
        return options;
    }
}
