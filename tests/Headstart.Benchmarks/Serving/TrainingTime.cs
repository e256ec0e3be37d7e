using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Headstart.Benchmarks.Serving;

/// <summary>
/// From JPEG files to a fitted head, compared with a script with torch, PIL and scikit-learn at the same accuracy. Headstart's time runs
/// from the first upload to the end of the run: it includes HTTP, checks, storage, the report and publishing, none of which the script
/// does.
/// </summary>
internal static class TrainingTime
{
    private const string PythonModules = "torch, torchvision, PIL, sklearn";

    public static async Task MeasureAsync(Bench bench, ResultTable table)
    {
        var (train, test) = (bench.Files("train"), bench.Files("test"));
        var rounds = bench.Scale.Rounds;
        table.Section($"Training: {train.Count} photographs to a fitted head, seconds, median (least..most) of {rounds} rounds; accuracy "
            + $"on {test.Count} others");
        var python = Peer.Python(PythonModules);
        var (named, cold, steady) = (new Timed(), new Measured(), new Measured());
        double accuracy = 0, peerAccuracy = 0;
        var files = Directory.CreateTempSubdirectory("headstart-peers-").FullName;
        try
        {
            PeerFiles.WriteWeights(bench.Find(Bench.BackboneId).Path, files);
            for (var round = 0; round < rounds; round++)
            {
                accuracy = await TrainAsync(bench, train, test, bench.OneBackbone, named);
                if (python is not null)
                {
                    peerAccuracy = await RunScriptAsync(python, files, bench.Data, cold, steady);
                }
            }
        }
        finally
        {
            Directory.Delete(files, recursive: true);
        }

        if (python is null)
        {
            table.Row($"{bench.Backbone.Manifest.Id}, upload to succeeded run (accuracy {accuracy:0.000})", $"{named.Whole}");
            table.Note("Training: scikit-learn is left out; "
                + "apt-get install --no-install-recommends python3-torch python3-torchvision python3-pil python3-sklearn "
                + "libopenblas0-pthread");
        }
        else
        {
            table.Row($"{bench.Backbone.Manifest.Id} (accuracy {accuracy:0.000}) against a script (accuracy {peerAccuracy:0.000}), "
                + "as a whole",
                $"{named.Whole}", $"{cold}", cold.Median / named.Whole.Median, ">= 7");
            table.Row("   the script without Python's start and imports", $"{named.Whole}", $"{steady}",
                steady.Median / named.Whole.Median);
            table.Note("Training: the ratio is the script's time divided by Headstart's; whole: from starting Python to the fitted head.");
        }

        var chosen = new Timed();
        accuracy = await TrainAsync(bench, train, test, [], chosen);
        table.Row($"automatic choice of the backbone (accuracy {accuracy:0.000}), s", $"{chosen.Whole.Median:0.0}");
        table.Note($"Training: median seconds of the stages, {bench.Backbone.Manifest.Id} named: {named}; chosen automatically: {chosen}.");
    }

    private static async Task<double> TrainAsync(Bench bench, IReadOnlyList<(string Category, byte[] File)> train,
        IReadOnlyList<(string Category, byte[] File)> test, JsonObject request, Timed seconds)
    {
        // Stamped, because the second round would otherwise find its features in the cache.
        var files = train.Select(file => (file.Category, Photographs.Stamped(file.File))).ToList();
        var start = Stopwatch.GetTimestamp();
        var model = await bench.Client.UploadAsync(files);
        var uploaded = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var run = await bench.Client.TrainAsync(model, request);
        seconds.Add(uploaded, Stopwatch.GetElapsedTime(start).TotalSeconds,
            await bench.Client.GetFromJsonAsync<JsonObject>($"{model}/versions/{run["version"]}/report"));
        return await bench.Client.AccuracyAsync(bench.Client.Predictions(model), test);
    }

    private static async Task<double> RunScriptAsync(string python, string files, string data, Measured cold, Measured steady)
    {
        var start = Stopwatch.GetTimestamp();
        await using var script = ServerProcess.Start(python, [Path.Combine(Peer.Folder, "sklearn", "train.py"), files, data],
            new() { ["PYTHONDONTWRITEBYTECODE"] = "1" });
        var fitted = JsonNode.Parse(await script.LineAsync(line => line.StartsWith('{')))!;
        cold.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        steady.Add((double)fitted["fitted"]!);
        return (double)JsonNode.Parse(await script.LineAsync(line => line.StartsWith('{')))!["accuracy"]!;
    }

    /// <summary>Seconds from the first upload to the succeeded run, and where they went.</summary>
    private sealed class Timed
    {
        private readonly Dictionary<string, Measured> _stages = [];

        public Measured Whole { get; } = new();

        public void Add(double uploaded, double whole, JsonObject? report)
        {
            Whole.Add(whole);
            var stages = report!["secondsPerStage"]!.AsObject().ToDictionary(stage => stage.Key, stage => (double)stage.Value!);
            stages["upload"] = uploaded;
            stages["waiting and polling"] = whole - stages.Values.Sum();
            foreach (var (stage, seconds) in stages)
            {
                _stages.TryAdd(stage, new());
                _stages[stage].Add(seconds);
            }
        }

        public override string ToString() => string.Join(", ", _stages.Select(stage => $"{stage.Key} {stage.Value.Median:0.00}"));
    }
}
