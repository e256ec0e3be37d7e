using System.Diagnostics;
using Headstart.Learning.Backbones;
using Headstart.Learning.Imaging;

namespace Headstart.Benchmarks;

/// <summary>
/// How close extraction comes to the limit of the cores. Decoding alone and forwarding alone are raw loops on all cores; if both share the
/// same cores, the best possible rate is 1 / (1/decode + 1/forward), with forward passes of one image or <see cref="Batch"/> images,
/// whichever is faster.
/// </summary>
internal sealed record Throughput(string Name, int Threads, double[] Decode, double[] Forward, double[] ForwardBatch, double[] Extraction)
{
    public const int Rounds = 7;
    public const int Batch = 8;

    public static async Task<Throughput> MeasureAsync(BackboneFile file, int threads, byte[][] photographs)
    {
        using var serving = Backbone.Open(file, threads);
        // The limit is one uncoordinated thread per core, independent of the session that extraction uses.
        using var raw = Backbone.Open(file, threads: 1);
        var (decode, forward, forwardBatch, extraction) = (new double[Rounds], new double[Rounds], new double[Rounds], new double[Rounds]);
        for (var round = -1; round < Rounds; round++)
        {
            // Interleaved, so that slow phases of the machine affect all of them; the first round is a warm-up.
            var d = Rate(photographs.Length, () => DecodeAll(file.Manifest.Preprocessing, photographs));
            var f = Rate(photographs.Length, () => ForwardAll(raw, photographs.Length, 1));
            var b = Rate(photographs.Length, () => ForwardAll(raw, photographs.Length, Batch));
            var e = await RateAsync(photographs.Length, () => ExtractAll(serving, photographs));
            if (round >= 0)
            {
                (decode[round], forward[round], forwardBatch[round], extraction[round]) = (d, f, b, e);
            }
        }

        return new Throughput(file.Manifest.Id, threads, decode, forward, forwardBatch, extraction);
    }

    public override string ToString()
    {
        var limit = 1 / (1 / Median(Decode) + 1 / Math.Max(Median(Forward), Median(ForwardBatch)));
        return $"{Name,-22}{Threads,8}{Spread(Decode),20}{Spread(Forward),20}{Spread(ForwardBatch),20}{limit,8:F1}{Spread(Extraction),20}"
            + $"{Median(Extraction) / limit,8:F3}";
    }

    internal static void DecodeAll(Preprocessing p, byte[][] photographs) => Parallel.For(0, photographs.Length, AllCores,
        () => new float[p.Length],
        (i, _, input) =>
        {
            ImageReader.Preprocess(photographs[i], p, input);
            return input;
        },
        _ => { });

    internal static void ForwardAll(Backbone backbone, int count, int batch) => Parallel.For(0, count / batch, AllCores,
        () => new float[batch * backbone.Manifest.Preprocessing.Length],
        (_, _, input) =>
        {
            backbone.Extract(input, batch);
            return input;
        },
        _ => { });

    internal static Task ExtractAll(Backbone backbone, byte[][] photographs) => FeatureExtraction.ExtractAsync(backbone, photographs.Length,
        (i, _) => Task.FromResult(photographs[i]), (_, _) => { },
        (i, refusal) => throw new InvalidOperationException($"Photograph {i}: {refusal.Detail}"), CancellationToken.None);

    private static ParallelOptions AllCores => new() { MaxDegreeOfParallelism = Environment.ProcessorCount };

    private static double Rate(int count, Action work)
    {
        var start = Stopwatch.GetTimestamp();
        work();
        return count / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static async Task<double> RateAsync(int count, Func<Task> work)
    {
        var start = Stopwatch.GetTimestamp();
        await work();
        return count / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);

    private static string Spread(double[] values) => $"{Median(values):F1} ({values.Min():F0}..{values.Max():F0})";
}
