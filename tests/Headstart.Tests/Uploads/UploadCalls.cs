using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace Headstart.Tests.Uploads;

/// <summary>Uploads of all kinds, and imports, as a client sees them.</summary>
internal static class UploadCalls
{
    public static Task<HttpResponseMessage> SendImagesAsync(
        this HttpClient client, string model, HttpContent content, string query = "", string? idempotencyKey = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"{model}/images{query}") { Content = content };
        if (idempotencyKey is not null)
        {
            request.Headers.Add("Idempotency-Key", idempotencyKey);
        }

        return client.SendAsync(request, Api.Cancel);
    }

    public static ByteArrayContent Body(string type, byte[] bytes) =>
        new(bytes) { Headers = { ContentType = MediaTypeHeaderValue.Parse(type) } };

    public static ByteArrayContent Body(string type, string text) => Body(type, System.Text.Encoding.UTF8.GetBytes(text));

    public static async Task<JsonNode> StartImportAsync(
        this HttpClient client, string model, HttpContent content, string query = "", string? idempotencyKey = null)
    {
        var answer = await client.SendImagesAsync(model, content, query, idempotencyKey);
        var import = await answer.JsonAsync(HttpStatusCode.Accepted);
        Assert.Equal(PathOf(model, import), answer.Headers.Location?.ToString());
        return import;
    }

    public static string PathOf(string model, JsonNode import) => $"{model}/imports/{import["id"]}";

    /// <summary>Waits for the end; what is done must never become less.</summary>
    public static async Task<JsonNode> EndOfImportAsync(this HttpClient client, string model, JsonNode import)
    {
        for (var looks = 0; (string?)import["state"] is "queued" or "running"; looks++)
        {
            Assert.True(looks < 3_000, $"The import does not end: {import.ToJsonString()}"); // rather than hang the whole test run
            await Task.Delay(50, Api.Cancel);
            var next = await client.GetJsonAsync(PathOf(model, import));
            Assert.True((int)next["done"]! >= (int)import["done"]!, $"{import.ToJsonString()} {next.ToJsonString()}");
            import = next;
        }

        Assert.Equal((int)import["done"]!, (int)import["accepted"]! + (int)import["rejected"]!);
        return import;
    }

    public static async Task<JsonNode> ImportAsync(this HttpClient client, string model, HttpContent content, string query = "") =>
        await client.EndOfImportAsync(model, await client.StartImportAsync(model, content, query));

    /// <summary>What the import did not take, as <c>position file reason</c>, from all pages.</summary>
    public static async Task<List<string>> RejectionsAsync(this HttpClient client, string model, JsonNode import, int limit = 50)
    {
        var all = new List<string>();
        string? after = null;
        do
        {
            var page = await client.GetJsonAsync(
                $"{PathOf(model, import)}/rejections?limit={limit}{(after is null ? "" : $"&after={after}")}");
            Assert.All(page["items"]!.AsArray(), r => Assert.EndsWith(".", (string?)r!["detail"]));
            all.AddRange(page["items"]!.AsArray().Select(r => $"{r!["position"]} {r["fileName"]} {r["reason"]}"));
            after = (string?)page["next"];
        }
        while (after is not null);
        return all;
    }

    /// <summary>The images of the model as <c>file category split</c>, in the order of their names.</summary>
    public static async Task<List<string>> ImagesAsync(this HttpClient client, string model) =>
        [.. (await client.GetJsonAsync($"{model}/images?limit=200"))["items"]!.AsArray()
            .Select(i => $"{i!["fileName"]} {string.Join('|', i["categories"]!.AsArray())} {i["split"]}").Order(StringComparer.Ordinal)];

    public static IEnumerable<string> Accepted(JsonNode answer) =>
        answer["accepted"]!.AsArray().Select(i => $"{i!["fileName"]} {string.Join('|', i["categories"]!.AsArray())}");

    public static IEnumerable<string> Rejected(JsonNode answer) =>
        answer["rejected"]!.AsArray().Select(i => $"{i!["fileName"]} {i["reason"]}");

    public static async Task<int> CountAsync(this HttpClient client, string model) =>
        (await client.GetJsonAsync(model))["categories"]!.AsArray().Sum(c => (int)c!["imageCount"]!);
}
