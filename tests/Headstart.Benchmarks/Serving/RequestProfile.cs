using System.Globalization;
using Headstart.Learning.Backbones;
using Headstart.Learning.Imaging;

namespace Headstart.Benchmarks.Serving;

/// <summary>Time spent in a prediction, for a single client and for 64: the host's own measurements (<c>/metrics</c>), and the CPU time of
/// its process compared with a loop that decodes and forwards.</summary>
internal static class RequestProfile
{
    private static readonly int[] Concurrencies = [1, 64];

    public static async Task MeasureAsync(Bench bench, ResultTable table)
    {
        var files = bench.Photographs.Files;
        var loop = LoopMilliseconds(bench, files);
        table.Section("The profile of a prediction: milliseconds, mean over all rounds");
        table.Row("CPU of decoding and forwarding, in a loop on one thread", "", $"{loop:0.00}");
        foreach (var concurrency in Concurrencies)
        {
            var count = Math.Max(files.Length, 4 * concurrency);
            await bench.PredictAsync(concurrency, count); // warms up
            var (before, busy, waited) = (await NumbersAsync(bench), bench.Host.CpuSeconds, 0.0);
            for (var round = 0; round < bench.Scale.Rounds; round++)
            {
                waited += (await bench.PredictAsync(concurrency, count)).Milliseconds.Sum();
            }

            var (after, all) = (await NumbersAsync(bench), bench.Scale.Rounds * count);
            var cpu = 1_000 * (bench.Host.CpuSeconds - busy) / all;
            table.Row($"{concurrency} at once: CPU of the host", $"{cpu:0.00}", $"{loop:0.00}", cpu / loop);
            table.Row("   waited for, by the client", $"{waited / all:0.00}");
            table.Row("   from its headers to its answer, by the host", Mean("http_server_request_duration_seconds_sum"));
            foreach (var part in (string[])["queue", "decode", "forward", "head"])
            {
                table.Row($"   {part}", Mean($"headstart_{part}_duration_seconds_sum"));
            }

            table.Row("   allocated, kB", $"{Change("dotnet_gc_heap_total_allocated_bytes_total") / 1_000 / all:0.0}");

            string Mean(string name) => $"{1_000 * Change(name) / all:0.00}";
            double Change(string name) => after.GetValueOrDefault(name) - before.GetValueOrDefault(name);
        }
    }

    private static double LoopMilliseconds(Bench bench, byte[][] files)
    {
        using var backbone = Backbone.Open(bench.Backbone, threads: 1);
        var input = new float[backbone.Manifest.Preprocessing.Length];
        Pass();
        var busy = Environment.CpuUsage.TotalTime;
        for (var round = 0; round < bench.Scale.Rounds; round++)
        {
            Pass();
        }

        return (Environment.CpuUsage.TotalTime - busy).TotalMilliseconds / (bench.Scale.Rounds * files.Length);

        void Pass()
        {
            foreach (var file in files)
            {
                ImageReader.Preprocess(file, backbone.Manifest.Preprocessing, input);
                backbone.Extract(input, 1);
            }
        }
    }

    /// <summary>The value of each metric, summed over its labels.</summary>
    private static async Task<Dictionary<string, double>> NumbersAsync(Bench bench) =>
        (await bench.Client.GetStringAsync(new Uri("/metrics", UriKind.Relative))).Split('\n')
            .Where(line => line.Length > 0 && line[0] != '#')
            .GroupBy(line => line[..line.IndexOfAny(['{', ' '])])
            .ToDictionary(lines => lines.Key, lines => lines.Sum(Value));

    private static double Value(string line)
    {
        var number = line.AsSpan(line.LastIndexOf('}') + 1).Trim();
        var end = number.IndexOf(' '); // followed by a timestamp
        return double.Parse(end < 0 ? number : number[..end], CultureInfo.InvariantCulture);
    }
}
