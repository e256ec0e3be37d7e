using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Headstart.Benchmarks.Serving;

/// <summary>API calls from upload to prediction.</summary>
internal static class HostApi
{
    private const int FilesAtOnce = 250;
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(10);

    /// <summary>Creates a model with these files, by category.</summary>
    /// <returns>Path of the model.</returns>
    public static async Task<string> UploadAsync(this HttpClient client, IEnumerable<(string Category, byte[] File)> files)
    {
        var model = await SendAsync(client.PostAsJsonAsync("/api/v1/models", new { name = $"{Guid.CreateVersion7()}" }));
        var path = $"/api/v1/models/{model["id"]}";
        foreach (var (category, chunk) in files.GroupBy(file => file.Category)
            .SelectMany(group => group.Chunk(FilesAtOnce).Select(chunk => (group.Key, chunk))))
        {
            using var form = new MultipartFormDataContent { { new StringContent(category), "category" } };
            foreach (var (i, file) in chunk.Index())
            {
                form.Add(new ByteArrayContent(file.File), "file", $"{i}.jpg");
            }

            await SendAsync(client.PostAsync($"{path}/images", form));
        }

        return path;
    }

    /// <summary>Trains and waits until the run has succeeded.</summary>
    public static async Task<JsonNode> TrainAsync(this HttpClient client, string model, JsonObject request)
    {
        var run = await SendAsync(client.PostAsJsonAsync($"{model}/training-runs", request));
        while ((string?)run["state"] is "queued" or "running")
        {
            await Task.Delay(PollInterval);
            run = await SendAsync(client.GetAsync($"{model}/training-runs/{run["id"]}"));
        }

        return (string?)run["state"] == "succeeded" ? run
            : throw new InvalidOperationException($"The run ended {run["state"]}: {run["error"]}");
    }

    public static Uri Predictions(this HttpClient client, string model) => new(client.BaseAddress!, $"{model}/predictions");

    /// <summary>The share of files whose most probable label is their category, one request each.</summary>
    /// <param name="client">Client of the host or of a peer, whose answers are plain labels.</param>
    /// <param name="target">Where a photograph is posted.</param>
    /// <param name="files">Files with their category.</param>
    public static async Task<double> AccuracyAsync(this HttpClient client, Uri target,
        IReadOnlyCollection<(string Category, byte[] File)> files)
    {
        var right = 0;
        foreach (var (category, file) in files)
        {
            using var content = new ByteArrayContent(file) { Headers = { ContentType = new("image/jpeg") } };
            var answer = await SendAsync(client.PostAsync(target, content));
            var labels = answer["labels"] ?? answer["predictions"]![0]!["labels"]!;
            right += (string?)labels[0]!["label"] == category ? 1 : 0;
        }

        return (double)right / files.Count;
    }

    private static async Task<JsonNode> SendAsync(Task<HttpResponseMessage> request)
    {
        using var response = await request;
        var text = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode ? JsonNode.Parse(text)!
            : throw new InvalidOperationException($"{(int)response.StatusCode}: {text}");
    }
}
