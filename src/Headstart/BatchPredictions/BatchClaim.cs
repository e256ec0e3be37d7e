using Headstart.Data;
using Headstart.Models;
using Headstart.Operations;
using Microsoft.EntityFrameworkCore;

namespace Headstart.BatchPredictions;

/// <summary>
/// The work on a batch, kept alive by a heartbeat. A worker that was not heard of for a while is taken for dead and another one begins. If it was
/// only slow there are two: each item still gets its one answer, because the version is fixed, because answers are only written where there
/// is none, and because the row of the batch is locked first. Twins cost time and nothing else.
/// </summary>
internal sealed class BatchClaim : IAsyncDisposable
{
    private readonly IDbContextFactory<HeadstartDb> _databases;
    private readonly TimeProvider _clock;
    private readonly Heartbeat _heartbeat;
    private readonly long _started;
    private int _answered;

    private BatchClaim(IDbContextFactory<HeadstartDb> databases, BatchPrediction batch, TimeProvider clock, CancellationToken stopping)
    {
        (_databases, Batch, _clock, _started) = (databases, batch, clock, clock.GetTimestamp());
        _heartbeat = new(BeatAsync, clock, TimeSpan.MaxValue, stopping);
    }

    public BatchPrediction Batch { get; }

    /// <summary>Cancelled when the work should stop: the batch was cancelled, deleted or ended, or the host stops.</summary>
    public CancellationToken Token => _heartbeat.Token;

    /// <summary>Null when there is nothing to do: the batch has ended or is in good hands.</summary>
    public static async Task<BatchClaim?> TakeAsync(IDbContextFactory<HeadstartDb> databases, Guid id, TimeProvider clock, CancellationToken stopping)
    {
        await using var db = await databases.CreateDbContextAsync(stopping);
        var claimed = await db.Database.ExecuteSqlAsync($"""
            UPDATE batch_predictions SET state = 'Running', updated_at = now(), attempts = attempts + 1
            WHERE id = {id} AND (state = 'Queued' OR (state = 'Running' AND updated_at < now() - {Heartbeat.Silence}))
            """, stopping);
        return claimed == 1 && await db.BatchPredictions.SingleOrDefaultAsync(b => b.Id == id, stopping) is { } batch
            ? new(databases, batch, clock, stopping)
            : null;
    }

    /// <summary>Writes the answers of items. If the process dies before the commit they are found anew; after it they are never touched again.</summary>
    /// <exception cref="OperationCanceledException">The batch is no longer running.</exception>
    public async Task WriteAsync(IReadOnlyList<BatchItem> items, IReadOnlyList<BatchAnswer> answers)
    {
        _answered += items.Count;
        var secondsEach = _clock.GetElapsedTime(_started).TotalSeconds / _answered;
        var positions = items.Select(i => i.Position).ToArray();
        var (texts, failed) = (answers.Select(a => a.ToJson()).ToArray(), answers.Select(a => a.Error is not null).ToArray());
        await using var db = await _databases.CreateDbContextAsync(Token);
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        // The model before the batch: so does whoever deletes the model, and one of the two waits here instead of both (a row that is written twice asks
        // for its model again). Then the row before its items: twins write one after the other.
        await db.HoldModelAsync(Batch.ModelId);
        if (!await BeatAsync(db, Token))
        {
            await _heartbeat.StopAsync();
            Token.ThrowIfCancellationRequested();
        }

        await db.Database.ExecuteSqlAsync($"""
            WITH answered AS (
                UPDATE batch_items AS item SET answer = new.answer::jsonb
                FROM unnest({positions}, {texts}, {failed}) AS new (position, answer, failed)
                WHERE item.batch_id = {Batch.Id} AND item.position = new.position AND item.answer IS NULL
                RETURNING new.failed),
            counted AS (SELECT count(*) AS answers, count(*) FILTER (WHERE failed) AS failures FROM answered)
            UPDATE batch_predictions
            SET done = done + answers, failed = failed + failures, attempts = 0, seconds_left = ceil({secondsEach} * (images - done - answers))
            FROM counted WHERE id = {Batch.Id}
            """, Token);
        await transaction.CommitAsync(Token);
    }

    /// <summary>Ends the batch once: a twin or a cancel that was faster stays as it is. It has not succeeded while an item has no answer.</summary>
    public async Task<bool> EndAsync(BatchState state, string? error)
    {
        await using var db = await _databases.CreateDbContextAsync();
        return await db.BatchPredictions.Where(b => b.Id == Batch.Id && b.State == BatchState.Running)
            .Where(b => state != BatchState.Succeeded || !db.BatchItems.Any(i => i.BatchId == b.Id && i.Answer == null))
            .ExecuteUpdateAsync(set => set.SetProperty(b => b.State, state).SetProperty(b => b.Error, error)
                .SetProperty(b => b.SecondsLeft, (double?)null).SetProperty(b => b.FinishedAt, _clock.Now())) == 1;
    }

    /// <summary>
    /// Gives the batch back because the host stops; the next worker goes on at once. If we die before this it does so after <see cref="Heartbeat.Silence"/>.
    /// </summary>
    /// <param name="later">It waits for half a minute, as what the work needs is away.</param>
    public async Task ReleaseAsync(bool later = false)
    {
        await using var db = await _databases.CreateDbContextAsync();
        await db.BatchPredictions.Where(b => b.Id == Batch.Id && b.State == BatchState.Running).ExecuteUpdateAsync(set => set
            .SetProperty(b => b.State, BatchState.Queued).SetProperty(b => b.Attempts, b => Math.Max(0, b.Attempts - 1))
            .SetProperty(b => b.EnqueuedAt, later ? _clock.Now() : DateTime.UnixEpoch));
    }

    public ValueTask DisposeAsync() => _heartbeat.DisposeAsync();

    private async Task<bool> BeatAsync()
    {
        await using var db = await _databases.CreateDbContextAsync();
        return await BeatAsync(db, CancellationToken.None);
    }

    private async Task<bool> BeatAsync(HeadstartDb db, CancellationToken cancel) =>
        await db.Database.ExecuteSqlAsync($"UPDATE batch_predictions SET updated_at = now() WHERE id = {Batch.Id} AND state = 'Running'", cancel) == 1;
}
