using System.IO.Compression;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Headstart.Benchmarks.Serving;
using Headstart.Learning.Imaging;
using Headstart.Learning.Tests.Export;
using Headstart.Tests;

namespace Headstart.Benchmarks;

/// <summary><c>promises</c>: measures all promises that take too long for the tests, which check smaller cases of the same kind, on the
/// real host. Reports those that are not kept; exit code 1 if there are any.</summary>
internal static class Promises
{
    private const int Imported = 10_000, ImportedSide = 16;
    private const int Predicted = 1_000, WarmingUp = 100, AtOnce = 20;
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);

    public static async Task<int> RunAsync(string shared)
    {
        var kept = true;
        Console.WriteLine("| promise | wanted | measured | |\n| --- | --- | --- | --- |");
        await using (var host = await HostProcess.StartAsync(shared))
        {
            var results = new List<SetResult>();
            var (agreed, predicted) = (0, 0);
            foreach (var set in PublicSets.Names)
            {
                var folder = Path.Combine(shared, "datasets", set);
                results.Add(await PublicSets.LearnAsync(host.Client, folder, new { backbone = "auto" }, CancellationToken.None));
                Console.Error.WriteLine($"{results[^1].Set}: {results[^1].Accuracy:0.000}");
                var (same, all) = await AgreementAsync(host.Client, results[^1].Model, folder);
                (agreed, predicted) = (agreed + same, predicted + all);
            }

            var accuracy = results.Average(result => result.Accuracy);
            Say("accuracy on the test images of five sets, automatic choice", "at least 0.930", $"{accuracy:0.000}", accuracy >= 0.93);
            var ants = results.Single(result => result.Set == "hymenoptera").Accuracy;
            Say("of these, ants and bees", "at least 0.930", $"{ants:0.000}", ants >= 0.93);
            Say("an exported model gives the service's label", "at least 99.9 %",
                $"{100.0 * agreed / predicted:0.00} % of {predicted} photographs", agreed >= 0.999 * predicted);
        }

        await using (var host = await HostProcess.StartAsync(shared,
            new() { ["Headstart__Backbones__Directories"] = "", ["Headstart__Predictions__FeatureCacheBytes"] = "1000000" }))
        {
            var grown = await ImportAsync(host);
            Say($"memory over an archive of {Imported:N0} images, after its first fifth", "at most 60 MB more", $"{grown:0} MB more",
                grown <= 60);
            grown = await PredictAsync(host, shared);
            Say($"memory over {Predicted:N0} predictions, after {WarmingUp}", "at most 40 MB more", $"{grown:0} MB more", grown <= 40);
        }

        return kept ? 0 : 1;

        void Say(string promise, string wanted, string measured, bool holds)
        {
            kept &= holds;
            Console.WriteLine($"| {promise} | {wanted} | {measured} | {(holds ? "holds" : "FELL SHORT")} |");
        }
    }

    /// <summary>On how many test photographs of a set the exported model and the service agree on the most probable label, and the number
    /// of photographs.</summary>
    private static async Task<(int Same, int All)> AgreementAsync(HttpClient client, string model, string folder)
    {
        using var zip = new ZipArchive(await client.GetStreamAsync(new Uri($"{model}/versions/1/export", UriKind.Relative)));
        using var network = new MemoryStream();
        await zip.GetEntry("model.onnx")!.Open().CopyToAsync(network);
        using var reader = new StreamReader(zip.GetEntry("labels.txt")!.Open());
        var labels = (await reader.ReadToEndAsync()).Split('\n');
        using var exported = new ExportedModel(network.ToArray());
        var (same, all) = (0, 0);
        var test = Path.Combine(folder, "test");
        foreach (var file in Directory.GetFiles(Directory.Exists(test) ? test : Path.Combine(folder, "val"), "*",
            SearchOption.AllDirectories))
        {
            var bytes = await File.ReadAllBytesAsync(file);
            var answer = await PostAsync(client, $"{model}/predictions",
                new ByteArrayContent(bytes) { Headers = { ContentType = new("image/jpeg") } });
            var probabilities = exported.Ask(bytes).Probabilities;
            all++;
            same += labels[Array.IndexOf(probabilities, probabilities.Max())] == (string?)answer["predictions"]![0]!["labels"]![0]!["label"]
                ? 1 : 0;
        }

        return (same, all);
    }

    /// <returns>MB by which the host grew from the first fifth, when everything was loaded, compiled and at full size, to its
    /// peak.</returns>
    private static async Task<double> ImportAsync(HostProcess host)
    {
        using var archive = new MemoryStream();
        using (var zip = new ZipArchive(archive, ZipArchiveMode.Create, leaveOpen: true))
        {
            var pixels = new byte[3 * ImportedSide * ImportedSide];
            for (var i = 0; i < Imported; i++)
            {
                new Random(i).NextBytes(pixels);
                await using var entry = zip.CreateEntry($"{(i % 2 == 0 ? "even" : "odd")}/{i}.png", CompressionLevel.NoCompression).Open();
                await entry.WriteAsync(ImageReader.Png(pixels, ImportedSide, ImportedSide));
            }
        }

        var made = await PostAsync(host.Client, "/api/v1/models", JsonContent.Create(new { name = "Imported" }));
        var model = $"/api/v1/models/{made["id"]}";
        var import = await PostAsync(host.Client, $"{model}/images?async=true",
            new ByteArrayContent(archive.ToArray()) { Headers = { ContentType = new("application/zip") } });
        var (early, peak) = (0.0, 0.0);
        while ((string?)import["state"] is "queued" or "running")
        {
            peak = Math.Max(peak, host.MemoryMb);
            early = (int)import["done"]! <= Imported / 5 ? peak : early;
            await Task.Delay(PollInterval);
            import = JsonNode.Parse(await host.Client.GetStringAsync(new Uri($"{model}/imports/{import["id"]}", UriKind.Relative)))!;
        }

        return (int)import["accepted"]! == Imported ? peak - early : throw new InvalidOperationException(import.ToJsonString());
    }

    /// <returns>MB by which the host grew between the first predictions and the last.</returns>
    private static async Task<double> PredictAsync(HostProcess host, string shared)
    {
        var photographs = Directory.GetFiles(Path.Combine(shared, "datasets", "cats_dogs"), "*", SearchOption.AllDirectories)
            .Select(file => (Category: Path.GetFileName(Path.GetDirectoryName(file)!), File: File.ReadAllBytes(file))).ToArray();
        var model = await host.Client.UploadAsync(photographs);
        await host.Client.TrainAsync(model, []);
        var number = 0;
        await AskAsync(WarmingUp);
        var before = host.MemoryMb;
        await AskAsync(Predicted);
        return host.MemoryMb - before;

        async Task AskAsync(int count)
        {
            for (var i = 0; i < count; i += AtOnce)
            {
                using var form = new MultipartFormDataContent();
                foreach (var (_, file) in photographs.Skip(i % 60).Take(AtOnce))
                {
                    // Different bytes after the end of each file give it a new hash, so that every one is decoded.
                    form.Add(new ByteArrayContent([.. file, .. BitConverter.GetBytes(number++)]), "file", "a.jpg");
                }

                await PostAsync(host.Client, $"{model}/predictions", form);
            }
        }
    }

    private static async Task<JsonNode> PostAsync(HttpClient client, string path, HttpContent content)
    {
        using (content)
        {
            using var response = await client.PostAsync(new Uri(path, UriKind.Relative), content);
            var text = await response.Content.ReadAsStringAsync();
            return response.IsSuccessStatusCode ? JsonNode.Parse(text)!
                : throw new InvalidOperationException($"{(int)response.StatusCode}: {text}");
        }
    }
}
