using Headstart.Data;
using Headstart.Images;
using Headstart.Models;
using Headstart.Operations;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Imports;

/// <summary>
/// The work on an import, kept alive by a heartbeat. A worker that was not heard of for a while is taken for dead and another one begins where it
/// was. If it was only slow there are two: files are taken in their order, by a transaction that also moves the mark, and only from where
/// the mark is; the twin that comes second to a place finds it moved and leaves.
/// </summary>
internal sealed class ImportClaim : IAsyncDisposable
{
    private readonly IDbContextFactory<HeadstartDb> _databases;
    private readonly TimeProvider _clock;
    private readonly Heartbeat _heartbeat;
    private readonly long _begun;
    private int _done;

    private ImportClaim(IDbContextFactory<HeadstartDb> databases, Import import, TimeProvider clock, CancellationToken stopping)
    {
        (_databases, Import, _clock, _begun, _done) = (databases, import, clock, clock.GetTimestamp(), import.Done);
        _heartbeat = new(BeatAsync, clock, TimeSpan.MaxValue, stopping);
    }

    public Import Import { get; }

    /// <summary>Cancelled when the work should stop: the import was cancelled, deleted or ended, a twin is ahead, or the host stops.</summary>
    public CancellationToken Token => _heartbeat.Token;

    /// <summary>Null when there is nothing to do: the import has ended or is in good hands.</summary>
    public static async Task<ImportClaim?> TakeAsync(IDbContextFactory<HeadstartDb> databases, Guid id, TimeProvider clock, CancellationToken stopping)
    {
        await using var db = await databases.CreateDbContextAsync(stopping);
        var claimed = await db.Database.ExecuteSqlAsync($"""
            UPDATE imports SET state = 'Running', updated_at = now(), started_at = coalesce(started_at, now()), attempts = attempts + 1
            WHERE id = {id} AND (state = 'Queued' OR (state = 'Running' AND updated_at < now() - {Heartbeat.Silence}))
            """, stopping);
        return claimed == 1 && await db.Imports.AsNoTracking().SingleOrDefaultAsync(i => i.Id == id, stopping) is { } import
            ? new(databases, import, clock, stopping)
            : null;
    }

    /// <summary>
    /// Takes files into the model and moves the mark behind them, both or neither: if the process dies before the commit they are taken anew, and
    /// after it never again.
    /// </summary>
    public async Task WriteAsync(HeadstartDb db, Model model, IReadOnlyList<CheckedFile> files)
    {
        await using var transaction = await db.Database.BeginTransactionAsync();
        // The model before the import: so does whoever deletes the model, and one of the two waits here instead of both.
        await db.HoldModelAsync(model.Id);
        if (await db.Database.ExecuteSqlAsync($"UPDATE imports SET updated_at = now() WHERE id = {Import.Id} AND state = 'Running' AND done = {_done}") == 0)
        {
            await _heartbeat.StopAsync();
            return;
        }

        var (taken, _) = await new ImageBatch(db, model, files, confirmed: false).StoreAsync(_clock.Now());
        await RejectAsync(db, taken);
        var (accepted, there) = (taken.Where(t => t.Image is not null).ToList(), taken.Count(t => t.AlreadyThere));
        var bytes = accepted.Sum(t => (long)t.Image!.Bytes);
        var left = Math.Ceiling(_clock.GetElapsedTime(_begun).TotalSeconds / (_done + files.Count - Import.Done) * (Import.Total - _done - files.Count));
        await db.Database.ExecuteSqlAsync($"""
            UPDATE imports SET done = done + {files.Count}, accepted = accepted + {accepted.Count}, already_there = already_there + {there},
                rejected = rejected + {files.Count - accepted.Count}, bytes = bytes + {bytes}, attempts = 0, seconds_left = {left}
            WHERE id = {Import.Id}
            """);
        await transaction.CommitAsync();
        _done += files.Count;
    }

    /// <summary>Ends the import once: a twin or a cancel that was faster stays as it is. It has not succeeded while the mark is not at its end.</summary>
    public async Task<bool> EndAsync(ImportState state, string? error)
    {
        await using var db = await _databases.CreateDbContextAsync();
        return await db.Imports.Where(i => i.Id == Import.Id && i.State == ImportState.Running && (state != ImportState.Succeeded || i.Done == i.Total))
            .ExecuteUpdateAsync(set => set.SetProperty(i => i.State, state).SetProperty(i => i.Error, error)
                .SetProperty(i => i.SecondsLeft, (double?)null).SetProperty(i => i.FinishedAt, _clock.Now())) == 1;
    }

    /// <summary>
    /// Gives the import back because the host stops; the next worker goes on at once. If we die before this it does so after <see cref="Heartbeat.Silence"/>.
    /// </summary>
    /// <param name="later">It waits for half a minute, as what the work needs is away.</param>
    public async Task ReleaseAsync(bool later = false)
    {
        await using var db = await _databases.CreateDbContextAsync();
        await db.Imports.Where(i => i.Id == Import.Id && i.State == ImportState.Running).ExecuteUpdateAsync(set => set
            .SetProperty(i => i.State, ImportState.Queued).SetProperty(i => i.Attempts, i => Math.Max(0, i.Attempts - 1))
            .SetProperty(i => i.EnqueuedAt, later ? _clock.Now() : DateTime.UnixEpoch));
    }

    public ValueTask DisposeAsync() => _heartbeat.DisposeAsync();

    private Task RejectAsync(HeadstartDb db, List<TakenFile> taken)
    {
        var rejected = taken.Index().Where(t => t.Item.Rejected is not null).Select(t => (Position: _done + t.Index, File: t.Item.Rejected!)).ToList();
        return rejected.Count == 0 ? Task.CompletedTask : db.Database.ExecuteSqlAsync($"""
            INSERT INTO import_rejections (import_id, position, file_name, reason, detail)
            SELECT {Import.Id}, position, file_name, reason, detail
            FROM unnest({rejected.ConvertAll(r => r.Position)}, {rejected.ConvertAll(r => r.File.FileName ?? "")}, {rejected.ConvertAll(r => r.File.Reason)},
                {rejected.ConvertAll(r => r.File.Detail)}) AS new (position, file_name, reason, detail)
            """);
    }

    private async Task<bool> BeatAsync()
    {
        await using var db = await _databases.CreateDbContextAsync();
        return await db.Database.ExecuteSqlAsync($"UPDATE imports SET updated_at = now() WHERE id = {Import.Id} AND state = 'Running'") == 1;
    }
}
