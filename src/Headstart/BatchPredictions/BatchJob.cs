using Headstart.Data;
using Headstart.Jobs;
using Headstart.Versions;
using Microsoft.EntityFrameworkCore;

namespace Headstart.BatchPredictions;

/// <summary>
/// Predicts a batch, starting at its first item without a prediction. Each item gets exactly one prediction, whichever worker computes it:
/// the version is fixed, and predictions are never overwritten.
/// </summary>
internal sealed class BatchJob(IDbContextFactory<HeadstartDb> databases, ServableVersions versions, BatchAnswering answering,
    TimeProvider clock) : IJob
{
    public static readonly JobKind Kind = new("batches", "batch_predictions", "batch", "The predictions so far are in the results.");

    private const int AtOnce = 64, TextsAtOnce = 1_024; // items between two writes, which are repeated if the process dies between them

    public async Task<JobEnd?> RunAsync(JobLease lease)
    {
        await using var db = await databases.CreateDbContextAsync(lease.Token);
        if (await db.BatchPredictions.AsNoTracking().SingleOrDefaultAsync(b => b.Id == lease.Id, lease.Token) is not { } batch)
        {
            return null; // deleted
        }

        if (await versions.LoadAsync(batch.ModelId, batch.Version, lease.Token) is not { } version)
        {
            return JobEnd.Failed($"Version {batch.Version} of the model was deleted.");
        }

        await AnswerAsync(db, lease, version);
        return JobEnd.Succeeded;
    }

    private async Task AnswerAsync(HeadstartDb db, JobLease lease, ServedVersion version)
    {
        var (answered, started) = (0, clock.GetTimestamp());
        for (var after = -1; ;)
        {
            // Skip what an earlier worker has predicted.
            var items = await db.BatchItems.AsNoTracking().Where(i => i.BatchId == lease.Id && i.Position > after && i.Answer == null)
                .OrderBy(i => i.Position).Take(version.ReadsTexts ? TextsAtOnce : AtOnce).ToListAsync(lease.Token);
            if (items.Count == 0)
            {
                return;
            }

            var answers = await answering.AnswerAsync(version, items, lease.Token);
            answered += items.Count;
            await WriteAsync(lease, items, answers, clock.GetElapsedTime(started).TotalSeconds / answered);
            after = items[^1].Position;
        }
    }

    /// <summary>If the process dies before the commit, the predictions are computed again; after it they never change.</summary>
    private async Task WriteAsync(JobLease lease, List<BatchItem> items, IReadOnlyList<BatchAnswer> answers, double secondsEach)
    {
        var positions = items.Select(i => i.Position).ToArray();
        var (texts, failed) = (answers.Select(a => a.ToJson()).ToArray(), answers.Select(a => a.Error is not null).ToArray());
        await using var db = await databases.CreateDbContextAsync(lease.Token);
        await using var transaction = await db.Database.BeginTransactionAsync(lease.Token);
        await db.HoldModelAsync(lease.ModelId); // writing a row twice locks its model again
        await lease.HoldAsync(db);
        await db.Database.ExecuteSqlAsync($"""
            WITH answered AS (
                UPDATE batch_items AS item SET answer = new.answer::jsonb
                FROM unnest({positions}, {texts}, {failed}) AS new (position, answer, failed)
                WHERE item.batch_id = {lease.Id} AND item.position = new.position AND item.answer IS NULL
                RETURNING new.failed),
            counted AS (SELECT count(*) AS answers, count(*) FILTER (WHERE failed) AS failures FROM answered)
            UPDATE batch_predictions
            SET done = done + answers, failed = failed + failures, seconds_left = ceil({secondsEach} * (images - done - answers))
            FROM counted WHERE id = {lease.Id}
            """, lease.Token);
        await transaction.CommitAsync(lease.Token);
    }
}
