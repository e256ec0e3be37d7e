using Headstart.Access;
using Headstart.Data;
using Headstart.Jobs;
using Headstart.Versions;
using Microsoft.EntityFrameworkCore;

namespace Headstart.BatchPredictions;

/// <summary>Starts batches.</summary>
internal sealed class NewBatches(
    ServableVersions versions, BatchIntake images, TextBatchIntake texts, BatchItems stored, Usage usage, JobWaker waker,
    TimeProvider clock)
{
    /// <param name="http">Contains the images or texts, or names stored ones.</param>
    /// <param name="id">Id of the model.</param>
    /// <param name="number">Number of the version; null for the published one.</param>
    /// <param name="idempotencyKey">The same key returns the batch that it started.</param>
    /// <param name="cancel">Cancels before the batch is created.</param>
    /// <returns>The batch, queued.</returns>
    /// <exception cref="RefusedException">The batch was refused; the problem says why.</exception>
    public async Task<BatchPrediction> StartAsync(
        HttpContext http, Guid id, int? number, string? idempotencyKey, CancellationToken cancel)
    {
        var found = await versions.FindAsync(http.User, id, number, cancel); // refuse an unusable version now rather than later
        if (found.Kind is null)
        {
            throw new RefusedException(found.Refusal!);
        }

        if (await stored.StartedByAsync(id, idempotencyKey, cancel) is { } before)
        {
            return before;
        }

        RefusedException.ThrowIf(Problems.RefuseIdempotencyKey(idempotencyKey));

        if (found.Version is not { } version)
        {
            throw new RefusedException(found.Refusal!);
        }

        var items = found.Kind.Value.IsText() ? await texts.ReadAsync(id, http, cancel)
            : await images.ReadAsync(id, http, cancel);
        return await InsertAsync(http, NewBatch(id, version.Number, items, idempotencyKey, clock.Now()), items, cancel);
    }

    private async Task<BatchPrediction> InsertAsync(
        HttpContext http, BatchPrediction batch, List<NewItem> items, CancellationToken cancel)
    {
        var wanted = items.Count(item => item.Answer is null);
        if (await usage.TakeAsync(http.User, wanted, cancel) is { } exceeded)
        {
            throw new RefusedException(exceeded.Problem(("images", wanted)));
        }

        var inserted = false;
        try
        {
            if (await stored.InsertAsync(http.User.AccountId(), batch, items, cancel) is { } full)
            {
                throw new RefusedException(full.Problem());
            }

            inserted = true;
        }
        catch (DbUpdateException e) when (e.IsDuplicate())
        {
            // A concurrent request with the same key was faster.
            return (await stored.StartedByAsync(batch.ModelId, batch.IdempotencyKey, cancel))!;
        }
        catch (DbUpdateException e) when (e.IsOrphan())
        {
            throw new RefusedException(Problems.NoSuchModel());
        }
        finally
        {
            usage.CountPredictions(http.User, inserted ? 0 : -wanted); // counted before, so that of two concurrent batches only one fits
        }

        waker.Wake(BatchJob.Kind, batch.Id); // if the process dies before this, the batch is queued and the sweep enqueues it
        return batch;
    }

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
