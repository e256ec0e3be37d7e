using System.Diagnostics;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Headstart.Learning.Backbones;
using Headstart.Learning.Imaging;
using Headstart.Tests;

namespace Headstart.Benchmarks;

/// <summary>
/// What a prediction costs beside decoding and forwarding, through the API of a running host: <c>serving ADDRESS KEY [BACKBONE]</c>. The raw work is measured
/// in this process on the same photographs, in turns with the requests, so that a slow spell of the machine meets both. This client takes its share of the cores, too.
/// </summary>
internal static class Serving
{
    private const int Rounds = 5;

    private static int _number;

    public static async Task PrintAsync(Uri address, string key, BackboneFile file, string set, byte[][] photographs)
    {
        using var client = new HttpClient { BaseAddress = address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        var (model, _) = await PublicSets.TrainAsync(client, set, new JsonObject { ["backbone"] = file.Manifest.Id }, CancellationToken.None);
        using var raw = Backbone.Open(file, threads: 1, stages: true);
        var (alone, one, known, limit, many, hash) = (new List<double>(), new List<double>(), new List<double>(), new List<double>(), new List<double>(), new List<double>());
        for (var round = -1; round < Rounds; round++)
        {
            var cores = Environment.ProcessorCount;
            var a = Median(await TimesAsync(photographs, 1, Direct));
            var o = Median(await TimesAsync(photographs, 1, PredictNew));
            var k = Median(await TimesAsync(photographs, 1, PredictKnown));
            var l = await RateAsync(photographs, cores, Direct);
            var m = await RateAsync(photographs, 4 * cores, PredictNew);
            var h = Median(await TimesAsync(photographs, 1, bytes => Task.FromResult(SHA256.HashData(bytes).Length)));
            if (round >= 0)
            {
                alone.Add(a);
                one.Add(o);
                known.Add(k);
                limit.Add(l);
                many.Add(m);
                hash.Add(h);
            }
        }

        Console.WriteLine($"{file.Manifest.Id}, {photographs.Length} photographs of {photographs.Average(p => p.Length) / 1_000:0} kB, medians of {Rounds} rounds");
        Console.WriteLine($"  decode + forward, nothing else: {Median(alone):0.0} ms; SHA-256: {Median(hash):0.000} ms");
        Console.WriteLine($"  one request at a time:          {Median(one):0.0} ms, {Median([.. one.Zip(alone, (x, y) => x - y)]):0.0} ms more; a known image {Median(known):0.0} ms");
        Console.WriteLine($"  all cores, nothing else:        {Median(limit):0.0} images/s");
        Console.WriteLine($"  {4 * Environment.ProcessorCount} requests at a time:          {Median(many):0.0} images/s, {Median([.. many.Zip(limit, (x, y) => x / y)]):0.00} of that");

        Task<int> Direct(byte[] bytes) => Task.Run(() =>
        {
            using var square = CentreSquare.Of(bytes, file.Manifest.Preprocessing.Size);
            return raw.See(square).Length;
        });

        // A few bytes behind the end make it a file that the host has never seen.
        Task<int> PredictNew(byte[] bytes) => PostAsync([.. bytes, .. BitConverter.GetBytes(Interlocked.Increment(ref _number)), .. Guid.CreateVersion7().ToByteArray()]);

        Task<int> PredictKnown(byte[] bytes) => PostAsync(bytes);

        async Task<int> PostAsync(byte[] bytes)
        {
            using var body = new ByteArrayContent(bytes) { Headers = { ContentType = new("image/jpeg") } };
            using var response = await client.PostAsync($"{model}/predictions", body);
            response.EnsureSuccessStatusCode();
            return (await response.Content.ReadAsByteArrayAsync()).Length;
        }
    }

    private static async Task<double[]> TimesAsync(byte[][] photographs, int parallel, Func<byte[], Task<int>> work)
    {
        var times = new double[photographs.Length];
        await Parallel.ForAsync(0, photographs.Length, new ParallelOptions { MaxDegreeOfParallelism = parallel }, async (i, _) =>
        {
            var start = Stopwatch.GetTimestamp();
            await work(photographs[i]);
            times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        });
        return times;
    }

    private static async Task<double> RateAsync(byte[][] photographs, int parallel, Func<byte[], Task<int>> work)
    {
        var start = Stopwatch.GetTimestamp();
        await TimesAsync(photographs, parallel, work);
        return photographs.Length / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static double Median(IReadOnlyList<double> values) => values.Order().ElementAt(values.Count / 2);
}
