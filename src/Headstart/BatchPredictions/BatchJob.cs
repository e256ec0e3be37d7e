using Headstart.Data;
using Headstart.Jobs;
using Headstart.Learning.Heads;
using Headstart.Versions;
using Microsoft.EntityFrameworkCore;

namespace Headstart.BatchPredictions;

/// <summary>
/// Answers a batch from its first item without an answer to its end. Each item gets one answer, whoever finds it: the version is fixed, and answers are only
/// written where there is none.
/// </summary>
internal sealed class BatchJob(IDbContextFactory<HeadstartDb> databases, HeadCache heads, BatchAnswering answering, TimeProvider clock) : IJob
{
    public static readonly JobKind Kind = new("batches", "batch_predictions", "batch", "What was answered until then is in the results.");

    private const int AtOnce = 64, TextsAtOnce = 1_024; // items between two writes: what is repeated if we die between them

    public async Task<JobEnd?> RunAsync(JobLease lease)
    {
        await using var db = await databases.CreateDbContextAsync(lease.Token);
        if (await db.BatchPredictions.AsNoTracking().SingleOrDefaultAsync(b => b.Id == lease.Id, lease.Token) is not { } batch)
        {
            return null; // deleted
        }

        try
        {
            if (await heads.GetAsync(db, batch.ModelId, batch.Version, lease.Token) is not { } version)
            {
                return JobEnd.Failed($"The model has no version {batch.Version} any more.");
            }

            await AnswerAsync(db, lease, version);
            return JobEnd.Succeeded;
        }
        catch (Exception e) when (e is VersionUnavailableException or HeadArtifactException)
        {
            return JobEnd.Failed(e.Message);
        }
    }

    private async Task AnswerAsync(HeadstartDb db, JobLease lease, ServedVersion version)
    {
        var (answered, started) = (0, clock.GetTimestamp());
        for (var after = -1; ;)
        {
            // What an earlier worker has answered is left out.
            var items = await db.BatchItems.AsNoTracking().Where(i => i.BatchId == lease.Id && i.Position > after && i.Answer == null)
                .OrderBy(i => i.Position).Take(version.Features is WordFeatures ? TextsAtOnce : AtOnce).ToListAsync(lease.Token);
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

    /// <summary>If the process dies before the commit the answers are found anew; after it they are never touched again.</summary>
    private async Task WriteAsync(JobLease lease, List<BatchItem> items, IReadOnlyList<BatchAnswer> answers, double secondsEach)
    {
        var positions = items.Select(i => i.Position).ToArray();
        var (texts, failed) = (answers.Select(a => a.ToJson()).ToArray(), answers.Select(a => a.Error is not null).ToArray());
        await using var db = await databases.CreateDbContextAsync(lease.Token);
        await using var transaction = await db.Database.BeginTransactionAsync(lease.Token);
        await db.HoldModelAsync(lease.ModelId); // a row that is written twice asks for its model again
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
