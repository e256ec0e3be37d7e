using Hangfire;
using Headstart.Data;
using Headstart.Learning.Heads;
using Headstart.Operations;
using Headstart.Predictions;
using Microsoft.EntityFrameworkCore;

namespace Headstart.BatchPredictions;

/// <summary>
/// Answers a batch from its first item without an answer to its end. May be started twice and die anywhere, see <see cref="BatchClaim"/>.
/// </summary>
public sealed partial class BatchJob(
    IDbContextFactory<HeadstartDb> databases, HeadCache heads, BatchAnswering answering, TimeProvider clock, ILogger<BatchJob> log)
{
    public const string Queue = "predictions";

    private const int AtOnce = 64, TextsAtOnce = 1_024; // items between two writes: what is repeated if we die between them
    private const int MaxAttempts = 5;

    [Queue(Queue), AutomaticRetry(Attempts = 0)] // the sweep wakes lost batches; a retry here would only be a twin
    public async Task RunAsync(Guid batchId, CancellationToken stopping)
    {
        await using var claim = await BatchClaim.TakeAsync(databases, batchId, clock, stopping);
        if (claim is null)
        {
            return;
        }

        try
        {
            if (claim.Batch.Attempts > MaxAttempts)
            {
                await EndAsync(claim, BatchState.Failed, $"The batch was started {MaxAttempts} times at the same place and its worker died each time; "
                    + "the log of the host may say why. What was answered until then is in the results.");
                return;
            }

            await AnswerAsync(claim);
            await EndAsync(claim, BatchState.Succeeded, null);
        }
        catch (Exception e) when (e is VersionUnavailableException or HeadArtifactException)
        {
            await EndAsync(claim, BatchState.Failed, e.Message);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            await claim.ReleaseAsync();
        }
        catch (OperationCanceledException) when (claim.Token.IsCancellationRequested)
        {
            Log.Left(log, batchId); // cancelled, deleted, or ended by a twin
        }
        catch (Exception e) when (ExceptionProblems.Describe(e) is var (status, type, detail))
        {
            JobFailures.Note(log, "Batch", batchId, e);
            // While the database is away the batch stays claimed; the sweep wakes it when nothing was heard of it for a while.
            if (type == ExceptionProblems.BlobStoreAway)
            {
                await claim.ReleaseAsync(later: true); // costs no attempt: there may be many until the store is back
            }
            else if (status != StatusCodes.Status503ServiceUnavailable)
            {
                await EndAsync(claim, BatchState.Failed, status == StatusCodes.Status507InsufficientStorage ? detail
                    : "The batch ended in an unexpected error, which is in the log of the host. What was answered until then is in the results.");
            }
        }
    }

    private async Task AnswerAsync(BatchClaim claim)
    {
        var batch = claim.Batch;
        await using var db = await databases.CreateDbContextAsync(claim.Token);
        var version = await heads.GetAsync(db, batch.ModelId, batch.Version, claim.Token)
            ?? throw new VersionUnavailableException($"The model has no version {batch.Version} any more.");
        var atOnce = version.Features is WordFeatures ? TextsAtOnce : AtOnce;
        for (var after = -1; ;)
        {
            // What a twin or an earlier start has answered is left out.
            var items = await db.BatchItems.Where(i => i.BatchId == batch.Id && i.Position > after && i.Answer == null)
                .OrderBy(i => i.Position).Take(atOnce).ToListAsync(claim.Token);
            if (items.Count == 0)
            {
                return;
            }

            await claim.WriteAsync(items, await answering.AnswerAsync(version, items, claim.Token));
            after = items[^1].Position;
        }
    }

    private async Task EndAsync(BatchClaim claim, BatchState state, string? error)
    {
        if (await claim.EndAsync(state, error))
        {
            Log.Ended(log, claim.Batch.Id, state, error);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Batch {Batch} ended: {State} {Error}")]
        public static partial void Ended(ILogger log, Guid batch, BatchState state, string? error);

        [LoggerMessage(Level = LogLevel.Information, Message = "Batch {Batch} is not running any more; its work stops")]
        public static partial void Left(ILogger log, Guid batch);
    }
}
