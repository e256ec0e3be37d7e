using Headstart.Access;
using Headstart.Data;
using Headstart.Jobs;
using Headstart.Operations;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Headstart.BatchPredictions;

/// <summary>Starts batches.</summary>
internal sealed class NewBatches(
    HeadstartDb db, ServableVersions versions, BatchIntake images, TextBatchIntake texts, BatchItems stored, Usage usage, JobQueue queue, TimeProvider clock)
{
    /// <param name="http">Contains the images or texts, or names stored ones.</param>
    /// <param name="id">Of the model.</param>
    /// <param name="number">Number of the version; null for the published one.</param>
    /// <param name="idempotencyKey">The same key returns the batch that it started.</param>
    /// <param name="cancel">Cancels before the batch is created.</param>
    /// <returns>The batch, queued, or why there is none.</returns>
    public async Task<(BatchPrediction? Batch, ProblemHttpResult? Refusal)> StartAsync(
        HttpContext http, Guid id, int? number, string? idempotencyKey, CancellationToken cancel)
    {
        var found = await versions.FindAsync(http.User, id, number, cancel); // refuse an unusable version now rather than later
        if (found.Kind is null)
        {
            return (null, found.Refusal);
        }

        if (await BeforeAsync(id, idempotencyKey, cancel) is { } before)
        {
            return (before, null);
        }

        if (idempotencyKey is { Length: 0 or > 200 })
        {
            return (null, Problems.InvalidIdempotencyKey());
        }

        if (found.Version is not { } version)
        {
            return (null, found.Refusal);
        }

        var (items, refusal) = found.Kind.Value.IsText() ? await texts.ReadAsync(id, http, cancel)
            : await images.ReadAsync(id, http, await db.RemainingQuotaAsync(http.User.AccountId(), cancel), cancel);
        return refusal is null ? await InsertAsync(http, NewBatch(id, version.Number, items, idempotencyKey, clock.Now()), items, cancel) : (null, refusal);
    }

    private async Task<(BatchPrediction? Batch, ProblemHttpResult? Refusal)> InsertAsync(
        HttpContext http, BatchPrediction batch, List<NewItem> items, CancellationToken cancel)
    {
        var wanted = items.Count(item => item.Answer is null);
        if (await usage.TakeAsync(http.User, wanted, cancel) is { } exceeded)
        {
            return (null, exceeded.Problem(("images", wanted)));
        }

        var inserted = false;
        try
        {
            if (await stored.InsertAsync(http.User.AccountId(), batch, items, cancel) is { } full)
            {
                return (null, full.Problem());
            }

            inserted = true;
        }
        catch (DbUpdateException e) when (e.IsDuplicate())
        {
            return (await BeforeAsync(batch.ModelId, batch.IdempotencyKey, cancel), null);
        }
        catch (DbUpdateException e) when (e.IsOrphan())
        {
            return (null, Problems.NoSuchModel());
        }
        finally
        {
            usage.CountPredictions(http.User, inserted ? 0 : -wanted); // counted before, so that of two concurrent batches only one fits
        }

        queue.Enqueue(BatchJob.Kind, batch.Id); // if the process dies before this, the batch is queued and the sweep enqueues it
        return (batch, null);
    }

    private Task<BatchPrediction?> BeforeAsync(Guid model, string? key, CancellationToken cancel) => key is null ? Task.FromResult<BatchPrediction?>(null)
        : db.BatchPredictions.SingleOrDefaultAsync(b => b.ModelId == model && b.IdempotencyKey == key, cancel);

    private static BatchPrediction NewBatch(Guid model, int version, List<NewItem> items, string? idempotencyKey, DateTime now)
    {
        var refused = items.Count(i => i.Answer is not null);
        return new()
        {
            Id = Guid.CreateVersion7(),
            ModelId = model,
            Version = version,
            State = JobState.Queued,
            Images = items.Count,
            Bytes = items.Sum(i => (long)i.Bytes),
            Done = refused,
            Failed = refused,
            IdempotencyKey = idempotencyKey,
            CreatedAt = now,
        };
    }
}
