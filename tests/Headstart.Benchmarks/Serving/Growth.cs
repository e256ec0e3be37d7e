using System.Diagnostics;
using Headstart.Learning.Backbones;
using Headstart.Learning.Heads;
using Headstart.Learning.Native;

namespace Headstart.Benchmarks.Serving;

/// <summary>What grows with the number of images: extraction should take the same time per image and the same memory.</summary>
internal static class Growth
{
    private const int Dimensions = 1280;
    private const int Classes = 100;

    public static async Task MeasureAsync(Bench bench, ResultTable table)
    {
        table.Section($"Growth: images with ever new hashes; extraction with {BackboneFolders.BuiltInId} in the benchmark's process, "
            + "memory at its peak in MiB");
        using var backbone = Backbone.Open(bench.Find(BackboneFolders.BuiltInId), threads: 1);
        await ExtractAsync(backbone, bench.Photographs, 200);
        (double PerSecond, double Mb)? first = null;
        foreach (var count in bench.Scale.Images)
        {
            var (perSecond, mb) = await ExtractAsync(backbone, bench.Photographs, count);
            first ??= (perSecond, mb);
            table.Row($"{count:N0} images, images/s, of what the fewest gave",
                $"{perSecond:0.0}", $"{first.Value.PerSecond:0.0}", perSecond / first.Value.PerSecond, "about 1");
            table.Row("   memory at most, of what the fewest took", $"{mb:0}", $"{first.Value.Mb:0}", mb / first.Value.Mb, "about 1");
        }

        await TrainAsync(bench, table, bench.Scale.Images[0]);
        var perClass = bench.Scale.VectorsPerCategory;
        table.Row($"head of {Classes} categories from {Classes * perClass:N0} feature vectors of {Dimensions}, s (linear, chosen by "
            + "cross-validation)",
            $"{TrainHead(perClass):0.0}");
    }

    private static async Task<(double PerSecond, double Mb)> ExtractAsync(Backbone backbone, Photographs photographs, int count)
    {
        ProcessMemory.Trim();
        ProcessMemory.ForgetPeak();
        var start = Stopwatch.GetTimestamp();
        await FeatureExtraction.ExtractAsync(backbone, count, (i, _) =>
            Task.FromResult(Photographs.Stamped(photographs.Files[i % photographs.Count])), (_, _) => { },
            (i, refusal) => throw new InvalidOperationException($"Photograph {i}: {refusal.Detail}"), CancellationToken.None);
        return (count / Stopwatch.GetElapsedTime(start).TotalSeconds, ProcessMemory.Peak / (double)(1 << 20));
    }

    private static async Task TrainAsync(Bench bench, ResultTable table, int count)
    {
        var train = bench.Files("train");
        var files = Enumerable.Range(0, count).Select(i =>
            (train[i % train.Count].Category, Photographs.Stamped(train[i % train.Count].File)));
        var before = bench.Host.MemoryMb;
        var start = Stopwatch.GetTimestamp();
        var model = await bench.Client.UploadAsync(files);
        var uploaded = Stopwatch.GetElapsedTime(start).TotalSeconds;
        await bench.Client.TrainAsync(model, bench.OneBackbone);
        var trained = Stopwatch.GetElapsedTime(start).TotalSeconds - uploaded;
        table.Row($"through the API, {count:N0} images with {bench.Backbone.Manifest.Id}: upload, then the run, s",
            $"{uploaded:0.0}, {trained:0.0}");
        table.Row("   memory of the host after it and before, MiB", $"{bench.Host.MemoryMb:0}", $"{before:0}");
    }

    /// <summary>Seconds to train a head on synthetic, overlapping features: a centre for each category, and noise around it.</summary>
    private static double TrainHead(int perClass)
    {
        var random = new Random(1);
        var centres = Enumerable.Range(0, Classes).Select(_ => Noise(random)).ToArray();
        var labels = Enumerable.Range(0, Classes * perClass).Select(i => i % Classes).ToArray();
        float[][] features = [.. labels.Select(label => Unit(Noise(random).Zip(centres[label], (noise, centre) => 4 * noise + centre)))];
        var set = new LabelledFeatures(features, labels, [.. Enumerable.Range(0, Classes).Select(k => $"{k}")]);
        var start = Stopwatch.GetTimestamp();
        var validation = HeadTraining.CrossValidate(set, seed: 1, CancellationToken.None, linearOnly: true);
        HeadTraining.Train(set, validation.Method, CancellationToken.None);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static float[] Noise(Random random) => [.. Enumerable.Range(0, Dimensions).Select(_ => random.NextSingle() - 0.5f)];

    private static float[] Unit(IEnumerable<float> values)
    {
        var vector = values.ToArray();
        var length = MathF.Sqrt(vector.Sum(value => value * value));
        return [.. vector.Select(value => value / length)];
    }
}
