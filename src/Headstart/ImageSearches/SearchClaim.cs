using System.Text.Json;
using Headstart.Data;
using Headstart.Images;
using Headstart.Models;
using Headstart.Operations;
using Microsoft.EntityFrameworkCore;

namespace Headstart.ImageSearches;

/// <summary>
/// The work on a search, kept alive by a heartbeat. A worker that was not heard of for a while is taken for dead and another one begins. If it was only
/// slow there are two: the row of the search is locked before a candidate changes, and a candidate only moves on from the state it was
/// seen in, so twins cost time and nothing else.
/// </summary>
internal sealed class SearchClaim : IAsyncDisposable
{
    private readonly IDbContextFactory<HeadstartDb> _databases;
    private readonly TimeProvider _clock;
    private readonly Heartbeat _heartbeat;

    private SearchClaim(IDbContextFactory<HeadstartDb> databases, ImageSearch search, TimeProvider clock, CancellationToken stopping)
    {
        (_databases, Search, _clock) = (databases, search, clock);
        _heartbeat = new(BeatAsync, clock, TimeSpan.MaxValue, stopping);
    }

    /// <summary>As it was when the work began.</summary>
    public ImageSearch Search { get; }

    /// <summary>Cancelled when the work should stop: the search was cancelled, deleted or ended, or the host stops.</summary>
    public CancellationToken Token => _heartbeat.Token;

    /// <summary>Null when there is nothing to do: the search has ended, waits for a person, or is in good hands.</summary>
    public static async Task<SearchClaim?> TakeAsync(IDbContextFactory<HeadstartDb> databases, Guid id, TimeProvider clock, CancellationToken stopping)
    {
        await using var db = await databases.CreateDbContextAsync(stopping);
        var claimed = await db.Database.ExecuteSqlAsync($"""
            UPDATE image_searches SET state = 'Running', updated_at = now(), attempts = attempts + 1
            WHERE id = {id} AND (state = 'Queued' OR (state = 'Running' AND updated_at < now() - {Heartbeat.Silence}))
            """, stopping);
        return claimed == 1 && await db.ImageSearches.AsNoTracking().SingleOrDefaultAsync(s => s.Id == id, stopping) is { } search
            ? new(databases, search, clock, stopping)
            : null;
    }

    public Task EnterAsync(SearchStage stage) => WithRowAsync(db => db.ImageSearches.Where(s => s.Id == Search.Id)
        .ExecuteUpdateAsync(set => set.SetProperty(s => s.Stage, stage)));

    /// <summary>Writes down what was found for a category, whole, so that the next start need not ask again.</summary>
    public Task AddAsync(string category, IReadOnlyList<ImageOrigin> found, IReadOnlyList<string> notices) => WithRowAsync(db => db.Database.ExecuteSqlAsync($"""
        WITH marked AS (
            UPDATE image_searches SET searched = array_append(searched, {category}), notices = notices || {notices.ToArray()}, attempts = 0
            WHERE id = {Search.Id} AND NOT {category} = ANY(searched) RETURNING id)
        INSERT INTO search_candidates (search_id, position, category, origin, state)
        SELECT marked.id, place - 1 + (SELECT count(*) FROM search_candidates WHERE search_id = {Search.Id}), {category}, origin::jsonb, 'Found'
        FROM marked, unnest({found.Select(origin => JsonSerializer.Serialize(origin)).ToArray()}) WITH ORDINALITY AS new (origin, place)
        """));

    /// <summary>Moves candidates on. Those that a twin or a person has moved meanwhile stay where they are.</summary>
    /// <param name="from">The state that they were seen in.</param>
    /// <param name="moves">Where to, and why.</param>
    public Task MoveAsync(CandidateState from, IReadOnlyList<Move> moves) => WithRowAsync(db => db.Database.ExecuteSqlAsync($"""
        WITH alive AS (UPDATE image_searches SET attempts = 0 WHERE id = {Search.Id})
        UPDATE search_candidates AS candidate SET state = new.state, reason = new.reason, detail = new.detail, sha256 = coalesce(new.sha256, candidate.sha256)
        FROM unnest({moves.Select(m => m.Position).ToArray()}, {moves.Select(m => m.State.ToString()).ToArray()}, {moves.Select(m => m.Reason).ToArray()},
            {moves.Select(m => m.Detail).ToArray()}, {moves.Select(m => m.Sha256).ToArray()}) AS new (position, state, reason, detail, sha256)
        WHERE candidate.search_id = {Search.Id} AND candidate.position = new.position AND candidate.state = {from.ToString()}
        """));

    /// <summary>Ends the work, once: a twin or a cancel that was faster stays as it is.</summary>
    public async Task<bool> EndAsync(SearchState state, string? error = null, Guid? run = null, string? notice = null)
    {
        await using var db = await _databases.CreateDbContextAsync();
        var finished = state == SearchState.Reviewing ? (DateTime?)null : _clock.Now();
        string[] notices = notice is null ? [] : [notice];
        return await db.Database.ExecuteSqlAsync($"""
            UPDATE image_searches SET state = {state.ToString()}, error = {error}, run_id = {run}, finished_at = {finished}, notices = notices || {notices}
            WHERE id = {Search.Id} AND state = 'Running'
            """) == 1;
    }

    /// <summary>
    /// Gives the search back because the host stops; the next worker goes on at once. If we die before this it does so after <see cref="Heartbeat.Silence"/>.
    /// </summary>
    /// <param name="later">It waits for half a minute, as what the work needs is away.</param>
    public async Task ReleaseAsync(bool later = false)
    {
        await using var db = await _databases.CreateDbContextAsync();
        await db.ImageSearches.Where(s => s.Id == Search.Id && s.State == SearchState.Running).ExecuteUpdateAsync(set => set
            .SetProperty(s => s.State, SearchState.Queued).SetProperty(s => s.Attempts, s => Math.Max(0, s.Attempts - 1))
            .SetProperty(s => s.EnqueuedAt, later ? _clock.Now() : DateTime.UnixEpoch));
    }

    public ValueTask DisposeAsync() => _heartbeat.DisposeAsync();

    private async Task WithRowAsync(Func<HeadstartDb, Task<int>> write)
    {
        await using var db = await _databases.CreateDbContextAsync(Token);
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        await db.HoldModelAsync(Search.ModelId); // before the search, as whoever deletes the model does
        if (!await BeatAsync(db))
        {
            await _heartbeat.StopAsync();
            Token.ThrowIfCancellationRequested();
        }

        await write(db);
        await transaction.CommitAsync(Token);
    }

    private async Task<bool> BeatAsync()
    {
        await using var db = await _databases.CreateDbContextAsync();
        return await BeatAsync(db);
    }

    private async Task<bool> BeatAsync(HeadstartDb db) =>
        await db.Database.ExecuteSqlAsync($"UPDATE image_searches SET updated_at = now() WHERE id = {Search.Id} AND state = 'Running'") == 1;
}

/// <summary>What becomes of a candidate.</summary>
/// <param name="Reason">Of one that is dropped.</param>
/// <param name="Sha256">Of one that was fetched.</param>
internal sealed record Move(int Position, CandidateState State, string? Reason = null, string? Detail = null, byte[]? Sha256 = null);
