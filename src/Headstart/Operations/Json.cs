using System.Text.Json;
using System.Text.Json.Serialization;

namespace Headstart.Operations;

/// <summary>How JSON looks everywhere: camelCase names and enum values.</summary>
public static class Json
{
    public static JsonSerializerOptions Options { get; } = Configure(new(JsonSerializerDefaults.Web));

    /// <summary>A body that is read by hand, because the endpoint takes other content types too.</summary>
    /// <exception cref="BadHttpRequestException">It is not the JSON that this endpoint expects.</exception>
    public static async Task<T?> ReadAsync<T>(HttpRequest request, CancellationToken cancel)
    {
        try
        {
            return await request.ReadFromJsonAsync<T>(Options, cancel);
        }
        catch (JsonException e)
        {
            throw new BadHttpRequestException("The body is not the JSON that this endpoint expects.", e);
        }
    }

    public static JsonSerializerOptions Configure(JsonSerializerOptions options)
    {
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false));
        return options;
    }
}
