using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Headstart.Benchmarks.Serving;
using Headstart.Tests;

namespace Headstart.Benchmarks.Nodes;

/// <summary>100,000 predictions through nginx and two web nodes, while a different version is published every other second and one node is
/// killed and replaced. Every answer must be right for the version it names, or a 503 that says when to retry.</summary>
internal static class ManyPredictions
{
    private const int Predictions = 100_000;
    private const int Clients = 16;
    private static readonly string[] Backbones = ["squeezenet1.1", "mobilenetv2-1.0"];

    public static async Task MeasureAsync(string shared)
    {
        await using var owner = await HostProcess.StartAsync(shared);
        var photographs = Directory.GetFiles(Path.Combine(shared, "datasets", "cats_dogs"), "*.jp*g", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .Select(file => (Category: Path.GetFileName(Path.GetDirectoryName(file))!, Bytes: File.ReadAllBytes(file))).ToArray();
        var model = await owner.Client.UploadAsync(photographs);
        var expected = new Dictionary<int, string[]>();
        foreach (var (i, backbone) in Backbones.Index())
        {
            await owner.Client.TrainAsync(model, new JsonObject { ["backbone"] = backbone });
            await PublishAsync(owner.Client, model, i + 1);
            var labels = new string[photographs.Length];
            foreach (var (j, (_, bytes)) in photographs.Index())
            {
                labels[j] = (await AskAsync(owner.Client, model, bytes)).Label!;
            }

            expected[i + 1] = labels;
        }

        await using var first = await owner.JoinAsync(shared, "web");
        var second = await owner.JoinAsync(shared, "web");
        try
        {
            await using var nginx = await Nginx.StartAsync(File.ReadAllText(Configuration()), first.Client.BaseAddress!,
                second.Client.BaseAddress!);
            using var client = owner.ClientAt(nginx.Address);
            using var done = new CancellationTokenSource();
            var publishing = PublishInTurnAsync(client, model, done.Token);
            var (count, right, later, wrong) = (-1, 0, 0, new ConcurrentQueue<string>());
            var memory = new ConcurrentQueue<double>();
            var started = Stopwatch.GetTimestamp();
            var replacing = Task.CompletedTask;
            await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(ClientAsync)));
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            await replacing;
            await done.CancelAsync();
            var published = await publishing;
            Console.WriteLine($"{Predictions:N0} predictions, {Predictions / seconds:0} a second, {published} times another version was "
                + "published, one node killed and replaced:");
            Console.WriteLine($"right {right:N0}, 503 with Retry-After {later:N0}, anything else {wrong.Count:N0}");
            Console.WriteLine($"memory of the node that stayed, MiB, at each tenth: {string.Join(" ", memory.Select(mb => $"{mb:0}"))}");
            foreach (var answer in wrong.Take(10))
            {
                Console.WriteLine(answer);
            }

            async Task ClientAsync()
            {
                while (Interlocked.Increment(ref count) is var i && i < Predictions)
                {
                    if (i % (Predictions / 10) == 0)
                    {
                        memory.Enqueue(first.MemoryMb);
                    }

                    if (i == Predictions / 3)
                    {
                        replacing = ReplaceAsync();
                    }

                    var (status, version, label, retry) = await AskAsync(client, model, photographs[i % photographs.Length].Bytes);
                    if (status == HttpStatusCode.OK && label == expected[version][i % photographs.Length])
                    {
                        Interlocked.Increment(ref right);
                    }
                    else if (status == HttpStatusCode.ServiceUnavailable && retry)
                    {
                        Interlocked.Increment(ref later);
                    }
                    else
                    {
                        wrong.Enqueue($"{(int)status}, version {version}, {label}");
                    }
                }
            }

            async Task ReplaceAsync()
            {
                var address = second.Client.BaseAddress!;
                await second.KillAsync();
                second = await owner.JoinAsync(shared, "web", address: address);
            }
        }
        finally
        {
            await second.DisposeAsync();
        }
    }

    private static async Task<int> PublishInTurnAsync(HttpClient client, string model, CancellationToken cancel)
    {
        for (var times = 0; ; times++)
        {
            await Task.Delay(TimeSpan.FromSeconds(2), cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancel.IsCancellationRequested)
            {
                return times;
            }

            await PublishAsync(client, model, 1 + times % Backbones.Length);
        }
    }

    /// <summary>Retries if the node that handles the request is killed: nginx retries only predictions.</summary>
    private static async Task PublishAsync(HttpClient client, string model, int version)
    {
        while (true)
        {
            using var answer = await client.PostAsJsonAsync($"{model}/versions/{version}/publish", new { });
            if (answer.StatusCode != HttpStatusCode.ServiceUnavailable)
            {
                answer.EnsureSuccessStatusCode();
                return;
            }

            await Task.Delay(100);
        }
    }

    private static async Task<(HttpStatusCode Status, int Version, string? Label, bool Retry)> AskAsync(HttpClient client, string model,
        byte[] photograph)
    {
        using var content = new ByteArrayContent(photograph) { Headers = { ContentType = new("image/jpeg") } };
        using var answer = await client.PostAsync($"{model}/predictions", content);
        if (answer.StatusCode != HttpStatusCode.OK)
        {
            return (answer.StatusCode, 0, await answer.Content.ReadAsStringAsync(), answer.Headers.RetryAfter is not null);
        }

        var body = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        return (answer.StatusCode, (int)body["version"]!, (string?)body["predictions"]![0]!["labels"]![0]!["label"], false);
    }

    private static string Configuration()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var file = Path.Combine(folder.FullName, "deploy", "nginx.conf");
            if (File.Exists(file))
            {
                return file;
            }
        }

        throw new InvalidOperationException("deploy/nginx.conf is not above the benchmark's program.");
    }
}
