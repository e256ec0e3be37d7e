using Hangfire;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Fetching;
using Headstart.Images;
using Headstart.Learning.Imaging;
using Headstart.Operations;
using Headstart.Training;
using Microsoft.EntityFrameworkCore;

namespace Headstart.ImageSearches;

/// <summary>
/// Searches, fetches, sifts, adds and starts a training run, each from where an earlier worker ended. May be started twice and die anywhere, see
/// <see cref="SearchClaim"/>.
/// </summary>
public sealed partial class SearchJob(
    IDbContextFactory<HeadstartDb> databases, IEnumerable<IImageSource> sources, WebFetcher web, IBlobStore blobs, CandidateSifting sifting, ImageUpload upload,
    RunStart runs, Settings settings, TimeProvider clock, ILogger<SearchJob> log)
{
    public const string Queue = "searches";

    private const int MaxAttempts = 5;
    private const int FetchedAtOnce = 16; // candidates between two writes: what is repeated if we die between them

    [Queue(Queue), AutomaticRetry(Attempts = 0)] // the sweep wakes lost searches; a retry here would only be a twin
    public async Task RunAsync(Guid searchId, CancellationToken stopping)
    {
        await using var claim = await SearchClaim.TakeAsync(databases, searchId, clock, stopping);
        if (claim is null)
        {
            return;
        }

        try
        {
            if (claim.Search.Attempts > MaxAttempts)
            {
                await EndAsync(claim, SearchState.Failed, $"The search was started {MaxAttempts} times at the same place and its worker died each time; "
                    + "the log of the host may say why. What was found until then is in its candidates.");
                return;
            }

            await WorkAsync(claim);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            await claim.ReleaseAsync();
        }
        catch (OperationCanceledException) when (claim.Token.IsCancellationRequested)
        {
            Log.Left(log, searchId); // cancelled, deleted, or ended by a twin
        }
        catch (Exception e) when (ExceptionProblems.Describe(e) is var (status, type, detail))
        {
            JobFailures.Note(log, "Image search", searchId, e);
            // While the database is away the search stays claimed; the sweep wakes it when nothing was heard of it for a while.
            if (type == ExceptionProblems.BlobStoreAway)
            {
                await claim.ReleaseAsync(later: true); // costs no attempt: there may be many until the store is back
            }
            else if (status != StatusCodes.Status503ServiceUnavailable)
            {
                await EndAsync(claim, SearchState.Failed, status == StatusCodes.Status507InsufficientStorage ? detail
                    : "The search ended in an unexpected error, which is in the log of the host. What was found until then is in its candidates.");
            }
        }
    }

    private async Task WorkAsync(SearchClaim claim)
    {
        if (!claim.Search.Accepted)
        {
            await SearchAsync(claim);
            await FetchAsync(claim);
            await claim.EnterAsync(SearchStage.Sifting);
            await sifting.SiftAsync(claim);
            if (claim.Search.Review)
            {
                await EndAsync(claim, SearchState.Reviewing, null);
                return;
            }
        }

        await AddAsync(claim);
        await TrainAsync(claim);
    }

    private async Task SearchAsync(SearchClaim claim)
    {
        await claim.EnterAsync(SearchStage.Searching);
        var search = claim.Search;
        foreach (var query in search.Queries.Where(q => !search.Searched.Contains(q.Category)))
        {
            var (found, notices) = await new CandidateSearch(sources.Where(source => search.Sources.Contains(source.Name)), search.Licences)
                .FindAsync(query.Words, search.PerCategory, claim.Token);
            await claim.AddAsync(query.Category, found, notices.ConvertAll(notice => $"{query.Category}: {notice}"));
        }
    }

    private async Task FetchAsync(SearchClaim claim)
    {
        await claim.EnterAsync(SearchStage.Fetching);
        var limits = new ImageLimits { MaxBytes = settings.Uploads.MaxFileBytes, MaxPixels = settings.Uploads.MaxPixels };
        while (await CandidatesAsync(claim, CandidateState.Found, FetchedAtOnce) is { Count: > 0 } batch)
        {
            await claim.MoveAsync(CandidateState.Found, await Task.WhenAll(batch.Select(candidate => FetchAsync(candidate, limits, claim.Token))));
        }
    }

    private async Task<Move> FetchAsync(SearchCandidate candidate, ImageLimits limits, CancellationToken cancel)
    {
        var file = await web.FetchAsync(candidate.Origin.Url, settings.Uploads.MaxFileBytes, cancel);
        if (file.Bytes is not { } bytes)
        {
            return new(candidate.Position, CandidateState.Dropped, file.Reason, file.Detail);
        }

        return await Task.Run(() => ImageReader.Check(bytes, limits, out _), cancel) is { } refusal
            ? new(candidate.Position, CandidateState.Dropped, refusal.Reason, refusal.Detail)
            : new(candidate.Position, CandidateState.Fetched, Sha256: await blobs.PutAsync(bytes, cancel));
    }

    /// <summary>Through the same door as uploads, so that the same rules hold. Dying here leaves images that are found there by the next worker.</summary>
    private async Task AddAsync(SearchClaim claim)
    {
        await claim.EnterAsync(SearchStage.Adding);
        await using var db = await databases.CreateDbContextAsync(claim.Token);
        var model = await db.Models.SingleAsync(m => m.Id == claim.Search.ModelId, claim.Token);
        var kept = await CandidatesAsync(claim, CandidateState.Kept, int.MaxValue);
        foreach (var batch in kept.Chunk(FetchedAtOnce))
        {
            var answer = await upload.AddAsync(model, ReadAsync(batch), confirmed: false, claim.Token);
            var there = answer.Accepted.Select(image => image.Sha256).ToHashSet();
            await claim.MoveAsync(CandidateState.Kept, [.. batch.Select(c => there.Contains(Convert.ToHexStringLower(c.Sha256!))
                ? new Move(c.Position, CandidateState.Added)
                : answer.Exceeded is { } exceeded ? new Move(c.Position, CandidateState.Dropped, "quota-exceeded", exceeded.Sentence)
                : new Move(c.Position, CandidateState.Dropped, "refused", "The model did not take the image: it has it in another category, or the category is gone."))]);
        }
    }

    private async IAsyncEnumerable<UploadedFile> ReadAsync(IEnumerable<SearchCandidate> candidates)
    {
        foreach (var candidate in candidates)
        {
            if (await blobs.GetAsync(candidate.Sha256!, CancellationToken.None) is { } bytes)
            {
                yield return new(candidate.Origin.Title ?? candidate.Origin.Url, [candidate.Category], bytes, Origin: candidate.Origin);
            }
        }
    }

    private async Task TrainAsync(SearchClaim claim)
    {
        await using var db = await databases.CreateDbContextAsync(claim.Token);
        if (!await db.SearchCandidates.AnyAsync(c => c.SearchId == claim.Search.Id && c.State == CandidateState.Added, claim.Token))
        {
            var (row, dropped) = (await db.ImageSearches.AsNoTracking().SingleAsync(s => s.Id == claim.Search.Id, claim.Token),
                await db.SearchCandidates.FirstOrDefaultAsync(c => c.SearchId == claim.Search.Id && c.Detail != null, claim.Token));
            await EndAsync(claim, SearchState.Failed, "No image was added. " + (row.Notices.FirstOrDefault()
                ?? (dropped is null ? "The sources know none; try other words." : $"The first one was left out because: {dropped.Detail}")));
            return;
        }

        // One run, however often this is repeated: its key is that of the search.
        var (run, refusal) = claim.Search.Train ? await runs.StartAsync(claim.Search.ModelId, new(), $"image-search-{claim.Search.Id}", claim.Token) : default;
        await claim.EndAsync(SearchState.Succeeded, run: run?.Id, notice: refusal is null ? null : $"No training run was started: {refusal.ProblemDetails.Detail}");
        Log.Ended(log, claim.Search.Id, SearchState.Succeeded, null);
    }

    private async Task<List<SearchCandidate>> CandidatesAsync(SearchClaim claim, CandidateState state, int limit)
    {
        await using var db = await databases.CreateDbContextAsync(claim.Token);
        return await db.SearchCandidates.AsNoTracking().Where(c => c.SearchId == claim.Search.Id && c.State == state)
            .OrderBy(c => c.Position).Take(limit).ToListAsync(claim.Token);
    }

    private async Task EndAsync(SearchClaim claim, SearchState state, string? error)
    {
        if (await claim.EndAsync(state, error))
        {
            Log.Ended(log, claim.Search.Id, state, error);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Image search {Search} is now {State} {Error}")]
        public static partial void Ended(ILogger log, Guid search, SearchState state, string? error);

        [LoggerMessage(Level = LogLevel.Information, Message = "Image search {Search} is not running any more; its work stops")]
        public static partial void Left(ILogger log, Guid search);
    }
}
