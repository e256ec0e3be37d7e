using System.Collections.Concurrent;
using Headstart.Backbones;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Learning.Imaging;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Similarity;

/// <summary>Fingerprints of stored images, kept with their feature vectors. Other workers, if any, compute part of them.</summary>
public sealed class Fingerprints(IDbContextFactory<HeadstartDb> databases, IBlobStore blobs, ExtractionShards shards)
{
    /// <summary>The name of the feature space; change it when <see cref="Fingerprint"/> computes something else.</summary>
    public const string Space = "fingerprint-2";

    private const double MsEach = 10; // milliseconds on one core, for a photograph of a few hundred pixels
    private const int AtOnce = 500;

    /// <summary>The fingerprint of each image (SHA-256), in the same order; null for an unreadable one.</summary>
    public async Task<Fingerprint?[]> GetAsync(IReadOnlyList<byte[]> images, CancellationToken cancel)
    {
        var prints = await ReadAsync(images, cancel);
        byte[][] missing = [.. Enumerable.Range(0, images.Count).Where(i => prints[i] is null).Select(i => images[i])];
        if (missing.Length == 0)
        {
            return prints;
        }

        if (shards.IsWorthwhile(MsEach, missing.Length))
        {
            await shards.ShareAsync(Space, MsEach, missing, part => ComputeAsync(part, cancel), new Progress<int>(), cancel);
        }

        await ComputeAsync(missing, cancel); // what is still missing
        return await ReadAsync(images, cancel);
    }

    /// <summary>Computes and stores the missing ones, on this host only.</summary>
    public async Task ComputeAsync(IReadOnlyList<byte[]> images, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        foreach (var chunk in images.Chunk(AtOnce)) // so that finished ones are kept if the process dies
        {
            var made = new ConcurrentBag<(byte[] Sha256, byte[] Grey)>();
            var known = await ReadAsync(chunk, cancel);
            await Parallel.ForEachAsync(chunk.Where((_, i) => known[i] is null),
                new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancel },
                    async (image, token) =>
                {
                    if (await PrintAsync(image, token) is { } print)
                    {
                        made.Add((image, print.Grey.ToArray()));
                    }
                });
            await FeatureCache.KeepAsync(db, Space, made, cancel);
        }
    }

    private async Task<Fingerprint?[]> ReadAsync(IReadOnlyList<byte[]> images, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var prints = new Dictionary<string, Fingerprint>();
        foreach (var chunk in images.Chunk(AtOnce))
        {
            foreach (var row in await db.FeatureVectors.Where(v => v.Space == Space && chunk.Contains(v.Sha256)).ToListAsync(cancel))
            {
                prints[Convert.ToHexStringLower(row.Sha256)] = new Fingerprint(row.Values);
            }
        }

        return [.. images.Select(image => prints.GetValueOrDefault(Convert.ToHexStringLower(image)))];
    }

    private async Task<Fingerprint?> PrintAsync(byte[] sha256, CancellationToken cancel)
    {
        try
        {
            return await blobs.GetAsync(sha256, cancel) is { } bytes ? Fingerprint.Of(bytes) : null;
        }
        catch (ImageRefusedException)
        {
            return null; // its features were cached, but its file has been damaged since
        }
    }
}
