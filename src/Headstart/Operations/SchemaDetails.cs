using System.Reflection;
using System.Text.Json;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Headstart.Operations;

/// <summary>Adds what Swashbuckle does not say of a record: which references may be null, and what may be left out.</summary>
public sealed class SchemaDetails : ISchemaFilter
{
    public void Apply(IOpenApiSchema schema, SchemaFilterContext context)
    {
        if (schema is not OpenApiSchema { Properties: { Count: > 0 } properties } record)
        {
            return;
        }

        var nullability = new NullabilityInfoContext();
        foreach (var property in context.Type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            var name = JsonNamingPolicy.CamelCase.ConvertName(property.Name);
            if (properties.TryGetValue(name, out var said) && said is OpenApiSchemaReference
                && nullability.Create(property).ReadState == NullabilityState.Nullable)
            {
                properties[name] = new OpenApiSchema { OneOf = [new OpenApiSchema { Type = JsonSchemaType.Null }, said] };
            }

            if (said is OpenApiSchema { Items: OpenApiSchemaReference } list
                && property.PropertyType.GenericTypeArguments is [{ IsEnum: true } values])
            {
                // NSwag's clients for System.Text.Json read values of an enumeration as numbers where they stand in a list.
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
    }
}
