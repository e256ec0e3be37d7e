using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Headstart.Tests.Backbones;

namespace Headstart.Tests.ApiDocument;

[Collection<HostingHost>]
public sealed class OpenApiTests(TestHost host)
{
    private static readonly string[] Methods = ["get", "post", "put", "patch", "delete"];

    /// <summary>The copy shows in a review what a change does to clients. HEADSTART_UPDATE_OPENAPI=1 writes it anew.</summary>
    [Fact]
    public async Task The_document_is_the_committed_one()
    {
        var document = (await DocumentAsync()).ToJsonString(
            new JsonSerializerOptions
            {
                WriteIndented = true,
                Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping
            }) + "\n";
        var file = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "../../../src/Headstart/openapi.json"));
        if (Environment.GetEnvironmentVariable("HEADSTART_UPDATE_OPENAPI") == "1")
        {
            await File.WriteAllTextAsync(file, document, Api.Cancel);
        }

        Assert.True(File.Exists(file), "There is no committed copy yet; run this test with HEADSTART_UPDATE_OPENAPI=1.");
        Assert.Equal(await File.ReadAllTextAsync(file, Api.Cancel), document);
    }

    [Fact]
    public async Task Every_operation_has_a_name_a_summary_a_description_and_a_tag()
    {
        foreach (var (address, operation) in await OperationsAsync())
        {
            foreach (var field in new[] { "operationId", "summary", "description" })
            {
                Assert.False(string.IsNullOrWhiteSpace((string?)operation[field]), $"{address} has no {field}");
            }

            Assert.True(operation["tags"]?.AsArray().Count == 1, $"{address} has no tag");
        }
    }

    [Fact]
    public async Task Every_operation_that_takes_something_has_an_example()
    {
        foreach (var (address, operation) in await OperationsAsync())
        {
            var parameters = operation["parameters"]?.AsArray().Where(p => (string?)p!["in"] != "path").ToList() ?? [];
            if (operation["requestBody"] is not null || parameters.Count > 0)
            {
                // Files have none.
                Assert.True(parameters.Append(operation["requestBody"]).Any(p => p?.ToJsonString() is { } json
                    && (json.Contains("\"example\"", StringComparison.Ordinal) || json.Contains("\"binary\"", StringComparison.Ordinal))),
                    $"{address} has no example");
            }
        }
    }

    [Fact]
    public async Task Everything_under_api_needs_a_key_and_says_so_and_health_does_not()
    {
        foreach (var (address, operation) in await OperationsAsync())
        {
            var needsKey = address.Contains("/api/", StringComparison.Ordinal) || address.Contains("/v2/models/", StringComparison.Ordinal)
                || address.Contains("/v2/repository/", StringComparison.Ordinal);
            var schemes = operation["security"]?.AsArray().SelectMany(s => s!.AsObject().Select(p => p.Key)) ?? [];
            Assert.True(needsKey == schemes.Any(), address);
            Assert.True(!needsKey || schemes.SequenceEqual(["bearer", "basic"]), address);
            Assert.True(needsKey == operation["responses"]!.AsObject().ContainsKey("401"), address);
        }
    }

    [Fact]
    public async Task Every_refusal_is_documented_as_a_problem_and_every_success_with_its_body()
    {
        foreach (var (address, operation) in await OperationsAsync())
        {
            foreach (var (status, response) in operation["responses"]!.AsObject())
            {
                var types = response!["content"]?.AsObject().Select(c => c.Key).ToList() ?? [];
                // The Open Inference Protocol has errors of its own.
                Assert.True(status[0] is '4' or '5' ? types is ["application/problem+json"]
                    || (types is ["application/json"] && address.Contains(" /v2", StringComparison.Ordinal)) : status is "204"
                    or "304" == types is [], $"{address} {status}: {string.Join(' ', types)}");
            }

            Assert.True(operation["responses"]!.AsObject().Any(r => r.Key[0] == '2'), address);
        }
    }

    [Fact]
    public async Task Upload_forms_name_the_category_and_the_manifest_before_the_files()
    {
        var operations = await OperationsAsync();
        var schema = operations.Single(o => (string?)o.Operation["operationId"] == "addImages")
            .Operation["requestBody"]!["content"]!["multipart/form-data"]!["schema"]!;
        Assert.Equal(["category", "manifest", "file"], schema["properties"]!.AsObject().Select(p => p.Key));
        Assert.Equal("binary", (string?)schema["properties"]!["file"]!["items"]!["format"]);
    }

    [Fact]
    public async Task Swagger_ui_shows_the_document_without_a_key()
    {
        using var client = host.ClientWith(null);
        var page = await client.GetStringAsync("/swagger/index.html", Api.Cancel);
        Assert.Contains("Headstart API", page);
        Assert.Contains("\"v1/swagger.json\"", await client.GetStringAsync("/swagger/index.js", Api.Cancel));
        Assert.Equal("text/html", (await client.GetAsync("/swagger", Api.Cancel)).Content.Headers.ContentType?.MediaType);
        foreach (var file in new[] { "swagger-ui-bundle.js", "swagger-ui.css" })
        {
            Assert.True((await client.GetAsync($"/swagger/{file}", Api.Cancel)).IsSuccessStatusCode, file);
        }
    }

    private async Task<JsonNode> DocumentAsync() => await host.ClientWith(null).GetJsonAsync("/swagger/v1/swagger.json");

    private async Task<List<(string Address, JsonNode Operation)>> OperationsAsync() => [.. (await DocumentAsync())["paths"]!.AsObject()
        .SelectMany(path => path.Value!.AsObject().Where(o => Methods.Contains(o.Key))
            .Select(o => ($"{o.Key.ToUpperInvariant()} {path.Key}", o.Value!)))];

    private static string Here([CallerFilePath] string path = "") => path;
}
