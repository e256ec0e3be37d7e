using System.Text.Json;
using System.Text.Json.Serialization;

namespace Headstart.Operations;

/// <summary>How JSON looks everywhere: camelCase names and enum values.</summary>
public static class Json
{
    public static JsonSerializerOptions Options { get; } = Configure(new(JsonSerializerDefaults.Web));

    public static JsonSerializerOptions Configure(JsonSerializerOptions options)
    {
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false));
        return options;
    }
}
