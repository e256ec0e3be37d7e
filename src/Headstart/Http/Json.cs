using System.Text.Json;
using System.Text.Json.Serialization;

namespace Headstart.Http;

/// <summary>JSON settings for everything: camelCase names and enum values.</summary>
public static class Json
{
    public static JsonSerializerOptions Options { get; } = Configure(new(JsonSerializerDefaults.Web));

    /// <summary>For request bodies: refuses unknown fields as mistakes of the sender.</summary>
    private static JsonSerializerOptions Strict { get; } = ConfigureBodies(new(JsonSerializerDefaults.Web));

    /// <summary>Reads a body in an endpoint that takes other content types too.</summary>
    /// <exception cref="BadHttpRequestException">The body is not the JSON that this endpoint expects.</exception>
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

    /// <summary>Configures the options for requests and responses.</summary>
    public static JsonSerializerOptions ConfigureBodies(JsonSerializerOptions options)
    {
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        options.AllowDuplicateProperties = false; // nobody knows which of two values is meant
        return Configure(options);
    }

    private static JsonSerializerOptions Configure(JsonSerializerOptions options)
    {
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false));
        return options;
    }
}
