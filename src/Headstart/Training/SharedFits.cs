using System.Runtime.InteropServices;
using System.Text.Json;
using Headstart.Backbones;
using Headstart.Data;
using Headstart.Jobs;
using Headstart.Learning.Heads;
using Headstart.Versions;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Training;

/// <summary>
/// Distributes the fits of a large run among all workers, as <see cref="ExtractionShards"/> does with its images. Claims only prevent two
/// workers from computing the same fit, and the run's own worker computes the unclaimed ones. A worker renews its claim while it computes.
/// </summary>
public sealed class SharedFits(IDbContextFactory<HeadstartDb> databases, ExtractionShards shards, FeatureCache features,
    LoadedBackbones loaded, TimeProvider clock) : ICleanup
{
    private const long Worthwhile = 2_000_000; // numbers read by all fits together: about one second
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    /// <summary>Offers the fits to the other workers, if there are any and the fits are large enough.</summary>
    /// <param name="of">The set's features; those of texts are not shared.</param>
    /// <param name="images">The SHA-256 of each example.</param>
    /// <param name="set">The examples.</param>
    /// <param name="task">The fits.</param>
    /// <param name="cancel">Cancels the offer.</param>
    /// <exception cref="HeadTrainingException">There is nothing to learn from this set; the message says why.</exception>
    public async Task<Offer> OfferAsync(VersionFeatures of, IReadOnlyList<byte[]> images, LabelledFeatures set, FitTask task,
        CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(set);
        var plan = await Task.Run(() => task.Plan(set), cancel);
        var leading = shards.Lead(); // before notifying the others: this host is notified too, and would take the core from its own run
        try
        {
            if (of is not ImageFeatures { Recipe: var recipe } || plan.Count < 2
                || (long)plan.Count * set.Count * set.Dimensions < Worthwhile || !shards.HasHelpers)
            {
                return new Offer(this, plan, leading, null, []);
            }

            var work = new FitWork
            {
                Id = Guid.CreateVersion7(),
                Spaces = [.. recipe.Backbones.Select(backbone => backbone.FeatureSpace)],
                Description = JsonSerializer.Serialize(new FitDescription(task, recipe.Id, [.. images], [.. set.Labels],
                set.Tags?.ToArray(), set.Groups?.ToArray(), [.. set.Categories])
                { Prior = set.Prior is { } prior ? MemoryMarshal.AsBytes(prior.Weights.Span).ToArray() : null }),
                CreatedAt = clock.Now(),
            };
            await using var db = await databases.CreateDbContextAsync(cancel);
            db.Add(work);
            db.AddRange(Enumerable.Range(0, plan.Count).Select(number => new FitShard { WorkId = work.Id, Number = number }));
            await db.SaveChangesAsync(cancel);
            await Announcements.SayAsync(db, Announcement.Shards, cancel);
            return new Offer(this, plan, leading, work.Id, work.Spaces);
        }
        catch
        {
            plan.Dispose();
            leading.Dispose();
            throw;
        }
    }

    /// <summary>Computes fits of another worker's run while there are any.</summary>
    /// <returns>false if there were none.</returns>
    public async Task<bool> HelpAsync(CancellationToken stopping)
    {
        string[] here = [.. loaded.All.Select(backbone => backbone.FeatureSpace)];
        if (await ClaimAsync(here, null, stopping) is not { } shard)
        {
            return false;
        }

        await using var db = await databases.CreateDbContextAsync(stopping);
        var text = await db.FitWorks.Where(w => w.Id == shard.WorkId).Select(w => w.Description).SingleOrDefaultAsync(stopping);
        if (text is null || JsonSerializer.Deserialize<FitDescription>(text) is not { } description
            || loaded.FindRecipe(description.Recipe) is not { } recipe)
        {
            return false;
        }

        var vectors = await features.GetAsync(recipe, description.Images, new Progress<double>(), stopping);
        var set = description.Set([.. vectors.Select(vector => vector ?? throw new InvalidDataException("A feature vector is missing."))]);
        using var plan = await Task.Run(() => description.Task.Plan(set), stopping);
        for (var next = shard; next is not null; next = await ClaimAsync(here, shard.WorkId, stopping))
        {
            await FitAsync(plan, next, stopping);
        }

        return true;
    }

    /// <summary>Deletes the fits of runs whose worker died; nothing waits for them.</summary>
    public async Task SweepAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        await db.Database.ExecuteSqlAsync($"DELETE FROM fit_works WHERE created_at < now() - interval '1 day'", cancel);
    }

    private async Task<FitShard?> ClaimAsync(string[] spaces, Guid? work, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var claimed = await db.FitShards.FromSql($"""
            WITH next AS MATERIALIZED (SELECT s.work_id, s.number FROM fit_shards s JOIN fit_works w ON w.id = s.work_id
                WHERE s.result IS NULL AND w.spaces <@ {spaces} AND (s.leased_until IS NULL OR s.leased_until < now()) AND ({work}::uuid IS NULL OR s.work_id = {work})
                ORDER BY s.work_id, s.number LIMIT 1 FOR UPDATE OF s SKIP LOCKED)
            UPDATE fit_shards AS shard SET leased_until = now() + {LeaseDuration} FROM next
            WHERE shard.work_id = next.work_id AND shard.number = next.number
            RETURNING shard.*
            """).ToListAsync(cancel);
        return claimed.SingleOrDefault();
    }

    private async Task FitAsync(FitPlan plan, FitShard shard, CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var fit = Task.Run(() => plan.Fit(shard.Number, stop.Token), stop.Token);
        try
        {
            await using var db = await databases.CreateDbContextAsync(cancel);
            var own = db.FitShards.Where(s => s.WorkId == shard.WorkId && s.Number == shard.Number);
            while (await Task.WhenAny(fit, Task.Delay(LeaseDuration / 3, clock, cancel)) != fit)
            {
                cancel.ThrowIfCancellationRequested();
                await db.Database.ExecuteSqlAsync(
                    $"""
                    UPDATE fit_shards SET leased_until = now() + {LeaseDuration}
                    WHERE work_id = {shard.WorkId} AND number = {shard.Number}
                    """,
                    cancel);
            }

            var result = MemoryMarshal.AsBytes<float>(await fit).ToArray();
            await own.ExecuteUpdateAsync(set => set.SetProperty(s => s.Result, result), cancel);
        }
        finally
        {
            await stop.CancelAsync();
            await ((Task)fit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // it must not outlive the tensors that it reads
        }
    }

    private async Task<IReadOnlyList<float[]>> FinishAsync(Offer offer, IProgress<double> progress, CancellationToken cancel)
    {
        if (offer.Work is not { } work)
        {
            return await Task.Run(() => offer.Plan.FitAll(cancel, progress), cancel);
        }

        await using var db = await databases.CreateDbContextAsync(cancel);
        var ours = db.FitShards.AsNoTracking().Where(s => s.WorkId == work);
        for (var left = offer.Plan.Count; left > 0; left = await ours.CountAsync(s => s.Result == null, cancel))
        {
            progress.Report(1 - (double)left / offer.Plan.Count);
            if (await ClaimAsync(offer.Spaces, work, cancel) is { } shard)
            {
                await FitAsync(offer.Plan, shard, cancel);
            }
            else
            {
                await Task.Delay(PollInterval, clock, cancel); // other workers are computing the last ones
            }
        }

        var made = await ours.ToDictionaryAsync(s => s.Number, s => MemoryMarshal.Cast<byte, float>(s.Result).ToArray(), cancel);
        return made.Count == offer.Plan.Count ? [.. Enumerable.Range(0, made.Count).Select(number => made[number])]
            : await Task.Run(() => offer.Plan.FitAll(cancel, progress), cancel); // the sweep deleted the shared fits
    }

    private async Task DropAsync(Guid work)
    {
        try
        {
            await using var db = await databases.CreateDbContextAsync(CancellationToken.None);
            await db.FitWorks.Where(w => w.Id == work).ExecuteDeleteAsync(CancellationToken.None);
        }
        catch (Exception e) when (ExceptionProblems.Describe(e).Status == StatusCodes.Status503ServiceUnavailable)
        {
            // The database is unreachable, which also ended the run's attempt; the sweep finds the rows.
        }
    }

    /// <summary>Fits that other workers may already be computing.</summary>
    /// <param name="fits">The service that made the offer.</param>
    /// <param name="plan">Disposed with the offer.</param>
    /// <param name="leading">Disposed with the offer.</param>
    /// <param name="work">null if the fits are not shared.</param>
    /// <param name="spaces">See <see cref="FitWork.Spaces"/>.</param>
    public sealed class Offer(SharedFits fits, FitPlan plan, IDisposable leading, Guid? work, string[] spaces) : IAsyncDisposable
    {
        public FitPlan Plan => plan;

        internal Guid? Work => work;

        internal string[] Spaces => spaces;

        /// <summary>Computes the unclaimed fits and waits for those of other workers.</summary>
        /// <returns>The results, in the order of the fits.</returns>
        public Task<IReadOnlyList<float[]>> FinishAsync(IProgress<double> progress, CancellationToken cancel) =>
            fits.FinishAsync(this, progress, cancel);

        public async ValueTask DisposeAsync()
        {
            plan.Dispose();
            leading.Dispose();
            if (work is { } shared)
            {
                await fits.DropAsync(shared);
            }
        }
    }
}
