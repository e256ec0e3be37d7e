using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using Headstart.Hosting;
using Headstart.Learning.Native;
using Headstart.Tests.Access;
using Headstart.Tests.Postgres;
using Headstart.Tests.Predictions;
using Headstart.Tests.Processes;
using Microsoft.EntityFrameworkCore;
using Microsoft.ML.OnnxRuntime;

namespace Headstart.Tests.Versions;

public sealed class ExportTests(TrainedHost host) : IClassFixture<TrainedHost>
{
    private readonly HttpClient _client = host.Client;

    private string Path => $"{host.Model}/versions/1/export";

    [Fact]
    public async Task An_export_is_a_zip_with_the_model_its_labels_and_a_README()
    {
        await _client.SendAsync(HttpMethod.Patch, host.Model, new { name = "Cats & \"dogs\"/äöü" });
        using var response = await _client.GetAsync(Path, Api.Cancel);
        Assert.Equal((HttpStatusCode.OK, "application/zip"), (response.StatusCode, response.Content.Headers.ContentType?.ToString()));
        Assert.Equal("Cats----dogs--äöü-v1.zip", response.Content.Headers.ContentDisposition?.FileNameStar);
        using var zip = new ZipArchive(await response.Content.ReadAsStreamAsync(Api.Cancel));
        Assert.Equal(["model.onnx", "labels.txt", "README.md"], zip.Entries.Select(entry => entry.FullName));
        Assert.Equal("cats\ndogs\n", await TextAsync(zip, "labels.txt"));
        var readme = await TextAsync(zip, "README.md");
        Assert.All(["`Cats & \"dogs\"/äöü`, version 1", "0. `cats`", "1. `dogs`", "headstart-small, Apache-2.0"], part =>
            Assert.Contains(part, readme));
    }

    [Fact]
    public async Task The_model_says_what_it_is()
    {
        using var folder = await UnpackAsync();
        OnnxRuntime.EnsureLoaded();
        using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        using var session = new InferenceSession(folder.Below("model.onnx"), options);
        var about = session.ModelMetadata.CustomMetadataMap;
        Assert.Equal(("[\"cats\",\"dogs\"]", "1", "imageClassification", host.Model[^36..]),
            (about["labels"], about["version"], about["kind"], about["modelId"]));
        var backbone = (await _client.GetJsonAsync("/api/v1/backbones"))["items"]!.AsArray()
            .Single(b => (string?)b!["id"] == "headstart-small")!;
        Assert.Contains((string)backbone["sha256"]!, about["backbones"]);
    }

    [Fact]
    public async Task The_same_version_is_the_same_file_and_need_not_be_sent_twice()
    {
        using var first = await _client.GetAsync(Path, Api.Cancel);
        using var second = await _client.GetAsync(Path, Api.Cancel);
        Assert.Equal(await first.Content.ReadAsByteArrayAsync(Api.Cancel), await second.Content.ReadAsByteArrayAsync(Api.Cancel));
        using var request = new HttpRequestMessage(HttpMethod.Get, Path);
        request.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        Assert.Equal(HttpStatusCode.NotModified, (await _client.SendAsync(request, Api.Cancel)).StatusCode);
        using var rest = new HttpRequestMessage(HttpMethod.Get, Path) { Headers = { Range = new RangeHeaderValue(1_000_000, null) } };
        // a download that broke goes on
        Assert.Equal(HttpStatusCode.PartialContent, (await _client.SendAsync(rest, Api.Cancel)).StatusCode);
    }

    [Fact]
    public async Task What_cannot_be_exported_is_said()
    {
        using var other = await host.OtherAccountAsync();
        await (await other.GetAsync(Path, Api.Cancel)).ProblemAsync(HttpStatusCode.NotFound, "version-not-found");
        await (await _client.GetAsync($"{host.Model}/versions/2/export", Api.Cancel))
            .ProblemAsync(HttpStatusCode.NotFound, "version-not-found");
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.ClientWith(null).GetAsync(Path, Api.Cancel)).StatusCode);

        var model = await _client.PetsAsync(12);
        await _client.TrainAsync(model);
        var id = Guid.Parse(model[^36..]);
        await host.QueryAsync(db => db.Versions.Where(v => v.ModelId == id)
            .ExecuteUpdateAsync(set => set.SetProperty(v => v.Artifact, new byte[32]), Api.Cancel));
        await (await _client.GetAsync($"{model}/versions/1/export", Api.Cancel))
            .ProblemAsync(HttpStatusCode.Conflict, "version-unavailable");
    }

    [Fact]
    public async Task The_JavaScript_of_the_README_answers_as_the_service()
    {
        Needs.Time();
        Needs.Programs("node", "npm");
        using var folder = await UnpackAsync();
        var packages = await NpmFolder.InstalledAsync(Repository.PathOf("tests", "Headstart.Tests", "Versions", "NodePackages"),
            "node-packages");
        var program = System.IO.Path.Combine(packages, "label.mjs"); // beside them
        await File.WriteAllTextAsync(program, await UnpackedExport.ProgramAsync(folder, "js"), Api.Cancel);
        await AnswersAsTheServiceAsync(Photographs(), photo => UserProgram.RunAsync(folder.Path, "node", program, photo));
    }

    [Fact]
    public async Task The_CSharp_of_the_README_answers_as_the_service()
    {
        Needs.Time();
        using var folder = await UnpackAsync();
        await File.WriteAllTextAsync(folder.Below("label.cs"), await UnpackedExport.ProgramAsync(folder, "csharp"), Api.Cancel);
        await AnswersAsTheServiceAsync(Photographs().Take(2), photo =>
            UserProgram.RunAsync(folder.Path, "dotnet", "run", "label.cs", photo));
    }

    [Fact]
    public async Task The_Python_of_the_README_compiles()
    {
        Needs.Programs("python3");
        // ONNX Runtime for Python is on PyPI only, which no test reaches: what is held here is that the program is one.
        using var folder = await UnpackAsync();
        var program = await UnpackedExport.ProgramAsync(folder, "python");
        Assert.Contains("alpha_composite(Image.new(\"RGBA\", photo.size, \"white\"), photo)", program); // convert("RGB") makes it black
        await File.WriteAllTextAsync(folder.Below("label.py"), program, Api.Cancel);
        await UserProgram.RunAsync(folder.Path, "python3", "-m", "py_compile", "label.py");
    }

    // Not a WebP: the service has it shrunk by libwebp, in a way of its own, and there is no telling how from the pixels.
    private static string[] Photographs() =>
    [
        .. Pets.Cats.TakeLast(2), .. Pets.Dogs.TakeLast(2),
        .. SharedFolder.Root is { } shared // turned, grey, with a palette
            ? ((string[])["exif_landscape_6.jpg", "hopper_gray.jpg", "p_16.png"])
                .Select(file => System.IO.Path.Combine(shared, "datasets", "odd_files", file)) : [],
    ];

    private async Task AnswersAsTheServiceAsync(IEnumerable<string> photographs, Func<string, Task<string>> label)
    {
        foreach (var photo in photographs)
        {
            var expected = (await _client.PredictAsync(host.Model, photo))["predictions"]![0]!;
            var words = (await label(photo)).Trim().Split(' ');
            Assert.Equal((bool)expected["unknown"]! ? "unknown" : (string?)expected["labels"]![0]!["label"], words[0]);
            var difference = (double)expected["labels"]![0]!["probability"]! - double.Parse(words[1], CultureInfo.InvariantCulture);
            Assert.True(Math.Abs(difference) < 0.03, $"{photo} differs by {difference}");
        }
    }

    private Task<TemporaryFolder> UnpackAsync() => UnpackedExport.OfAsync(_client, Path);

    private static async Task<string> TextAsync(ZipArchive zip, string name)
    {
        using var reader = new StreamReader(zip.GetEntry(name)!.Open());
        return await reader.ReadToEndAsync(Api.Cancel);
    }
}
