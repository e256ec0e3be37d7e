using Hangfire;
using Headstart.Data;
using Headstart.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Backbones;

/// <summary>
/// Shares the images of one run out among all workers. Claims only keep two from doing the same: whoever claimed a shard and is not heard
/// of for <see cref="LeaseDuration"/> loses it, and if both finish it nothing is lost but time. The run's own worker takes shards like the
/// others, so that it ends with or without them.
/// </summary>
public sealed class ExtractionShards(IDbContextFactory<HeadstartDb> databases, JobStorage workers, TimeProvider clock) : ICleanup
{
    private const int Most = 128; // images in a shard
    private const int Least = 8;
    private const double ShardMs = 2_000; // of one core, for a shard of a long extraction
    private const int Ahead = 12; // a shard is at most this part of what is left then, so that nobody waits long for the last
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    private int _leading;

    /// <summary>Whether a run of this worker's own shares something out now: then it does not help others.</summary>
    public bool IsLeading => Volatile.Read(ref _leading) > 0;

    /// <summary>Whether there are other workers.</summary>
    public bool HasHelpers => workers.GetMonitoringApi().Servers().SelectMany(server => server.Queues).GroupBy(queue => queue)
        .Any(same => same.Count() > 1);

    /// <summary>A run of this worker's own shares something out until this is disposed.</summary>
    public IDisposable Lead() => new Leading(this);

    /// <summary>Whether other workers could help and there is enough to do.</summary>
    /// <param name="msEach">Milliseconds that one image takes.</param>
    /// <param name="images">How many.</param>
    public bool IsWorthwhile(double msEach, int images)
    {
        return images >= 2 * Least && images * msEach > ShardMs / 2 && HasHelpers;
    }

    /// <summary>Computes the vectors of the images together with the other workers.</summary>
    /// <param name="space">The backbone's <c>FeatureSpace</c>, or that of fingerprints.</param>
    /// <param name="msEach">Milliseconds that one image takes.</param>
    /// <param name="images">SHA-256 each.</param>
    /// <param name="compute">Computes and stores the vectors of some of the images.</param>
    /// <param name="progress">Told how many are done.</param>
    /// <param name="cancel">Ends it; what others have in hand they finish.</param>
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

    /// <summary>Claims the oldest shard that no worker has, or null.</summary>
    /// <param name="spaces">Feature spaces of the backbones that are here.</param>
    /// <param name="extraction">One request's, or null for any.</param>
    /// <param name="cancel">Ends the asking.</param>
    public async Task<ExtractionShard?> ClaimAsync(string[] spaces, Guid? extraction, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        // Materialized: a plan may ask a sub-select once for every row, which finds another shard each time, as the one before is claimed
        // by then.
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

    /// <summary>Large ones first, small ones at the end (guided self-scheduling, Polychronopoulos and Kuck 1987).</summary>
    private static IEnumerable<byte[][]> Parts(IReadOnlyList<byte[]> images, int most)
    {
        for (var start = 0; start < images.Count;)
        {
            byte[][] part = [.. images.Skip(start).Take(Math.Clamp((images.Count - start) / Ahead, Least, most))];
            start += part.Length;
            yield return part;
        }
    }

    /// <returns>Images.</returns>
    private async Task<int> LeftAsync(Guid extraction, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
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
            // The database is away, which ended the extraction too; the sweep finds the rows.
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
