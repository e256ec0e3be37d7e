using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Xunit.Sdk;

namespace Headstart.Tests;

/// <summary>The API as a client without our types sees it: paths, forms and JSON.</summary>
internal static class Api
{
    /// <summary>The first key of every host that tests start.</summary>
    public const string Key = "a-key-for-the-tests";

    /// <summary>The body of a run that looks at several backbones and picks one, as the pages and the clients ask for it.</summary>
    public static readonly object Automatic = new { };

    /// <summary>The body of a run with the backbone that every host has. Nothing is compared, so it takes a second.</summary>
    public static readonly object BuiltIn = new { backbone = "headstart-small" };

    /// <summary>What waits for something that never comes is a failed test after so long, and not a run of all tests without an
    /// end.</summary>
    private static readonly TimeSpan LongestTest = TimeSpan.FromMinutes(20);

    private static readonly ConditionalWeakTable<ITest, CancellationTokenSource> Limits = [];

    /// <summary>Ends with the test, and when it has taken too long.</summary>
    public static CancellationToken Cancel
    {
        get
        {
            var (test, ended) = (TestContext.Current.Test, TestContext.Current.CancellationToken);
            return test is null ? ended : Limits.GetValue(test, _ => Limit(ended)).Token;
        }
    }

    public static async Task<JsonNode> JsonAsync(this HttpResponseMessage response, HttpStatusCode expected = HttpStatusCode.OK)
    {
        var text = await response.Content.ReadAsStringAsync(Cancel);
        Assert.True(response.StatusCode == expected, $"{(int)response.StatusCode} instead of {(int)expected}: {text}");
        return JsonNode.Parse(text)!;
    }

    /// <summary>The response must be a problem of this type, with a sentence.</summary>
    public static async Task<JsonNode> ProblemAsync(this HttpResponseMessage response, HttpStatusCode status, string type)
    {
        var problem = await response.JsonAsync(status);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(type, (string?)problem["type"]);
        Assert.EndsWith(".", ((string?)problem["detail"])?.TrimEnd('…', ')'));
        return problem;
    }

    public static async Task<JsonNode> GetJsonAsync(this HttpClient client, string path) =>
        await (await client.GetAsync(path, Cancel)).JsonAsync();

    public static Task<HttpResponseMessage> SendAsync(this HttpClient client, HttpMethod method, string path, object? body = null) =>
        client.SendAsync(new HttpRequestMessage(method, path)
        {
            Content = body is null ? null
            : JsonContent.Create(body, options: JsonSerializerOptions.Web)
        }, Cancel);

    public static Task<HttpResponseMessage> PostAsync(this HttpClient client, string path, object body) =>
        client.SendAsync(HttpMethod.Post, path, body);

    /// <summary>A new model's path, /api/v1/models/{id}.</summary>
    public static async Task<string> NewModelAsync(this HttpClient client, params string[] categories)
    {
        var model = await (await client.PostAsync("/api/v1/models", new { name = "Model " + Guid.CreateVersion7(), categories }))
            .JsonAsync(HttpStatusCode.Created);
        return $"/api/v1/models/{model["id"]}";
    }

    /// <summary>The same for a model of the kind objectDetection.</summary>
    public static async Task<string> NewDetectorAsync(this HttpClient client, params string[] categories)
    {
        var model = await (await client.PostAsync("/api/v1/models",
            new { name = "Model " + Guid.CreateVersion7(), kind = "objectDetection", categories })).JsonAsync(HttpStatusCode.Created);
        return $"/api/v1/models/{model["id"]}";
    }

    public static async Task<JsonNode> UploadAsync(this HttpClient client, string model, string category, params IEnumerable<string> files)
    {
        using var form = Form(category, files.Select(f => (Path.GetFileName(f), File.ReadAllBytes(f))));
        return await (await client.PostAsync($"{model}/images", form, Cancel)).JsonAsync();
    }

    public static MultipartFormDataContent Form(string? category, params IEnumerable<(string Name, byte[] Bytes)> files)
    {
        var form = new MultipartFormDataContent();
        if (category is not null)
        {
            form.Add(new StringContent(category), "category");
        }

        foreach (var (name, bytes) in files)
        {
            form.Add(new ByteArrayContent(bytes), "file", name);
        }

        return form;
    }

    /// <summary>Uploads every folder of a data set as a category.</summary>
    public static async Task UploadSetAsync(this HttpClient client, string model, string folder, int perCategory = int.MaxValue)
    {
        foreach (var category in Directory.GetDirectories(folder).Order(StringComparer.Ordinal))
        {
            var answer = await client.UploadAsync(model, Path.GetFileName(category),
                Directory.GetFiles(category).Order(StringComparer.Ordinal).Take(perCategory));
            Assert.Empty(answer["rejected"]!.AsArray());
        }
    }

    /// <summary>A model of cats and dogs with so many images of each, ready to train.</summary>
    public static async Task<string> PetsAsync(this HttpClient client, int perCategory = int.MaxValue)
    {
        var model = await client.NewModelAsync("cats", "dogs");
        await client.UploadSetAsync(model, Pets.Folder, perCategory);
        return model;
    }

    /// <param name="client">Talks to the host with a key.</param>
    /// <param name="model">Its path.</param>
    /// <param name="request">In place of <see cref="BuiltIn"/>.</param>
    public static async Task<JsonNode> StartRunAsync(this HttpClient client, string model, object? request = null) =>
        await (await client.PostAsync($"{model}/training-runs", request ?? BuiltIn)).JsonAsync(HttpStatusCode.Accepted);

    /// <summary>Trains to the end, see <see cref="StartRunAsync"/>, and returns the run.</summary>
    public static async Task<JsonNode> TrainAsync(this HttpClient client, string model, object? request = null) =>
        await client.EndOfRunAsync(model, await client.StartRunAsync(model, request));

    public static async Task<JsonNode> EndOfRunAsync(this HttpClient client, string model, JsonNode run)
    {
        using var waiting = Waits.For("the end of a training run");
        for (var looks = 0; (string?)run["state"] is "queued" or "running"; looks++)
        {
            Assert.True(looks < 6_000, $"The run does not end: {run.ToJsonString()}"); // rather than hang the whole test run
            await Task.Delay(50, Cancel);
            run = await client.GetJsonAsync($"{model}/training-runs/{run["id"]}");
        }

        return run;
    }

    public static async Task<JsonNode> PredictAsync(this HttpClient client, string model, params IEnumerable<string> files)
    {
        using var form = Form(null, files.Select(f => (Path.GetFileName(f), File.ReadAllBytes(f))));
        return await (await client.PostAsync($"{model}/predictions", form, Cancel)).JsonAsync();
    }

    public static ByteArrayContent Raw(byte[] bytes, string mediaType = "image/jpeg") =>
        new(bytes) { Headers = { ContentType = new MediaTypeHeaderValue(mediaType) } };

    private static CancellationTokenSource Limit(CancellationToken ended)
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(ended);
        limit.CancelAfter(LongestTest);
        return limit;
    }
}
