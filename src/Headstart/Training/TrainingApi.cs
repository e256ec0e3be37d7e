using System.ComponentModel;
using System.Security.Claims;
using Headstart.Access;
using Headstart.Data;
using Headstart.Jobs;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Headstart.Training;

/// <param name="Progress">0 to 1.</param>
/// <param name="SecondsLeft">Estimated seconds left.</param>
/// <param name="Version">The number of the version it made.</param>
/// <param name="Error">Why it failed and what to do.</param>
/// <param name="Backbones">Backbones tried so far, by cross-validated accuracy.</param>
/// <param name="Detail">What the run is waiting for, such as a backbone download.</param>
/// <param name="Notices">Problems that did not end the run, such as a failed backbone download.</param>
public sealed record RunResponse(
    Guid Id, Guid ModelId, JobState State, RunStage? Stage, double Progress, double? SecondsLeft, int? Version, string? Error,
    IReadOnlyList<BackboneTrial> Backbones, DateTime CreatedAt, DateTime? FinishedAt, string? Detail, IReadOnlyList<string> Notices)
    : IShownJob
{
    public static RunResponse Of(TrainingRun run) => new(
        run.Id, run.ModelId, run.State, run.Stage, Math.Round(run.Progress, 3), run.State == JobState.Running ? run.SecondsLeft : null,
        run.Version, run.Error, run.Backbones,
        run.CreatedAt, run.FinishedAt, run.State == JobState.Running ? run.Detail : null, run.Notices);
}

/// <param name="Runs">One run for each retrained model.</param>
public sealed record RetrainResponse(IReadOnlyList<RunResponse> Runs);

public static class TrainingApi
{
    private static readonly ModelJobs<TrainingRun, TrainingRun, RunResponse> Runs = new(TrainingJob.Kind, "training run", "training-runs",
        (_, runs) => runs, RunResponse.Of);

    public static void MapTraining(this RouteGroupBuilder api)
    {
        api.MapGroup("/models/retrain").WithTags("Training").MapPost("/", Retrain).Named(
                "retrainModels", "Retrain models with new backbones",
                "Starts a run for every model that might improve with backbones added since it was trained; the model's update field "
                + "names them. Features of known images are reused. Models already in training are skipped, and so are those beyond "
                + "the account's limit of concurrent runs.")
            .Spends(Quota.ConcurrentRuns)
            .Refuses(401);
        var runs = api.MapGroup("/models/{id:guid}/training-runs").WithTags("Training");
        runs.MapPost("/", Start).Spends(Quota.ConcurrentRuns).Named("startTrainingRun", "Start a training run",
                "Step 3 of the main job. An empty object is a good choice. Runs of one model queue behind each other. The new version is "
                + "published unless it is worse than the published one on held-out examples.")
            .Example("""{"backbone":"auto","maxTrainingSeconds":600}""").Refuses(400, 401, 404, 422);
        runs.MapGet("/", Runs.ListAsync).Named("listTrainingRuns", "List the training runs", "Newest first.").Refuses(400, 401, 404);
        runs.MapGet("/{runId:guid}", ([AsParameters] ModelJobsCall call, Guid runId) => Runs.GetAsync(call, runId))
            .Named("getTrainingRun", "Get a training run",
            "Its state, progress and the backbones tried so far.").Refuses(401, 404);
        runs.MapGet("/{runId:guid}/events", ([AsParameters] ModelJobsCall call, Guid runId) => Runs.EventsAsync(call, runId))
            .Named("watchTrainingRun", "Watch a training run",
                "Server-sent events, each the run's current state; the stream ends with the run.")
            .Produces<RunResponse>(200, "text/event-stream").Refuses(401, 404);
        runs.MapPost("/{runId:guid}/cancel", ([AsParameters] ModelJobsCall call, Guid runId) => Runs.CancelAsync(call, runId))
            .Named("cancelTrainingRun", "Cancel a training run", "It stops within a few seconds. "
            + "Cancelling a finished run changes nothing.")
            .Refuses(401, 404);
    }

    private static async Task<Results<Accepted<RunResponse>, ProblemHttpResult>> Start(
        Guid id, NewRunRequest? request, [FromHeader(Name = "Idempotency-Key")][Description("Sending the same key again returns the run "
            + "it started.")] string? idempotencyKey,
        RunStart start, ClaimsPrincipal caller, CancellationToken cancel)
    {
        return Runs.Accepted(RunResponse.Of(await start.StartAsync(caller, id, request ?? new(), idempotencyKey, cancel)));
    }

    private static async Task<Results<Accepted<RetrainResponse>, ProblemHttpResult>> Retrain(
        HeadstartDb db, ModelUpdates updates, JobWaker waker, TimeProvider clock, ClaimsPrincipal caller, CancellationToken cancel)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var (left, exceeded) = await db.LeftForRunsAsync(caller.AccountId(), cancel);
        await db.LockModelsAsync(caller.AccountId()); // a concurrent call waits here, and then finds the runs of this one
        var found = await updates.FindAsync(db, db.ModelsOf(caller).Where(m =>
            !db.TrainingRuns.Any(r => r.ModelId == m.Id && (r.State == JobState.Queued || r.State == JobState.Running))), cancel);
        if (left == 0 && found.Count > 0)
        {
            return exceeded!.Problem();
        }

        var runs = found.Take(left).Select(m => RunStart.NewRun(m.Key, new(MaxLatencyMs: m.Value.MaxLatencyMs), null, clock.Now()))
            .ToList();
        db.AddRange(runs);
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        // if the process dies here, they are queued and the sweep enqueues them
        runs.ForEach(run => waker.Wake(TrainingJob.Kind, run.Id));
        return TypedResults.Accepted("/api/v1/models", new RetrainResponse(runs.ConvertAll(RunResponse.Of)));
    }
}
