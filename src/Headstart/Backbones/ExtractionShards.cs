using Hangfire;
using Headstart.Data;
using Headstart.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Backbones;

/// <summary>
/// Distributes the images of a run among all workers. Claims only avoid duplicate work: a worker that is silent for
/// <see cref="LeaseDuration"/> loses its shard, and if two workers finish the same shard, only time is lost. The run's own worker takes
/// shards too, so the run ends with or without the others.
/// </summary>
public sealed class ExtractionShards(IDbContextFactory<HeadstartDb> databases, JobStorage workers, TimeProvider clock) : ICleanup
{
    private const int Most = 128; // images in a shard
    private const int Least = 8;
    private const double ShardMs = 2_000; // of one core, per shard of a long extraction
    private const int Ahead = 12; // a shard is at most 1/12 of what is left, so that the last ones are short
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    private int _leading;

    /// <summary>Whether a run of this worker is distributing work now: then the worker does not help others.</summary>
    public bool IsLeading => Volatile.Read(ref _leading) > 0;

    /// <summary>Whether there are other workers.</summary>
    public bool HasHelpers => workers.GetMonitoringApi().Servers().SelectMany(server => server.Queues).GroupBy(queue => queue)
        .Any(same => same.Count() > 1);

    /// <summary>Makes <see cref="IsLeading"/> true until disposed.</summary>
    public IDisposable Lead() => new Leading(this);

    /// <summary>Whether there are other workers and enough work.</summary>
    /// <param name="msEach">Milliseconds that one image takes.</param>
    /// <param name="images">Number of images.</param>
    public bool IsWorthwhile(double msEach, int images)
    {
        return images >= 2 * Least && images * msEach > ShardMs / 2 && HasHelpers;
    }

    /// <summary>
    /// Computes the vectors of the images together with the other workers. Vectors may be missing afterwards: of unreadable images, and of
    /// shards that <see cref="SweepAsync"/> deleted while this worker was silent.
    /// </summary>
    /// <param name="space">The backbone's <c>FeatureSpace</c>, or that of fingerprints.</param>
    /// <param name="msEach">Milliseconds that one image takes.</param>
    /// <param name="images">SHA-256 of each.</param>
    /// <param name="compute">Computes and stores the vectors of some of the images.</param>
    /// <param name="progress">Receives the number of finished images.</param>
    /// <param name="cancel">Cancels the extraction; other workers finish their current shards.</param>
    public async Task ShareAsync(string space, double msEach, IReadOnlyList<byte[]> images, Func<byte[][], Task> compute,
        IProgress<int> progress, CancellationToken cancel)
    {
        using var leading = Lead();
        var extraction = Guid.CreateVersion7();
        try
        {
            await AddAsync(extraction, space, msEach, images, cancel);
            while (true)
            {
                if (await ClaimAsync([space], extraction, cancel) is { } shard)
                {
                    await compute(shard.Images);
                    await DoneAsync(shard, cancel);
                }
                else
                {
                    await Task.Delay(PollInterval, clock, cancel); // other workers are computing the last ones
                }

                var left = await LeftAsync(extraction, cancel);
                progress.Report(images.Count - left);
                if (left == 0)
                {
                    return;
                }
            }
        }
        finally
        {
            await DropAsync(extraction);
        }
    }

    /// <summary>Claims the oldest free shard; null if there is none.</summary>
    /// <param name="spaces">Feature spaces of this host's backbones.</param>
    /// <param name="extraction">Only shards of this extraction; null for any.</param>
    /// <param name="cancel">Cancels the query.</param>
    public async Task<ExtractionShard?> ClaimAsync(string[] spaces, Guid? extraction, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        // Materialized: otherwise a plan may run the sub-select once per row, and each time find another shard, as the one before is
        // already claimed.
        var claimed = await db.ExtractionShards.FromSql($"""
            WITH next AS MATERIALIZED (SELECT extraction_id, number FROM extraction_shards
                WHERE space = ANY ({spaces}) AND (leased_until IS NULL OR leased_until < now()) AND ({extraction}::uuid IS NULL OR extraction_id = {extraction})
                ORDER BY extraction_id, number LIMIT 1 FOR UPDATE SKIP LOCKED)
            UPDATE extraction_shards AS shard SET leased_until = now() + {LeaseDuration} FROM next
            WHERE shard.extraction_id = next.extraction_id AND shard.number = next.number
            RETURNING shard.*
            """).ToListAsync(cancel);
        return claimed.SingleOrDefault();
    }

    public async Task DoneAsync(ExtractionShard shard, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(shard);
        await using var db = await databases.CreateDbContextAsync(cancel);
        await db.ExtractionShards.Where(s => s.ExtractionId == shard.ExtractionId && s.Number == shard.Number).ExecuteDeleteAsync(cancel);
    }

    /// <summary>Deletes the shards of runs whose worker died.</summary>
    public async Task SweepAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        await db.Database.ExecuteSqlAsync($"DELETE FROM extraction_shards WHERE created_at < now() - interval '1 hour'", cancel);
    }

    private async Task AddAsync(Guid extraction, string space, double msEach, IReadOnlyList<byte[]> images, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        db.AddRange(Parts(images, Math.Clamp((int)(ShardMs / msEach), Least, Most)).Select((shard, number) => new ExtractionShard
        {
            ExtractionId = extraction,
            Number = number,
            Space = space,
            Images = shard,
            CreatedAt = clock.Now(),
        }));
        await db.SaveChangesAsync(cancel);
        await Announcements.SayAsync(db, Announcement.Shards, cancel);
    }

    /// <summary>Shards: large ones first, small ones at the end (guided self-scheduling, Polychronopoulos and Kuck 1987).</summary>
    private static IEnumerable<byte[][]> Parts(IReadOnlyList<byte[]> images, int most)
    {
        for (var start = 0; start < images.Count;)
        {
            byte[][] part = [.. images.Skip(start).Take(Math.Clamp((images.Count - start) / Ahead, Least, most))];
            start += part.Length;
            yield return part;
        }
    }

    /// <summary>Also keeps the shards from the sweep, by the database's clock, as long as this worker lives.</summary>
    /// <returns>Number of images that are not finished.</returns>
    private async Task<int> LeftAsync(Guid extraction, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        await db.Database.ExecuteSqlAsync($"""
            UPDATE extraction_shards SET created_at = now() WHERE extraction_id = {extraction} AND created_at < now() - interval '10 minutes'
            """, cancel);
        return await db.ExtractionShards.Where(s => s.ExtractionId == extraction).SumAsync(s => s.Images.Length, cancel);
    }

    private async Task DropAsync(Guid extraction)
    {
        try
        {
            await using var db = await databases.CreateDbContextAsync(CancellationToken.None);
            await db.ExtractionShards.Where(s => s.ExtractionId == extraction).ExecuteDeleteAsync(CancellationToken.None);
        }
        catch (Exception e) when (ExceptionProblems.Describe(e).Status == StatusCodes.Status503ServiceUnavailable)
        {
            // The database is down, which ended the extraction too; the sweep deletes the rows.
        }
    }

    private sealed class Leading : IDisposable
    {
        private readonly ExtractionShards _shards;

        public Leading(ExtractionShards shards)
        {
            _shards = shards;
            Interlocked.Increment(ref shards._leading);
        }

        public void Dispose() => Interlocked.Decrement(ref _shards._leading);
    }
}
