using Headstart.Data;
using Headstart.Jobs;
using Headstart.Training;
using Headstart.Uploads.Storing;
using Microsoft.EntityFrameworkCore;

namespace Headstart.ImageSearches;

/// <summary>
/// Searches, downloads, sifts and adds images and starts a training run; each step continues where an earlier worker stopped.
/// </summary>
internal sealed class SearchJob(
    IDbContextFactory<HeadstartDb> databases, IEnumerable<IImageSource> sources, CandidateFetching fetching, CandidateSifting sifting,
    ImageUpload upload, RunStart runs) : IJob
{
    public static readonly JobKind Kind = new("searches", "image_searches", "image search", "The images found so far are in its "
        + "candidates.")
    { AtOnce = 3 };

    private const int FetchedAtOnce = 16; // candidates between two writes, which are repeated if the process dies between them

    public async Task<JobEnd?> RunAsync(JobLease lease)
    {
        await using var db = await databases.CreateDbContextAsync(lease.Token);
        if (await db.ImageSearches.AsNoTracking().SingleOrDefaultAsync(s => s.Id == lease.Id, lease.Token) is not { } search)
        {
            return null; // deleted
        }

        var work = new SearchWork(databases, lease, search);
        if (!search.Accepted)
        {
            await SearchAsync(work);
            await FetchAsync(work);
            await work.EnterAsync(SearchStage.Sifting);
            await sifting.SiftAsync(work);
            if (search.Review)
            {
                return JobEnd.Reviewing;
            }
        }

        await AddAsync(work);
        return await TrainAsync(work);
    }

    private async Task SearchAsync(SearchWork work)
    {
        await work.EnterAsync(SearchStage.Searching);
        var search = work.Search;
        foreach (var query in search.Queries.Where(q => !search.Searched.Contains(q.Category)))
        {
            var (found, notices) = await new CandidateSearch(sources.Where(source => search.Sources.Contains(source.Name)), search.Licences)
                .FindAsync(query.Words, search.PerCategory, work.Token);
            await work.AddAsync(query.Category, found, notices.ConvertAll(notice => $"{query.Category}: {notice}"));
        }
    }

    private async Task FetchAsync(SearchWork work)
    {
        await work.EnterAsync(SearchStage.Fetching);
        while (await CandidatesAsync(work, CandidateState.Found, FetchedAtOnce) is { Count: > 0 } batch)
        {
            await work.MoveAsync(CandidateState.Found,
                await Task.WhenAll(batch.Select(candidate => fetching.FetchAsync(candidate, work.Token))));
        }
    }

    /// <summary>
    /// Adds images with the code of uploads, so that the same rules apply. If the process dies here, the next worker finds the added
    /// images.
    /// </summary>
    private async Task AddAsync(SearchWork work)
    {
        await work.EnterAsync(SearchStage.Adding);
        await using var db = await databases.CreateDbContextAsync(work.Token);
        var model = await db.Models.SingleAsync(m => m.Id == work.Search.ModelId, work.Token);
        var kept = await CandidatesAsync(work, CandidateState.Kept, int.MaxValue);
        foreach (var batch in kept.Chunk(FetchedAtOnce))
        {
            var answer = await upload.AddAsync(model, fetching.ReadAsync(batch), confirmed: false, work.Token);
            var there = answer.Accepted.Select(image => image.Sha256).ToHashSet();
            await work.MoveAsync(CandidateState.Kept, [.. batch.Select(c => there.Contains(Convert.ToHexStringLower(c.Sha256!))
                ? new Move(c.Position, CandidateState.Added)
                : answer.Exceeded is { } exceeded ? new Move(c.Position, CandidateState.Dropped, "quota-exceeded", exceeded.Sentence)
                : new Move(c.Position, CandidateState.Dropped, "refused", "The image was not added. "
                    + (answer.Rejected.FirstOrDefault(file => file.FileName == CandidateFetching.NameOf(c))?.Detail
                        ?? "Its file is missing from the blob store.")))]);
        }
    }

    private async Task<JobEnd?> TrainAsync(SearchWork work)
    {
        await using var db = await databases.CreateDbContextAsync(work.Token);
        if (!await db.SearchCandidates.AnyAsync(c => c.SearchId == work.Search.Id && c.State == CandidateState.Added, work.Token))
        {
            var row = await db.ImageSearches.AsNoTracking().SingleAsync(s => s.Id == work.Search.Id, work.Token);
            var dropped = await db.SearchCandidates.FirstOrDefaultAsync(c => c.SearchId == work.Search.Id && c.Detail != null, work.Token);
            return JobEnd.Failed("No image was added. " + (row.Notices.FirstOrDefault()
                ?? (dropped is null ? "The sources found none; try other search words." : "The first candidate was dropped. "
                    + $"{dropped.Detail}")));
        }

        // At most one run, however often this is repeated: its idempotency key names the search.
        try
        {
            await work.SucceedAsync(work.Search.Train
                ? (await runs.StartAsync(work.Search.ModelId, new(), $"image-search-{work.Search.Id}", work.Token)).Id : null, null);
        }
        catch (RefusedException e)
        {
            await work.SucceedAsync(null, $"No training run was started: {e.Message}");
        }

        return null;
    }

    private async Task<List<SearchCandidate>> CandidatesAsync(SearchWork work, CandidateState state, int limit)
    {
        await using var db = await databases.CreateDbContextAsync(work.Token);
        return await db.SearchCandidates.AsNoTracking().Where(c => c.SearchId == work.Search.Id && c.State == state)
            .OrderBy(c => c.Position).Take(limit).ToListAsync(work.Token);
    }
}
