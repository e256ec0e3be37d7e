using System.Security.Claims;
using Headstart.Access;
using Headstart.Backbones;
using Headstart.Data;
using Headstart.Jobs;
using Headstart.Learning.Texts;
using Headstart.Operations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Training;

/// <summary>What is asked of a run.</summary>
/// <param name="Backbone">The id of a backbone, several joined with <c>+</c>; null or <c>auto</c> for the automatic choice.</param>
/// <param name="MaxLatencyMs">For one image on this host.</param>
/// <param name="MaxTrainingSeconds">From start to end.</param>
public sealed record RunOptions(string? Backbone = null, double? MaxLatencyMs = null, double? MaxTrainingSeconds = null);

/// <summary>Starts training runs, whatever the protocol.</summary>
public sealed class RunStart(HeadstartDb db, LoadedBackbones loaded, LoadedTextBackbones texts, WantedBackbones wanted, JobQueue queue, TimeProvider clock)
{
    /// <param name="caller">Owns the model.</param>
    /// <param name="id">Of the model.</param>
    /// <param name="wish">What to do.</param>
    /// <param name="idempotencyKey">The same key gives the run that it made before.</param>
    /// <param name="cancel">Ends it before the run is there.</param>
    /// <returns>The run, queued, or why there is none.</returns>
    public async Task<(TrainingRun? Run, ProblemHttpResult? Refusal)> StartAsync(
        ClaimsPrincipal caller, Guid id, RunOptions wish, string? idempotencyKey, CancellationToken cancel) =>
        await db.ModelsOf(caller).AnyAsync(m => m.Id == id, cancel) ? await StartAsync(id, wish, idempotencyKey, cancel) : (null, Problems.NoSuchModel());

    /// <summary>For whoever has seen already that the model may be trained.</summary>
    public async Task<(TrainingRun? Run, ProblemHttpResult? Refusal)> StartAsync(Guid id, RunOptions wish, string? idempotencyKey, CancellationToken cancel)
    {
        if (await BeforeAsync(id, idempotencyKey, cancel) is { } before)
        {
            return (before, null);
        }

        if (idempotencyKey is { Length: 0 or > 200 })
        {
            return (null, Problems.InvalidIdempotencyKey());
        }

        var (kind, account) = await db.Models.Where(m => m.Id == id).Select(m => new ValueTuple<ModelKind, Guid>(m.Kind, m.AccountId)).SingleOrDefaultAsync(cancel);
        if ((Refuse(wish) ?? (kind.IsText() ? RefuseReader(wish) : RefuseBackbone(wish)) ?? await NothingToLearnAsync(id, kind, cancel)) is { } refusal)
        {
            return (null, refusal);
        }

        var run = NewRun(id, wish, idempotencyKey, clock.Now());
        try
        {
            await using var transaction = await db.Database.BeginTransactionAsync(cancel);
            if (await db.LeftForRunsAsync(account, cancel) is (0, { } exceeded))
            {
                return (null, exceeded.Problem());
            }

            db.Add(run);
            await db.SaveChangesAsync(cancel);
            await transaction.CommitAsync(cancel);
        }
        catch (DbUpdateException e) when (e.IsDuplicate())
        {
            return (await BeforeAsync(id, idempotencyKey, cancel), null); // its twin was a moment faster
        }
        catch (DbUpdateException e) when (e.IsOrphan())
        {
            return (null, Problems.NoSuchModel());
        }

        // If we die here the run is queued and the sweep enqueues it.
        queue.Enqueue(TrainingJob.Kind, run.Id);
        return (run, null);
    }

    /// <summary>A row that waits for its turn; whoever saves it enqueues it.</summary>
    public static TrainingRun NewRun(Guid model, RunOptions wish, string? idempotencyKey, DateTime now) => new()
    {
        Id = Guid.CreateVersion7(),
        ModelId = model,
        State = JobState.Queued,
        Backbone = wish.Backbone is null or "auto" ? null : wish.Backbone,
        MaxLatencyMs = wish.MaxLatencyMs,
        MaxTrainingSeconds = wish.MaxTrainingSeconds,
        IdempotencyKey = idempotencyKey,
        CreatedAt = now,
    };

    private async Task<TrainingRun?> BeforeAsync(Guid id, string? key, CancellationToken cancel) =>
        key is null ? null : await db.TrainingRuns.SingleOrDefaultAsync(r => r.ModelId == id && r.IdempotencyKey == key, cancel);

    private static ProblemHttpResult? Refuse(RunOptions wish) =>
        wish.MaxLatencyMs is <= 0 or double.NaN ? Problems.Invalid("invalid-max-latency", "maxLatencyMs must be more than 0 milliseconds.")
            : wish.MaxTrainingSeconds is <= 0 or > 1_000_000 or double.NaN ? Problems.Invalid("invalid-max-training-seconds", "maxTrainingSeconds must be more than 0 and at most 1000000.")
            : null;

    /// <summary>Of a model of texts.</summary>
    private ProblemHttpResult? RefuseReader(RunOptions wish) => wish.Backbone is null or "auto" || TextCandidates.Ids(texts.All).Contains(wish.Backbone) ? null
        : Problems.Invalid("unknown-backbone", $"Nothing of this name reads texts here; choose auto or one of {string.Join(", ", TextCandidates.Ids(texts.All))}.");

    /// <summary>Of a model of images.</summary>
    private ProblemHttpResult? RefuseBackbone(RunOptions wish)
    {
        var named = wish.Backbone is "auto" ? null : wish.Backbone;
        return named is not null && !wanted.CanHave(named) && loaded.All.Count > 0
                ? Problems.Invalid("unknown-backbone", $"There is no such backbone here, nor one that may be fetched; choose auto or one of {string.Join(", ", loaded.All.Select(b => b.Manifest.Id))}.")
            : !wanted.CanHave(named) ? Problems.Invalid("no-backbone", $"This host has no backbone to train on. {loaded.HowToGetOne}")
            : wish.MaxLatencyMs < (named is not null ? loaded.FindRecipe(named)?.MsPerImage : loaded.All.Count > 0 ? loaded.All[0].MsPerImage : null)
                ? Problems.Invalid("latency-too-low", $"That is too fast for this host; its fastest backbone needs {loaded.All[0].MsPerImage:0.0} ms per image (GET /api/v1/backbones).")
            : null;
    }

    private async Task<ProblemHttpResult?> NothingToLearnAsync(Guid id, ModelKind kind, CancellationToken cancel)
    {
        var counts = await db.Categories.Where(c => c.ModelId == id).Select(c => db.ExampleLabels.Count(l => l.CategoryId == c.Id)).ToListAsync(cancel);
        var enough = counts.Count(c => c >= MinExamples);
        return enough >= MinCategories ? null : Problems.Invalid($"too-few-{kind.Examples()}",
            $"There is nothing to tell apart yet: {enough} of the {counts.Count} categories have at least {MinExamples} {kind.Examples()}, and two must. Thirty a category make a good start.");
    }
}
