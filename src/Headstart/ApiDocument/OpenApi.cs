using System.Reflection;
using Microsoft.OpenApi;

namespace Headstart.ApiDocument;

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

/// <summary>Marks an operation that reads another kind of body itself: a file, a table, a text.</summary>
/// <param name="Example">Empty if the body is not text.</param>
/// <param name="Types">Content types.</param>
public sealed record RawBody(string Example, params string[] Types);

/// <summary>
/// Marks a path that takes every kind of body, of which the document describes one. The other kinds have paths of their own, because
/// generators cannot make a working client of an operation with several kinds of bodies and answers.
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
            options.DocumentFilter<DocumentDetails>();
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
            ui.SwaggerEndpoint("v1/swagger.json", "Headstart v1"); // relative to the page, so that it works below any path prefix
            ui.EnablePersistAuthorization();
            ui.DisplayRequestDuration();
        });
    }

    public static RouteHandlerBuilder Named(this RouteHandlerBuilder endpoint, string name, string summary, string description) =>
        endpoint.WithName(name).WithSummary(summary).WithDescription(description);

    /// <summary>Sets an example of the JSON body, and the responses common to all operations with a JSON body.</summary>
    public static RouteHandlerBuilder Example(this RouteHandlerBuilder endpoint, string json) =>
        endpoint.WithMetadata(new BodyExample(json))
            .Refuses(StatusCodes.Status413PayloadTooLarge, StatusCodes.Status415UnsupportedMediaType);

    private static string SchemaId(Type type) => type.IsGenericType
        ? type.Name[..type.Name.IndexOf('`')] + "Of" + string.Concat(type.GetGenericArguments().Select(SchemaId))
        : type.Name.EndsWith("Response", StringComparison.Ordinal) ? type.Name[..^"Response".Length] : type.Name;
}
