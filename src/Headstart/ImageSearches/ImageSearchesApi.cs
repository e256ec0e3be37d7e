using System.ComponentModel;
using System.Security.Claims;
using Headstart.Access;
using Headstart.Data;
using Headstart.Jobs;
using Headstart.Uploads;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace Headstart.ImageSearches;

public static class ImageSearchesApi
{
    private const int Thumbnail = 256;

    private static readonly ModelJobs<ImageSearch, SearchView, SearchResponse> Jobs = new(SearchJob.Kind, "image search", "image-searches",
        (db, searches) => SearchView.Of(searches, db), view => view.Respond());

    public static void MapImageSearches(this RouteGroupBuilder api)
    {
        var searches = api.MapGroup("/models/{id:guid}/image-searches").WithTags("Image searches").ForImages("send your own texts to "
            + "{0}/texts");
        searches.MapPost("/", Start).Named("startImageSearch", "Search the web for images",
                "Searches openly licensed images for each category, removes duplicates and poor matches, adds the rest to the model "
                + "with author, licence and source page, and starts a training run. With review, the search waits for your approval "
                + "before adding images.")
            .Example("""{"queries":{"cats":"domestic cat","dogs":"dog"},"perCategory":60,"train":true}""").Refuses(400, 401, 404, 422);
        searches.MapGet("/", Jobs.ListAsync).Named("listImageSearches", "List the image searches", "Newest first.").Refuses(400, 401, 404);
        searches.MapGet("/{searchId:guid}", ([AsParameters] ModelJobsCall call, Guid searchId) => Jobs.GetAsync(call, searchId))
            .Named("getImageSearch", "Get an image search", "Its state, and the number of images "
            + "found, downloaded, kept and added per category.").Refuses(401, 404);
        searches.MapGet("/{searchId:guid}/events", ([AsParameters] ModelJobsCall call, Guid searchId) => Jobs.EventsAsync(call, searchId))
            .Named("watchImageSearch", "Watch an image search",
                "Server-sent events, each the search's current state; the stream ends when the search ends or waits for review.")
            .Produces<SearchResponse>(200, "text/event-stream").Refuses(401, 404);
        searches.MapPost("/{searchId:guid}/accept", Accept).Named("acceptImageSearch", "Accept the images of a search",
            "Ends the review and adds the kept images to the model.").Refuses(401, 404, 409);
        searches.MapPost("/{searchId:guid}/cancel", ([AsParameters] ModelJobsCall call, Guid searchId) => Jobs.CancelAsync(call, searchId))
            .Named("cancelImageSearch", "Cancel an image search",
            "It stops within a few seconds; images added so far stay. Cancelling a finished search changes nothing.").Refuses(401, 404);
        searches.MapGet("/{searchId:guid}/candidates", Candidates).Named("listSearchCandidates", "List the candidates of a search",
            "In the order found, with author, licence and source page; filter with ?state= and ?category=.").Refuses(400, 401, 404);
        searches.MapGet("/{searchId:guid}/candidates/{position:int}/content", Content)
            .Named("getSearchCandidateContent", "Get a candidate's image",
            "As a JPEG that fits a square of ?size= pixels; 256 by default.").Produces<byte[]>(200, "image/jpeg")
            .Refuses(400, 401, 404, 412, 503);
        searches.MapPatch("/{searchId:guid}/candidates/{position:int}", Change).Named("changeSearchCandidate", "Reject or keep a candidate",
            "Works before the images are added; afterwards rejecting removes the image from the "
                + "model.").Example("""{"rejected":true}""").Refuses(400, 401, 404, 409);
    }

    private static async Task<Results<Accepted<SearchResponse>, ProblemHttpResult>> Start(
        Guid id, NewSearchRequest request, [FromHeader(Name = "Idempotency-Key")][Description("Sending the same key again returns the "
            + "search it started.")] string? idempotencyKey,
        [FromServices] NewSearches searches, ClaimsPrincipal caller, CancellationToken cancel)
    {
        return Jobs.Accepted((await searches.StartAsync(caller, id, request, idempotencyKey, cancel)).Respond());
    }

    private static async Task<Results<Accepted<SearchResponse>, ProblemHttpResult>> Accept(
        [AsParameters] ModelJobsCall call, Guid searchId, JobWaker waker)
    {
        var waiting = await call.Job<ImageSearch>(searchId).Where(s => s.State == JobState.Reviewing).ExecuteUpdateAsync(set => set
            .SetProperty(s => s.State, JobState.Queued).SetProperty(s => s.Accepted, true), call.Cancel);
        if (await Jobs.ViewOf(call, searchId).SingleOrDefaultAsync(call.Cancel) is not { } view)
        {
            return Jobs.NoSuchJob(call);
        }

        if (waiting == 0 && !view.Search.Accepted)
        {
            return Problems.Of(StatusCodes.Status409Conflict, "nothing-to-accept", "The search is not waiting for review. Only a search "
                + "started with review can be accepted, after it has downloaded its images.");
        }

        waker.Wake(SearchJob.Kind, searchId); // if the process dies before this, the sweep enqueues it
        return Jobs.Accepted(view.Respond());
    }

    private static async Task<Results<Ok<Page<CandidateResponse>>, ProblemHttpResult>> Candidates(
        [AsParameters] ModelJobsCall call, Guid searchId, [AsParameters] CandidateQuery query)
    {
        if (!await call.Job<ImageSearch>(searchId).AnyAsync(call.Cancel))
        {
            return Jobs.NoSuchJob(call);
        }

        var (state, category, limit, after) = query;
        var named = category is null ? null : Names.Clean(category);
        var one = CandidateState.Found;
        if (state is not null && (!Enum.TryParse(state, ignoreCase: true, out one) || !Enum.IsDefined(one) || !state.All(char.IsLetter)))
        {
            return Problems.Of(StatusCodes.Status400BadRequest, "invalid-state",
                $"state must be one of {string.Join(", ", Enum.GetNames<CandidateState>().Select(name => name.ToLowerInvariant()))}.");
        }

        var rows = call.Db.SearchCandidates.AsNoTracking()
            .Where(c => c.SearchId == searchId && (after == null || c.Position > after))
            .Where(c => (state == null || c.State == one) && (named == null || c.Category == named));
        return TypedResults.Ok(await Page.ReadAsync(rows.OrderBy(c => c.Position), limit, Of, c => $"{c.Position}", call.Cancel));
    }

    private static async Task<Results<FileContentHttpResult, StatusCodeHttpResult, ProblemHttpResult>> Content(
        [AsParameters] CandidatePath of, int? size, HttpContext http, HeadstartDb db, [FromServices] ImageContents contents,
        CancellationToken cancel) =>
        (await FindAsync(db, http.User, of, cancel) is not { Sha256: { } sha256 } ? null
            : await contents.AnswerAsync(http, sha256, "image/jpeg", size ?? Thumbnail, cancel)) ?? NoSuchCandidate(of);

    private static async Task<Results<Ok<CandidateResponse>, ProblemHttpResult>> Change(
        [AsParameters] CandidatePath of, CandidateChange change, HeadstartDb db, ClaimsPrincipal caller, CancellationToken cancel)
    {
        var (id, searchId, position) = of;
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await db.HoldModelAsync(id); // before the search, in the same order as deleting the model
        // Workers move candidates under this lock, too.
        await db.Database.ExecuteSqlAsync($"SELECT FROM image_searches WHERE id = {searchId} FOR UPDATE", cancel);
        if (await FindAsync(db, caller, of, cancel) is not { } candidate)
        {
            return NoSuchCandidate(of);
        }

        var added = candidate.State == CandidateState.Added;
        var open = await db.ImageSearches.AnyAsync(s => s.Id == searchId && s.State == JobState.Reviewing, cancel);
        var state = change.Rejected ? CandidateState.Rejected : added ? CandidateState.Added : CandidateState.Kept;
        if (!open && !added && state != candidate.State)
        {
            return Problems.Of(StatusCodes.Status409Conflict, "not-in-review", change.Rejected
                ? "The image is not in the model, so there is nothing to remove."
                : "An image can be kept only while the search is in review; upload it instead.");
        }

        if (candidate.Sha256 is null && !change.Rejected)
        {
            return Problems.Of(StatusCodes.Status409Conflict, "not-fetched", "The file of this image was not downloaded. "
                + $"{candidate.Detail}");
        }

        if (added && change.Rejected)
        {
            await db.DeleteExamplesAsync(id, i => i.Sha256 == candidate.Sha256, cancel);
        }

        await db.SearchCandidates.Where(c => c.SearchId == searchId && c.Position == position).ExecuteUpdateAsync(set => set
            .SetProperty(c => c.State, state).SetProperty(c => c.Reason, (string?)null).SetProperty(c => c.Detail, (string?)null), cancel);
        await transaction.CommitAsync(cancel);
        return TypedResults.Ok(Of((await FindAsync(db, caller, of, cancel))!));
    }

    private static CandidateResponse Of(SearchCandidate c) =>
        new(c.Position, c.Category, c.State, c.Reason, c.Detail, c.Sha256 is not null, c.Origin);

    private static IQueryable<ImageSearch> SearchesOf(HeadstartDb db, ClaimsPrincipal caller, Guid id) =>
        db.ModelsOf(caller).Where(m => m.Id == id).Join(db.ImageSearches, m => m.Id, s => s.ModelId, (_, s) => s);

    private static Task<SearchCandidate?> FindAsync(HeadstartDb db, ClaimsPrincipal caller, CandidatePath of, CancellationToken cancel) =>
        SearchesOf(db, caller, of.Id).Where(s => s.Id == of.SearchId)
            .Join(db.SearchCandidates.Where(c => c.Position == of.Position), s => s.Id, c => c.SearchId, (_, c) => c)
            .AsNoTracking().SingleOrDefaultAsync(cancel);

    private static ProblemHttpResult NoSuchCandidate(CandidatePath of) =>
        Problems.NoSuch("candidate", $"/api/v1/models/{of.Id}/image-searches/{of.SearchId}/candidates");
}
