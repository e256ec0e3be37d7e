using System.Runtime.InteropServices;
using System.Threading.Channels;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Learning.Backbones;
using Headstart.Learning.Imaging;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Backbones;

/// <summary>Feature vectors of stored images: read from the database if known, otherwise computed and stored there.</summary>
public sealed class FeatureCache(IDbContextFactory<HeadstartDb> databases, IBlobStore blobs, Cores cores, ExtractionShards shards)
{
    private const int ReadAtOnce = 500;
    private const int WriteAtOnce = 64;
    private const int AloneAtOnce = 2_000; // images between two checks for new workers

    /// <summary>Feature vectors of <paramref name="images"/> by <paramref name="recipe"/>; null for images that cannot be read.</summary>
    public async Task<float[]?[]> GetAsync(FeatureRecipe recipe, IReadOnlyList<byte[]> images, IProgress<double> progress,
        CancellationToken cancel)
    {
        var whole = new List<float[]?[]>();
        foreach (var (i, backbone) in recipe.Backbones.Index())
        {
            whole.Add(await GetAsync(backbone, images, new ShareOf(progress, i, recipe.Backbones.Count), cancel));
        }

        return Assemble(recipe, whole);
    }

    /// <summary>Assembles the recipe's vectors from the full feature vectors of each of its backbones.</summary>
    public static float[]?[] Assemble(FeatureRecipe recipe, IReadOnlyList<float[]?[]> whole) =>
        [.. Enumerable.Range(0, whole[0].Length)
            .Select(i => whole.Any(vectors => vectors[i] is null) ? null : recipe.Assemble([.. whole.Select(vectors => vectors[i]!)]))];

    /// <summary>
    /// The feature vectors of <paramref name="images"/> (SHA-256 each), in the same order; null for images that cannot be read. Other
    /// workers help if there are any.
    /// </summary>
    public async Task<float[]?[]> GetAsync(Backbone backbone, IReadOnlyList<byte[]> images, IProgress<double> progress,
        CancellationToken cancel)
    {
        var vectors = await ReadAsync(backbone, images, cancel);
        var missing = Missing(vectors);
        var known = images.Count - missing.Length;
        progress.Report((double)known / Math.Max(1, images.Count));
        for (var start = 0; start < missing.Length; start += AloneAtOnce)
        {
            var left = missing[start..];
            if (shards.IsWorthwhile(backbone.MsPerImage, left.Length))
            {
                await shards.ShareAsync(backbone.FeatureSpace, backbone.MsPerImage, Of(left), part =>
                    ComputeAsync(backbone, part, null, cancel), new CountOf(progress, known + start, images.Count), cancel);
                Fill(left, await ComputeAsync(backbone, Of(left), null, cancel)); // what is still missing
                break;
            }

            left = left[..Math.Min(AloneAtOnce, left.Length)];
            Fill(left, await ComputeAsync(backbone, Of(left), new CountOf(progress, known + start, images.Count), cancel));
        }

        return vectors;

        byte[][] Of(int[] indices) => [.. indices.Select(i => images[i])];

        void Fill(int[] indices, float[]?[] found)
        {
            foreach (var (i, index) in indices.Index())
            {
                vectors[index] = found[i];
            }
        }
    }

    /// <summary>Like <see cref="GetAsync(Backbone, IReadOnlyList{byte[]}, IProgress{double}, CancellationToken)"/>, on this host
    /// only.</summary>
    /// <remarks>Writes vectors while it computes the next ones: if the process dies, the next run repeats little.</remarks>
    public async Task<float[]?[]> ComputeAsync(Backbone backbone, IReadOnlyList<byte[]> images, IProgress<int>? progress,
        CancellationToken cancel)
    {
        var vectors = await ReadAsync(backbone, images, cancel);
        var missing = Missing(vectors);
        var done = images.Count - missing.Length;
        progress?.Report(done);
        var computed = Channel.CreateUnbounded<int>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var writing = WriteAsync(backbone.FeatureSpace, images, vectors, computed.Reader, stop.Token);
        try
        {
            await FeatureExtraction.ExtractAsync(backbone, missing.Length, (i, token) => LoadAsync(images[missing[i]], token), Store,
                (_, _) => Count(), cancel, cores.GiveWay);
        }
        catch
        {
            await stop.CancelAsync();
            await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }

        computed.Writer.Complete();
        await writing;
        return vectors;

        void Store(int i, float[] vector)
        {
            vectors[missing[i]] = vector;
            computed.Writer.TryWrite(missing[i]);
            Count();
        }

        void Count() => progress?.Report(Interlocked.Increment(ref done));
    }

    /// <summary>Stores feature vectors; other workers may store the same ones.</summary>
    internal static Task KeepAsync(HeadstartDb db, string space, IEnumerable<(byte[] Sha256, byte[] Values)> made, CancellationToken cancel)
    {
        // Sorted, so that two workers storing the same vectors wait for each other and cannot deadlock.
        var rows = made.OrderBy(r => Convert.ToHexStringLower(r.Sha256), StringComparer.Ordinal).ToArray();
        return db.Database.ExecuteSqlAsync($"""
            INSERT INTO feature_vectors (sha256, space, "values")
            SELECT sha256, {space}, made FROM unnest({rows.Select(r => r.Sha256).ToArray()}, {rows.Select(r => r.Values).ToArray()}) AS new (sha256, made)
            ON CONFLICT DO NOTHING
            """, cancel);
    }

    private static int[] Missing(float[]?[] vectors) => [.. Enumerable.Range(0, vectors.Length).Where(i => vectors[i] is null)];

    /// <summary>Progress of step i of n. (The library's Progress reports from another thread, later, and out of order.)</summary>
    private sealed class ShareOf(IProgress<double> whole, int i, int n) : IProgress<double>
    {
        public void Report(double value) => whole.Report((i + value) / n);
    }

    /// <summary>Progress of a count that starts at <paramref name="before"/> of <paramref name="count"/>.</summary>
    private sealed class CountOf(IProgress<double> whole, int before, int count) : IProgress<int>
    {
        public void Report(int value) => whole.Report((double)(before + value) / count);
    }

    private async Task<byte[]> LoadAsync(byte[] sha256, CancellationToken cancel) => await blobs.GetAsync(sha256, cancel)
        ?? throw new ImageRefusedException(new("missing", "The image is missing from the blob store or damaged there."));

    private async Task<float[]?[]> ReadAsync(Backbone backbone, IReadOnlyList<byte[]> images, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var vectors = new float[]?[images.Count];
        for (var start = 0; start < images.Count; start += ReadAtOnce)
        {
            var chunk = images.Skip(start).Take(ReadAtOnce).ToArray();
            var rows = await db.FeatureVectors.Where(v => v.Space == backbone.FeatureSpace && chunk.Contains(v.Sha256)).ToListAsync(cancel);
            var known = rows.Where(r => r.Values.Length == backbone.Length * sizeof(float))
                .ToDictionary(r => Convert.ToHexStringLower(r.Sha256), r => MemoryMarshal.Cast<byte, float>(r.Values).ToArray());
            for (var i = 0; i < chunk.Length; i++)
            {
                vectors[start + i] = known.GetValueOrDefault(Convert.ToHexStringLower(chunk[i]));
            }
        }

        return vectors;
    }

    private async Task WriteAsync(
        string space, IReadOnlyList<byte[]> images, float[]?[] vectors, ChannelReader<int> computed, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var batch = new List<int>();
        await foreach (var i in computed.ReadAllAsync(cancel))
        {
            batch.Add(i);
            if (batch.Count == WriteAtOnce)
            {
                await InsertAsync();
            }
        }

        await InsertAsync();

        async Task InsertAsync()
        {
            await KeepAsync(db, space, batch.Select(i => (images[i], MemoryMarshal.AsBytes(vectors[i].AsSpan()).ToArray())), cancel);
            batch.Clear();
        }
    }
}
