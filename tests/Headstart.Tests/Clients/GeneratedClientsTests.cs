using Headstart.Tests.Processes;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using NSwag;
using NSwag.CodeGeneration.CSharp;

namespace Headstart.Tests.Clients;

/// <summary>Clients that other tools make of the committed OpenAPI document do the main job, and linters find nothing in it.</summary>
public sealed class GeneratedClientsTests(TestHost host) : IClassFixture<TestHost>
{
    private static readonly string Document = Repository.PathOf("src", "Headstart", "openapi.json");
    private static readonly string Programs = Repository.PathOf("tests", "Headstart.Tests", "Clients", "Generated");

    [Fact]
    public async Task A_client_made_by_NSwag_does_the_main_job()
    {
        var settings = new CSharpClientGeneratorSettings
        {
            ClassName = "HeadstartApi",
            UseBaseUrl = false,
            GenerateOptionalParameters = true,
        };
        settings.CSharpGeneratorSettings.Namespace = "Generated";
        settings.CSharpGeneratorSettings.JsonLibrary = NJsonSchema.CodeGeneration.CSharp.CSharpJsonLibrary.SystemTextJson;
        settings.CSharpGeneratorSettings.GenerateNullableReferenceTypes = true;
        var client = new CSharpClientGenerator(await OpenApiDocument.FromFileAsync(Document, Api.Cancel), settings).GenerateFile();
        var program = "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; "
            + "global using System.Net.Http; global using System.Threading.Tasks; namespace Generated;"
            + await File.ReadAllTextAsync(Path.Combine(Programs, "MainJob.cs"), Api.Cancel);

        using var assembly = new MemoryStream();
        var compiled = CSharpCompilation.Create("GeneratedClient",
            new[] { client, program }.Select(code => CSharpSyntaxTree.ParseText(code, cancellationToken: Api.Cancel)),
            ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
                .Select(file => MetadataReference.CreateFromFile(file)),
            new(OutputKind.DynamicallyLinkedLibrary)).Emit(assembly, cancellationToken: Api.Cancel);
        Assert.Empty(compiled.Diagnostics.Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error));
        var run = System.Reflection.Assembly.Load(assembly.ToArray()).GetType("Generated.MainJob")!.GetMethod("RunAsync")!;

        var answer = await (Task<string>)run.Invoke(null, [host.Address, TestHost.Key, Pets.Folder])!;

        Assert.Equal("Succeeded 1, cats, 255, 80", answer);
    }

    [Fact]
    public async Task A_client_made_by_openapi_typescript_does_the_main_job()
    {
        var tools = await ToolsAsync();
        await UserProgram.RunAsync(tools, "npx", "openapi-typescript", Document, "-o", "api.d.ts");
        await UserProgram.RunAsync(tools, "npx", "tsc");

        var answer = await UserProgram.RunAsync(tools, "node", "main-job.js", host.Address.ToString().TrimEnd('/'), TestHost.Key,
            Pets.Folder);

        Assert.Equal(["30 cats", "30 dogs", "succeeded 1, cats, 255, 80"], answer.Trim().Split('\n'));
    }

    [Fact]
    public async Task Linters_find_no_error_and_no_warning_in_the_document()
    {
        var tools = await ToolsAsync();

        var redocly = await UserProgram.EndAsync(new("npx", ["redocly", "lint", Document]) { WorkingDirectory = tools });
        var spectral = await UserProgram.RunAsync(tools, "npx", "spectral", "lint", Document, "--fail-severity", "hint");

        Assert.Contains("Your API description is valid.", redocly.With(0).Errors);
        Assert.DoesNotContain("warning", redocly.Errors);
        Assert.StartsWith("No results", spectral.Trim());
    }

    /// <summary>Of fixed versions, once for a checkout.</summary>
    private static Task<string> ToolsAsync()
    {
        Needs.Programs("node", "npm");
        return NpmFolder.InstalledAsync(Programs, "openapi-tools");
    }
}
