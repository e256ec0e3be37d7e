using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Headstart.ApiDocument;

/// <summary>
/// Adds what Swashbuckle does not say about a record: which references may be null, which fields are optional, and which are required
/// although our own check answers when they are missing (<see cref="RequiredAttribute"/>, which nothing else reads).
/// </summary>
public sealed partial class SchemaDetails : ISchemaFilter
{
    public void Apply(IOpenApiSchema schema, SchemaFilterContext context)
    {
        schema.Description = schema.Description is { } text ? LineBreak().Replace(text, " ") : null;
        if (schema is not OpenApiSchema { Properties: { Count: > 0 } properties } record)
        {
            return;
        }

        var nullability = new NullabilityInfoContext();
        foreach (var property in context.Type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            var name = JsonNamingPolicy.CamelCase.ConvertName(property.Name);
            if (properties.TryGetValue(name, out var found) && found is OpenApiSchemaReference
                && nullability.Create(property).ReadState == NullabilityState.Nullable)
            {
                properties[name] = new OpenApiSchema { OneOf = [new OpenApiSchema { Type = JsonSchemaType.Null }, found] };
            }

            if (found is OpenApiSchema { Items: OpenApiSchemaReference } list
                && property.PropertyType.GenericTypeArguments is [{ IsEnum: true } values])
            {
                // NSwag's clients for System.Text.Json read enumeration values in lists as numbers.
                list.Items = new OpenApiSchema
                {
                    Type = JsonSchemaType.String,
                    Description = $"One of {string.Join(", ", Enum.GetNames(values).Select(JsonNamingPolicy.CamelCase.ConvertName))}.",
                };
            }
        }

        foreach (var parameter in context.Type.GetConstructors().SelectMany(c => c.GetParameters()).Where(p => p.HasDefaultValue))
        {
            record.Required?.Remove(JsonNamingPolicy.CamelCase.ConvertName(parameter.Name!));
        }

        foreach (var property in context.Type.GetProperties().Where(p => p.GetCustomAttribute<RequiredAttribute>() is not null))
        {
            var name = JsonNamingPolicy.CamelCase.ConvertName(property.Name);
            (record.Required ??= new HashSet<string>()).Add(name);
            if (properties[name] is OpenApiSchema { Type: { } type } found)
            {
                found.Type = type & ~JsonSchemaType.Null;
            }
        }

        record.AdditionalPropertiesAllowed |= context.Type.GetCustomAttribute<JsonUnmappedMemberHandlingAttribute>()
            is { UnmappedMemberHandling: JsonUnmappedMemberHandling.Skip };
    }

    /// <summary>A line break inside an XML comment.</summary>
    [GeneratedRegex(@"(?<!\n)\n +")]
    private static partial Regex LineBreak();
}
