using System.Security.Claims;
using Headstart.Access;
using Headstart.Data;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Jobs;

/// <summary>What its endpoints show of a job.</summary>
public interface IShownJob
{
    Guid Id { get; }

    Guid ModelId { get; }

    JobState State { get; }
}

/// <summary>A request for jobs of a model.</summary>
internal sealed record ModelJobsCall([property: FromRoute(Name = "id")] Guid Id, HeadstartDb Db, ClaimsPrincipal Caller,
    TimeProvider Clock, IHostApplicationLifetime Lifetime, CancellationToken Cancel)
{
    /// <summary>The job with this id, if the caller owns its model.</summary>
    public IQueryable<TRow> Job<TRow>(Guid id)
        where TRow : class, IJobRow =>
        Db.ModelsOf(Caller).Where(m => m.Id == Id).Join(Db.Set<TRow>().Where(job => job.Id == id), m => m.Id, job => job.ModelId,
            (_, job) => job);
}

/// <summary>Lists, shows, watches and cancels the jobs of a model: the same for all kinds.</summary>
/// <param name="kind">The kind.</param>
/// <param name="noun">Its word in problems, such as "import".</param>
/// <param name="path">Its list, below the model.</param>
/// <param name="view">Adds to the rows what is shown with them.</param>
/// <param name="show">Converts a row to what is sent.</param>
internal sealed class ModelJobs<TRow, TView, T>(JobKind kind, string noun, string path,
    Func<HeadstartDb, IQueryable<TRow>, IQueryable<TView>> view, Func<TView, T> show)
    where TRow : class, IJobRow
    where TView : class
    where T : IShownJob
{
    public async Task<Results<Ok<Page<T>>, ProblemHttpResult>> ListAsync([AsParameters] ModelJobsCall call, int? limit, Guid? after)
    {
        if (!await call.Db.ModelsOf(call.Caller).AnyAsync(m => m.Id == call.Id, call.Cancel))
        {
            return Problems.NoSuchModel();
        }

        var rows = call.Db.Set<TRow>().AsNoTracking().Where(job => job.ModelId == call.Id && (after == null || job.Id < after));
        return TypedResults.Ok(await Page.ReadAsync(rows.OrderByDescending(job => job.Id), limit,
            async some => (await view(call.Db, some).ToListAsync(call.Cancel)).Select(show).OrderByDescending(job => job.Id).ToList(),
            job => $"{job.Id}"));
    }

    public async Task<Results<Ok<T>, ProblemHttpResult>> GetAsync(ModelJobsCall call, Guid id) =>
        await ViewOf(call, id).SingleOrDefaultAsync(call.Cancel) is { } job ? TypedResults.Ok(show(job)) : NoSuchJob(call);

    /// <summary>The stream ends when no worker has anything left to do.</summary>
    public async Task<Results<ServerSentEventsResult<T>, ProblemHttpResult>> EventsAsync(ModelJobsCall call, Guid id) =>
        await call.Job<TRow>(id).AnyAsync(call.Cancel)
            ? TypedResults.ServerSentEvents(RowEvents.WatchAsync(ViewOf(call, id), show,
                job => job.State is not (JobState.Queued or JobState.Running), call.Clock, call.Lifetime.ApplicationStopping, call.Cancel))
            : NoSuchJob(call);

    public async Task<Results<Accepted<T>, ProblemHttpResult>> CancelAsync(ModelJobsCall call, Guid id)
    {
        if (await call.Job<TRow>(id).AnyAsync(call.Cancel))
        {
            await kind.CancelAsync(call.Db, id, call.Cancel);
        }

        return await ViewOf(call, id).SingleOrDefaultAsync(call.Cancel) is { } job ? Accepted(show(job)) : NoSuchJob(call);
    }

    public Accepted<T> Accepted(T job) => TypedResults.Accepted($"/api/v1/models/{job.ModelId}/{path}/{job.Id}", job);

    public ProblemHttpResult NoSuchJob(ModelJobsCall call) => Problems.NoSuch(noun, $"/api/v1/models/{call.Id}/{path}");

    public IQueryable<TView> ViewOf(ModelJobsCall call, Guid id) => view(call.Db, call.Job<TRow>(id)).AsNoTracking();
}
