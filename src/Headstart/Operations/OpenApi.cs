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

/// <summary>Marks an operation that reads files itself, because binding a form would buffer all of it.</summary>
/// <param name="Fields">Text fields that may stand before the files, each with an example or an empty text.</param>
/// <param name="RawImage">Whether the body may also be one image, without a form.</param>
/// <param name="OneFile">Whether the form takes a single file.</param>
/// <param name="Zip">Whether the body may also be an archive.</param>
/// <param name="Json">What the body may also be, as JSON.</param>
/// <param name="Manifests">Whether the body may also be a manifest of images, and the form may have one.</param>
/// <param name="Texts">Whether the body may also be a list of texts.</param>
/// <param name="RawText">Whether the body may also be one text.</param>
public sealed record FileForm(
    IReadOnlyDictionary<string, string> Fields, bool RawImage, bool OneFile = false, bool Zip = false, Type? Json = null,
    bool Manifests = false, bool Texts = false,
    bool RawText = false);

/// <summary>Marks an operation whose success is one of two things.</summary>
/// <param name="Type">The other one.</param>
public sealed record AlsoAnswers(Type Type);

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

/// <summary>Swagger UI shows the groups in this order: that of the main job, then what runs it.</summary>
public sealed class MainJobFirst : IDocumentFilter
{
    public void Apply(OpenApiDocument document, DocumentFilterContext context) => document.Tags = new HashSet<OpenApiTag>
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
        new() { Name = "Backbones" },
        new() { Name = "Open Inference Protocol", Description = "Predictions for standard clients and gateways." },
        new() { Name = "Keys" },
        new() { Name = "Accounts", Description = "The accounts of this installation, their quotas, and the audit log." },
        new() { Name = "Health" },
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

        if (operation.RequestBody is not null || metadata.OfType<FileForm>().Any())
        {
            Refuses(operation, context, [400, 413, 415]);
        }

        if (metadata.OfType<FileForm>().SingleOrDefault() is { } form)
        {
            operation.RequestBody = Body(form);
            if (form.Json is not null)
            {
                operation.RequestBody.Content!["application/json"] =
                    new() { Schema = context.SchemaGenerator.GenerateSchema(form.Json, context.SchemaRepository) };
            }
        }

        if (metadata.OfType<BodyExample>().SingleOrDefault() is { } example && operation.RequestBody?.Content is { } content)
        {
            foreach (var (_, mediaType) in content.Where(c => c.Key == "application/json"))
            {
                mediaType.Example = JsonNode.Parse(example.Json);
            }
        }

        if (metadata.OfType<AlsoAnswers>().SingleOrDefault() is { } also
            && operation.Responses?["200"].Content?["application/json"] is { } answer)
        {
            answer.Schema = new OpenApiSchema
            {
                OneOf = [answer.Schema!,
                context.SchemaGenerator.GenerateSchema(also.Type, context.SchemaRepository)]
            };
        }

        foreach (var parameter in operation.Parameters?.OfType<OpenApiParameter>() ?? [])
        {
            parameter.Example ??= Examples.GetValueOrDefault(parameter.Name ?? "")?.DeepClone();
        }
    }

    /// <summary>What is refused before the endpoint is reached, in the format that is usual below its path.</summary>
    private void Refuses(OpenApiOperation operation, OperationFilterContext context, ReadOnlySpan<int> statuses)
    {
        var shape = shapes.FirstOrDefault(shape => new PathString("/" + context.ApiDescription.RelativePath).StartsWithSegments(shape.Below));
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
        var properties = form.Fields.ToDictionary(
            f => f.Key, IOpenApiSchema (f) => new OpenApiSchema
            {
                Type = JsonSchemaType.String,
                Example = f.Value.Length > 0 ? f.Value
            : null
            });
        if (form.Manifests)
        {
            properties["manifest"] = new OpenApiSchema
            {
                Type = JsonSchemaType.String,
                Description = "A CSV table or JSON Lines with the category of each file, such as file,category.",
            };
        }

        var file = Bytes();
        properties["file"] = form.OneFile ? file : new OpenApiSchema { Type = JsonSchemaType.Array, Items = file };
        var body = new OpenApiRequestBody
        {
            Required = true,
            Content = new Dictionary<string, OpenApiMediaType>
            {
                ["multipart/form-data"] = new() { Schema = new OpenApiSchema { Type = JsonSchemaType.Object, Properties = properties } },
            },
        };
        if (form.RawImage)
        {
            body.Content["image/*"] = new() { Schema = Bytes() };
        }

        if (form.Zip)
        {
            body.Content["application/zip"] = new() { Schema = Bytes() };
        }

        if (form.Manifests)
        {
            body.Content["application/x-ndjson"] = Text("{\"url\":\"https://example.com/cat.jpg\",\"category\":\"cats\"}\n");
            body.Content["text/csv"] = Text("url,category\nhttps://example.com/cat.jpg,cats\n");
        }

        if (form.Texts)
        {
            body.Content["application/jsonl"] = Text("{\"text\":\"I loved it\",\"category\":\"positive\"}\n");
            body.Content["text/csv"] = Text("text,category\nI loved it,positive\n");
            body.Content["text/tab-separated-values"] = Text("text\tcategory\nI loved it\tpositive\n");
        }

        if (form.Texts || form.RawText)
        {
            body.Content["text/plain"] = Text("I loved it");
        }

        return body;

        static OpenApiMediaType Text(string example) =>
            new() { Schema = new OpenApiSchema { Type = JsonSchemaType.String }, Example = example };
    }

    private static OpenApiSchema Bytes() => new() { Type = JsonSchemaType.String, Format = "binary" };
}
