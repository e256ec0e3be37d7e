using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Headstart.Tests;

/// <summary>How one set went: the accuracy on its own test images, and what was chosen for it among what.</summary>
/// <param name="Tried">Cross-validated accuracy by id.</param>
/// <param name="CalibrationError">Expected calibration error on the test images, in ten bins of equal width.</param>
/// <param name="UncalibratedError">The same with the temperature taken off again.</param>
/// <param name="Model">Its path.</param>
internal sealed record SetResult(string Set, double Accuracy, int TestImages, string Chosen, double Seconds, double MsPerImage,
    JsonArray Tried,
    double CalibrationError, double UncalibratedError, string Model);

/// <summary>The five public sets that come with a split, learned and judged through the API of a running host.</summary>
internal static class PublicSets
{
    public static readonly string[] Names = ["hymenoptera", "flowers", "clothing", "sign_digits", "steel_defects"];

    private const int FilesAtOnce = 50;

    /// <summary>Uploads a set's training images, trains, and predicts its test images.</summary>
    /// <param name="client">Talks to the host with a key.</param>
    /// <param name="folder">Has <c>train</c> and <c>test</c> or <c>val</c>, and in each a folder a category.</param>
    /// <param name="request">The body of the training run.</param>
    /// <param name="cancel">Ends the work.</param>
    /// <param name="perCategory">Learns from so many images of each category only.</param>
    /// <param name="draw">Which ones.</param>
    /// <param name="split">0 for the set's own sides; other numbers deal its images out anew, as many to each side.</param>
    public static async Task<SetResult> LearnAsync(
        HttpClient client, string folder, object request, CancellationToken cancel, int perCategory = int.MaxValue, int draw = 0,
        int split = 0)
    {
        var (path, run) = await TrainAsync(client, folder, request, cancel, perCategory, draw, split);
        var version = await SendAsync(client.GetAsync($"{path}/versions/{run["version"]}", cancel));
        var report = await SendAsync(client.GetAsync($"{path}/versions/{run["version"]}/report", cancel));
        var temperature = (double)report["calibration"]!["temperature"]!;
        var (answers, raw) = (new List<(double Probability, bool Right)>(), new List<(double Probability, bool Right)>());
        foreach (var (category, files) in Files(folder, train: false, split))
        {
            var answer = await SendAsync(client.PostAsync($"{path}/predictions", Form(files, null), cancel));
            foreach (var labels in answer["predictions"]!.AsArray().Select(p => p!["labels"]!.AsArray()))
            {
                var (right, powers) = ((string?)labels[0]!["label"] == category,
                    labels.Select(l => Math.Pow((double)l!["probability"]!, temperature)).ToList());
                answers.Add(((double)labels[0]!["probability"]!, right));
                raw.Add((powers[0] / powers.Sum(), right));
            }
        }

        var tried = run["backbones"]!.AsArray();
        var seconds = ((DateTime)run["finishedAt"]! - (DateTime)run["createdAt"]!).TotalSeconds;
        var ms = (double?)tried.FirstOrDefault(t => (bool)t!["chosen"]!)?["msPerImage"] ?? 0;
        return new(Path.GetFileName(folder), answers.Average(a => a.Right ? 1.0 : 0), answers.Count, (string)version["backbone"]!, seconds,
            ms, tried,
            CalibrationError(answers), CalibrationError(raw), path);
    }

    /// <summary>Uploads a set's training images and trains; see <see cref="LearnAsync"/>.</summary>
    /// <returns>The model's path and its run.</returns>
    public static async Task<(string Path, JsonNode Run)> TrainAsync(
        HttpClient client, string folder, object request, CancellationToken cancel, int perCategory = int.MaxValue, int draw = 0,
        int split = 0)
    {
        var name = Path.GetFileName(folder);
        var model = await SendAsync(client.PostAsJsonAsync("/api/v1/models", new { name = $"{name} {Guid.CreateVersion7()}" }, cancel));
        var path = $"/api/v1/models/{model["id"]}";
        foreach (var (category, files) in Files(folder, train: true, split, perCategory, draw))
        {
            await SendAsync(client.PostAsync($"{path}/images", Form(files, category), cancel));
        }

        var run = await SendAsync(client.PostAsJsonAsync($"{path}/training-runs", request, cancel));
        while ((string?)run["state"] is "queued" or "running")
        {
            await Task.Delay(200, cancel);
            run = await SendAsync(client.GetAsync($"{path}/training-runs/{run["id"]}", cancel));
        }

        if ((string?)run["state"] != "succeeded")
        {
            throw new InvalidOperationException($"{name} ended {run["state"]}: {run["error"]}");
        }

        return (path, run);
    }

    private static double CalibrationError(List<(double Probability, bool Right)> answers) =>
        answers.GroupBy(a => Math.Min(9, (int)(10 * a.Probability)))
            .Sum(bin => Math.Abs(bin.Sum(a => a.Probability - (a.Right ? 1 : 0)))) / answers.Count;

    private static IEnumerable<(string Category, string[] Files)> Files(string folder, bool train, int split,
        int perCategory = int.MaxValue, int draw = 0) =>
        Directory.GetDirectories(Path.Combine(folder, "train")).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)
            .SelectMany(category =>
            Draw(Side(folder, category, train, split), perCategory, draw).Chunk(FilesAtOnce).Select(files => (category, files)));

    private static string[] Side(string folder, string category, bool train, int split)
    {
        var test = In(Directory.Exists(Path.Combine(folder, "test")) ? "test" : "val");
        var all = In("train").Concat(test).ToArray();
        if (split > 0)
        {
            new Random(split).Shuffle(all);
        }

        return train ? all[..^test.Length] : all[^test.Length..];

        string[] In(string side) => [.. Directory.GetFiles(Path.Combine(folder, side, category)).Order(StringComparer.Ordinal)];
    }

    private static IEnumerable<string> Draw(string[] files, int count, int draw)
    {
        if (count < files.Length)
        {
            new Random(draw).Shuffle(files);
        }

        return files.Take(count);
    }

    private static MultipartFormDataContent Form(string[] files, string? category)
    {
        var form = new MultipartFormDataContent();
        if (category is not null)
        {
            form.Add(new StringContent(category), "category");
        }

        foreach (var file in files)
        {
            form.Add(new ByteArrayContent(File.ReadAllBytes(file)), "file", Path.GetFileName(file));
        }

        return form;
    }

    private static async Task<JsonNode> SendAsync(Task<HttpResponseMessage> request)
    {
        using var response = await request;
        var text = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode ? JsonNode.Parse(text)!
            : throw new InvalidOperationException($"{(int)response.StatusCode}: {text}");
    }
}
