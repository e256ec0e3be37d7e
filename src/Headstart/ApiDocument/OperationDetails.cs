using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Headstart.ApiDocument;

/// <summary>Adds what Swashbuckle does not take from the endpoint's metadata: keys, examples, file forms.</summary>
public sealed class OperationDetails(IEnumerable<ErrorShape> shapes) : IOperationFilter
{
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        var metadata = context.ApiDescription.ActionDescriptor.EndpointMetadata;
        foreach (var (_, response) in operation.Responses!)
        {
            foreach (var (type, body) in response.Content ?? new Dictionary<string, OpenApiMediaType>())
            {
                // Everything but JSON is declared as bytes: generators would otherwise try to parse it as JSON.
                body.Schema = type is "application/json" or "application/problem+json" ? body.Schema : Bytes();
            }
        }

        if (!metadata.OfType<Microsoft.AspNetCore.Authorization.IAuthorizeData>().Any())
        {
            operation.Security = [];
            Refuses(operation, context, [400]);
        }
        else
        {
            operation.Security =
            [
                new() { [new OpenApiSecuritySchemeReference("bearer", context.Document)] = [] },
                new() { [new OpenApiSecuritySchemeReference("basic", context.Document)] = [] },
            ];
            Refuses(operation, context, [401, 403, 429, 503]);
        }

        if (operation.RequestBody is not null || metadata.Any(one => one is FileForm or RawBody or JsonBody))
        {
            Refuses(operation, context, [400, 413, 415]);
        }

        if (metadata.OfType<FileForm>().SingleOrDefault() is { } form)
        {
            operation.RequestBody = Body(form);
        }

        if (metadata.OfType<JsonBody>().SingleOrDefault() is { } json)
        {
            operation.RequestBody = Body(["application/json"], context.SchemaGenerator.GenerateSchema(json.Type, context.SchemaRepository));
        }

        if (metadata.OfType<RawBody>().SingleOrDefault() is { } raw)
        {
            operation.RequestBody = Body(raw.Types, Bytes(), raw.Example.Length > 0 ? raw.Example : null);
        }

        if (metadata.OfType<TakesMore>().SingleOrDefault() is { } more)
        {
            operation.Responses.Remove("202");
            operation.Parameters = [.. operation.Parameters?.Where(p => !more.Hidden.Contains(p.Name)) ?? []];
        }

        if (metadata.OfType<BodyExample>().SingleOrDefault() is { } example && operation.RequestBody?.Content is { } content)
        {
            foreach (var (_, mediaType) in content.Where(c => c.Key == "application/json"))
            {
                mediaType.Example = JsonNode.Parse(example.Json);
            }
        }

        foreach (var parameter in operation.Parameters?.OfType<OpenApiParameter>() ?? [])
        {
            parameter.Example ??= Examples.GetValueOrDefault(parameter.Name ?? "")?.DeepClone();
        }
    }

    /// <summary>Adds the refusals that happen before the endpoint is reached, in the format used below its path.</summary>
    private void Refuses(OpenApiOperation operation, OperationFilterContext context, ReadOnlySpan<int> statuses)
    {
        var shape = shapes.FirstOrDefault(shape =>
            new PathString("/" + context.ApiDescription.RelativePath).StartsWithSegments(shape.Below));
        var (type, format) = shape is null ? (typeof(ProblemDetails), "application/problem+json") : (shape.Body, "application/json");
        foreach (var status in statuses)
        {
            var code = status.ToString(CultureInfo.InvariantCulture);
            if (shape is null && operation.Responses!.ContainsKey(code))
            {
                continue;
            }

            operation.Responses![code] = new OpenApiResponse
            {
                Description = ReasonPhrases.GetReasonPhrase(status),
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    [format] = new() { Schema = context.SchemaGenerator.GenerateSchema(type, context.SchemaRepository) },
                },
            };
        }
    }

    // Swagger UI fills these in, so they must be harmless: no filter, no Idempotency-Key.
    private static readonly Dictionary<string, JsonNode> Examples = new()
    {
        ["limit"] = Page.DefaultLimit,
        ["size"] = 256,
        ["number"] = 1,
        ["top"] = 3,
        ["days"] = 30,
        ["format"] = "jsonl",
    };

    private static OpenApiRequestBody Body(FileForm form)
    {
        // An array, because a form may repeat a field; nullable, because generated clients would otherwise require it.
        var properties = form.Fields.ToDictionary(f => f.Key, IOpenApiSchema (f) => form.OneFile
            ? new OpenApiSchema { Type = JsonSchemaType.String | JsonSchemaType.Null, Example = f.Value.Length > 0 ? f.Value : null }
            : new OpenApiSchema
            {
                Type = JsonSchemaType.Array | JsonSchemaType.Null,
                Items = new OpenApiSchema { Type = JsonSchemaType.String },
                Example = new JsonArray(f.Value),
            });
        if (form.Manifest)
        {
            properties["manifest"] = new OpenApiSchema
            {
                Type = JsonSchemaType.String | JsonSchemaType.Null,
                Description = "A CSV table or JSON Lines with the category of each file, such as file,category.",
            };
        }

        properties["file"] = form.OneFile ? Bytes() : new OpenApiSchema { Type = JsonSchemaType.Array, Items = Bytes() };
        return Body(["multipart/form-data"], new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Properties = properties,
            Required = new HashSet<string> { "file" },
        });
    }

    private static OpenApiRequestBody Body(string[] types, IOpenApiSchema schema, string? example = null) => new()
    {
        Required = true,
        Content = types.ToDictionary(type => type, type => new OpenApiMediaType { Schema = schema, Example = example }),
    };

    private static OpenApiSchema Bytes() => new() { Type = JsonSchemaType.String, Format = "binary" };
}
