using System.Text.Json;
using Headstart.Data;
using Headstart.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Headstart.ImageSearches;

/// <summary>A search under a worker's lease, and its changes: a candidate only moves on from the state in which it was read.</summary>
internal sealed class SearchWork(IDbContextFactory<HeadstartDb> databases, JobLease lease, ImageSearch search)
{
    /// <summary>The search as it was when the work began.</summary>
    public ImageSearch Search => search;

    public CancellationToken Token => lease.Token;

    public Task EnterAsync(SearchStage stage) => WriteAsync(db => db.ImageSearches.Where(s => s.Id == search.Id)
        .ExecuteUpdateAsync(set => set.SetProperty(s => s.Stage, stage)), progressed: false);

    /// <summary>Stores everything found for a category, so that a restart does not search again.</summary>
    public Task AddAsync(string category, IReadOnlyList<ImageOrigin> found, IReadOnlyList<string> notices) => WriteAsync(db => db.Database.ExecuteSqlAsync($"""
        WITH marked AS (
            UPDATE image_searches SET searched = array_append(searched, {category}), notices = notices || {notices.ToArray()}
            WHERE id = {search.Id} AND NOT {category} = ANY(searched) RETURNING id)
        INSERT INTO search_candidates (search_id, position, category, origin, state)
        SELECT marked.id, place - 1 + (SELECT count(*) FROM search_candidates WHERE search_id = {search.Id}), {category}, origin::jsonb, 'Found'
        FROM marked, unnest({found.Select(origin => JsonSerializer.Serialize(origin)).ToArray()}) WITH ORDINALITY AS new (origin, place)
        """));

    /// <summary>Moves candidates to another state, except those that a user has moved meanwhile.</summary>
    /// <param name="from">The state in which they were read.</param>
    /// <param name="moves">The new states, with reasons.</param>
    public Task MoveAsync(CandidateState from, IReadOnlyList<Move> moves) => WriteAsync(db => db.Database.ExecuteSqlAsync($"""
        UPDATE search_candidates AS candidate SET state = new.state, reason = new.reason, detail = new.detail, sha256 = coalesce(new.sha256, candidate.sha256)
        FROM unnest({moves.Select(m => m.Position).ToArray()}, {moves.Select(m => m.State.ToString()).ToArray()}, {moves.Select(m => m.Reason).ToArray()},
            {moves.Select(m => m.Detail).ToArray()}, {moves.Select(m => m.Sha256).ToArray()}) AS new (position, state, reason, detail, sha256)
        WHERE candidate.search_id = {search.Id} AND candidate.position = new.position AND candidate.state = {from.ToString()}
        """));

    /// <summary>Ends the search with the run it started, or with the reason why it started none.</summary>
    public Task SucceedAsync(Guid? run, string? notice) => WriteAsync(async db =>
    {
        await db.Database.ExecuteSqlAsync($"""
            UPDATE image_searches SET run_id = {run}, notices = CASE WHEN {notice}::text IS NULL THEN notices ELSE array_append(notices, {notice}) END WHERE id = {search.Id}
            """);
        await lease.EndAsync(db, JobEnd.Succeeded);
    });

    private async Task WriteAsync(Func<HeadstartDb, Task> write, bool progressed = true)
    {
        await using var db = await databases.CreateDbContextAsync(Token);
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        await db.HoldModelAsync(search.ModelId);
        await lease.HoldAsync(db, progressed);
        await write(db);
        await transaction.CommitAsync(Token);
    }
}

/// <summary>The new state of a candidate.</summary>
/// <param name="Reason">Why it was dropped.</param>
/// <param name="Sha256">SHA-256 of a downloaded file.</param>
internal sealed record Move(int Position, CandidateState State, string? Reason = null, string? Detail = null, byte[]? Sha256 = null);
