using System.Diagnostics;
using Headstart.Learning.Backbones;
using Headstart.Learning.Imaging;

namespace Headstart.Benchmarks.Serving;

/// <summary>
/// How close extraction and predictions come to the limit of the cores: 1 / (1/decode + 1/forward), each alone in a raw loop on all cores,
/// see <see cref="Throughput"/>. And how much slower a single request is than decoding and forwarding the same photographs one after
/// another on one thread.
/// </summary>
internal static class Limit
{
    private static readonly int[] Concurrencies = [1, 2, 8, 64];

    public static async Task MeasureAsync(Bench bench, ResultTable table)
    {
        using var raw = Backbone.Open(bench.Backbone, threads: 1);
        var (decode, forward, batches, extraction, repeats) =
            (new Measured(), new Measured(), new Measured(), new Measured(), new Measured());
        var serving = Concurrencies.ToDictionary(concurrency => concurrency, _ => new Measured());
        var (alone, lone) = (PerPhotograph(bench), PerPhotograph(bench));
        var generator = new Measured();
        var files = bench.Photographs.Files;
        for (var round = -1; round < bench.Scale.Rounds; round++)
        {
            decode.AddRate(files.Length, () => Throughput.DecodeAll(raw.Manifest.Preprocessing, files));
            forward.AddRate(files.Length, () => Throughput.ForwardAll(raw, files.Length, 1));
            batches.AddRate(files.Length, () => Throughput.ForwardAll(raw, files.Length, Throughput.Batch));
            await extraction.AddRateAsync(files.Length, () => Throughput.ExtractAll(raw, files));
            OneAfterAnother(raw, files, alone);
            foreach (var (concurrency, rate) in serving)
            {
                var load = await bench.PredictAsync(concurrency, Math.Max(files.Length, 4 * concurrency));
                rate.Add(load.PerSecond);
                generator.Add(load.OwnCores);
                if (concurrency == 1)
                {
                    Add(lone, load.Milliseconds);
                }
            }

            repeats.Add((await bench.PredictAsync(64, 256, stamped: false)).PerSecond);
            if (round < 0)
            {
                foreach (var measured in (Measured[])[decode, forward, batches, extraction, repeats, generator, .. serving.Values, .. alone,
                    .. lone])
                {
                    measured.Forget();
                }
            }
        }

        var limit = 1 / (1 / decode.Median + 1 / Math.Max(forward.Median, batches.Median));
        table.Section($"The limit: {files.Length} photographs, {bench.Backbone.Manifest.Id}, {Environment.ProcessorCount} cores, images/s: "
            + $"median (least..most) of {bench.Scale.Rounds} rounds");
        table.Row("decode alone, raw loop on all cores", "", $"{decode}");
        table.Row("forward alone, raw loop on all cores, one at a time", "", $"{forward}");
        table.Row($"forward alone, raw loop on all cores, {Throughput.Batch} at a time", "", $"{batches}");
        table.Row("limit, 1 / (1/decode + 1/forward)", "", $"{limit:0.0}");
        table.Row("extraction", $"{extraction}", $"{limit:0.0}", extraction.Median / limit, ">= 0.90");
        foreach (var (concurrency, rate) in serving)
        {
            table.Row($"POST /predictions, {concurrency} at once", $"{rate}", $"{limit:0.0}", rate.Median / limit,
                concurrency == Concurrencies[^1] ? ">= 0.85" : "");
        }

        table.Row("the same 64 at once, the same photographs again and again", $"{repeats}", $"{limit:0.0}", repeats.Median / limit);
        var added = Measured.Of([.. lone.Zip(alone, (http, loop) => http.Median - loop.Median)]);
        table.Row("a lone request, ms (median; the loop: decode, then forward)", $"{Measured.Of([.. lone.Select(ms => ms.Median)]):0.00}",
            $"{Measured.Of([.. alone.Select(ms => ms.Median)]):0.00}");
        table.Row("added to each photograph by HTTP, database and head, ms (median)", $"{added:+0.00;-0.00}", "", null, "<= 2");
        table.Note($"Limit: the generator of requests runs in the benchmark's process on the same cores and used {generator.Median:0.00} "
            + "of them "
            + "(median over all rows); it is not subtracted. "
            + "Photographs differ in eight bytes behind the JPEG's end, so no cache by content can answer, except in the row of repeats.");
    }

    private static Measured[] PerPhotograph(Bench bench) => [.. Enumerable.Range(0, bench.Photographs.Count).Select(_ => new Measured())];

    private static void Add(Measured[] photographs, IEnumerable<double> milliseconds)
    {
        foreach (var (photograph, ms) in photographs.Zip(milliseconds)) // a single client receives its answers in order
        {
            photograph.Add(ms);
        }
    }

    private static void OneAfterAnother(Backbone backbone, byte[][] files, Measured[] times)
    {
        var p = backbone.Manifest.Preprocessing;
        var input = new float[p.Length];
        foreach (var (file, time) in files.Zip(times))
        {
            var start = Stopwatch.GetTimestamp();
            ImageReader.Preprocess(file, p, input);
            backbone.Extract(input, 1);
            time.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
    }
}
