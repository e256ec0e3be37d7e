using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Headstart.Operations;

/// <summary>An example body of an operation, as JSON.</summary>
public sealed record BodyExample(string Json);

/// <summary>Marks an operation that reads a form of files itself, because binding it would buffer all of it.</summary>
/// <param name="Fields">Text fields that may stand before the files, each with an example or an empty text.</param>
/// <param name="OneFile">Whether the form takes a single file.</param>
/// <param name="Manifest">Whether the form may have a table of its files.</param>
public sealed record FileForm(IReadOnlyDictionary<string, string> Fields, bool OneFile = false, bool Manifest = false);

/// <summary>Marks an operation that reads JSON itself.</summary>
/// <param name="Type">What the body is.</param>
public sealed record JsonBody(Type Type);

/// <summary>Marks an operation that reads a body of another kind itself: a file, a table, a text.</summary>
/// <param name="Example">Empty where it is not text.</param>
/// <param name="Types">Content types.</param>
public sealed record RawBody(string Example, params string[] Types);

/// <summary>
/// Marks a path that takes every kind of body, of which the document names one: the others have paths of their own, because generators make
/// no working client of an operation that takes several kinds and answers with several.
/// </summary>
/// <param name="Hidden">Parameters that only the other kinds have.</param>
public sealed record TakesMore(params string[] Hidden);

/// <summary>The OpenAPI document at <c>/swagger/v1/swagger.json</c> and Swagger UI at <c>/swagger</c>.</summary>
public static class OpenApi
{
    public static void AddOpenApiDocument(this IServiceCollection services)
    {
        services.AddEndpointsApiExplorer();
        services.AddSwaggerGen(options =>
        {
            options.SwaggerDoc("v1", new()
            {
                Title = "Headstart",
                Version = "v1",
                Description = "Trains image and text classifiers from a few labelled examples and serves them over HTTP. Press Authorize "
                    + "and enter your API key first. Then create a model, add images or texts, start a training run, wait for it to "
                    + "succeed, and predict.",
                Contact = new() { Name = "Headstart" },
                License = new() { Name = "MIT", Identifier = "MIT" },
            });
            options.AddSecurityDefinition("bearer", new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                Description = "Your API key."
            });
            options.AddSecurityDefinition("basic", new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "basic",
                Description = "Your API key as user name, with an empty password.",
            });
            options.NonNullableReferenceTypesAsRequired();
            options.SupportNonNullableReferenceTypes();
            options.IncludeXmlComments(Assembly.GetExecutingAssembly(), includeControllerXmlComments: false);
            options.CustomSchemaIds(SchemaId);
            options.SchemaFilter<SchemaDetails>();
            options.OperationFilter<OperationDetails>();
            options.DocumentFilter<MainJobFirst>();
        });
    }

    public static void MapOpenApiDocument(this WebApplication app)
    {
        app.MapSwagger("/swagger/{documentName}/swagger.json", swagger =>
        {
            swagger.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1; // 3.0 cannot say that a reference may be null
            swagger.PreSerializeFilters.Add(static (document, request) =>
                document.Servers = [new() { Url = request.PathBase.HasValue ? request.PathBase.Value! : "/" }]);
        }).AllowAnonymous();
        app.UseSwaggerUI(ui =>
        {
            ui.DocumentTitle = "Headstart API";
            ui.SwaggerEndpoint("v1/swagger.json", "Headstart v1"); // beside the page, whatever prefix that is below
            ui.EnablePersistAuthorization();
            ui.DisplayRequestDuration();
        });
    }

    public static RouteHandlerBuilder Named(this RouteHandlerBuilder endpoint, string name, string summary, string description) =>
        endpoint.WithName(name).WithSummary(summary).WithDescription(description);

    /// <summary>An example of the JSON body, and what every address answers that takes one.</summary>
    public static RouteHandlerBuilder Example(this RouteHandlerBuilder endpoint, string json) =>
        endpoint.WithMetadata(new BodyExample(json))
            .Refuses(StatusCodes.Status413PayloadTooLarge, StatusCodes.Status415UnsupportedMediaType);

    private static string SchemaId(Type type) => type.IsGenericType
        ? type.Name[..type.Name.IndexOf('`')] + "Of" + string.Concat(type.GetGenericArguments().Select(SchemaId))
        : type.Name.EndsWith("Response", StringComparison.Ordinal) ? type.Name[..^"Response".Length] : type.Name;
}

/// <summary>Swagger UI shows the groups in this order: that of the main job, then what runs it. Schemas that nothing uses are left out:
/// those of values that stand only in lists.</summary>
public sealed class MainJobFirst : IDocumentFilter
{
    public void Apply(OpenApiDocument document, DocumentFilterContext context)
    {
        document.Tags = Groups();
        using var text = new StringWriter();
        document.SerializeAsV31(new OpenApiJsonWriter(text));
        var written = text.ToString();
        foreach (var name in document.Components!.Schemas!.Keys
            .Where(name => !written.Contains($"#/components/schemas/{name}\"", StringComparison.Ordinal)).ToList())
        {
            document.Components.Schemas.Remove(name);
        }
    }

    private static HashSet<OpenApiTag> Groups() => new()
    {
        new() { Name = "Models", Description = "Step 1: create a model and name its categories." },
        new() { Name = "Images", Description = "Step 2: add labelled images." },
        new() { Name = "Texts", Description = "Step 2 for text models: add texts, with or without a category." },
        new() { Name = "Image searches", Description = "Step 2 without images of your own: find openly licensed images on the web." },
        new() { Name = "Imports", Description = "Step 2 for thousands of images: the host processes the upload in the background." },
        new() { Name = "Training", Description = "Step 3: train a version." },
        new() { Name = "Predictions", Description = "Step 4: classify images and texts." },
        new() { Name = "Batch predictions", Description = "Step 4 for thousands of images: send them together, watch the progress, "
            + "download the predictions." },
        new() { Name = "Versions", Description = "The accuracy of each version, and which one is published." },
        new() { Name = "Backbones", Description = "The pretrained networks that this installation has." },
        new() { Name = "Open Inference Protocol", Description = "Predictions for standard clients and gateways." },
        new() { Name = "Keys", Description = "API keys, what they may do, and what they used." },
        new() { Name = "Accounts", Description = "The accounts of this installation, their quotas, and the audit log." },
        new() { Name = "Health", Description = "For load balancers and orchestrators." },
    };
}

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

/// <summary>Adds what the endpoint's metadata knows and Swashbuckle does not: keys, examples, file forms.</summary>
public sealed class OperationDetails(IEnumerable<ErrorShape> shapes) : IOperationFilter
{
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        var metadata = context.ApiDescription.ActionDescriptor.EndpointMetadata;
        foreach (var (_, response) in operation.Responses!)
        {
            foreach (var (type, body) in response.Content ?? new Dictionary<string, OpenApiMediaType>())
            {
                // What is not JSON is bytes to a program: generators would otherwise try to read it as JSON.
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

    /// <summary>What is refused before the endpoint is reached, in the format that is usual below its path.</summary>
    private void Refuses(OpenApiOperation operation, OperationFilterContext context, ReadOnlySpan<int> statuses)
    {
        var shape = shapes.FirstOrDefault(shape =>
            new PathString("/" + context.ApiDescription.RelativePath).StartsWithSegments(shape.Below));
        var (type, format) = shape is null ? (typeof(ProblemDetails), "application/problem+json") : (shape.Body, "application/json");
        foreach (var status in statuses)
        {
            operation.Responses!.TryAdd(status.ToString(CultureInfo.InvariantCulture), new OpenApiResponse
            {
                Description = ReasonPhrases.GetReasonPhrase(status),
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    [format] = new() { Schema = context.SchemaGenerator.GenerateSchema(type, context.SchemaRepository) },
                },
            });
        }
    }

    // Swagger UI fills these in, so only harmless values: no filter, no Idempotency-Key.
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
        // An array, because a form may have a field several times, and may be null, because generated clients otherwise ask for it.
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
