using System.Security.Claims;
using Headstart.Access;
using Headstart.Backbones;
using Headstart.Data;
using Headstart.Jobs;
using Headstart.Learning.Backbones;
using Headstart.Learning.Texts;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Training;

/// <param name="Backbone">The id of a backbone, several ids joined with <c>+</c>, or <c>auto</c> to choose the best automatically.</param>
/// <param name="MaxLatencyMs">Only consider backbones that need, alone or joined, at most this many milliseconds per image on this
/// host.</param>
/// <param name="MaxTrainingSeconds">The run fails if it takes longer than this many seconds.</param>
public sealed record NewRunRequest(string? Backbone = null, double? MaxLatencyMs = null, double? MaxTrainingSeconds = null);

/// <summary>Starts training runs, for every API.</summary>
public sealed class RunStart(HeadstartDb db, LoadedBackbones loaded, LoadedTextBackbones texts, ImageTextPairs pairs,
    WantedBackbones wanted, JobWaker waker, TimeProvider clock)
{
    /// <param name="caller">The owner of the model.</param>
    /// <param name="id">Id of the model.</param>
    /// <param name="options">The options of the run.</param>
    /// <param name="idempotencyKey">A repeated key returns the run that it started.</param>
    /// <param name="cancel">Cancels before the run is created.</param>
    /// <returns>The run, queued.</returns>
    /// <exception cref="RefusedException">No run was started; the problem says why.</exception>
    public async Task<TrainingRun> StartAsync(
        ClaimsPrincipal caller, Guid id, NewRunRequest options, string? idempotencyKey, CancellationToken cancel) =>
        await db.ModelsOf(caller).AnyAsync(m => m.Id == id, cancel) ? await StartAsync(id, options, idempotencyKey, cancel)
            : throw new RefusedException(Problems.NoSuchModel());

    /// <summary>For callers that have already checked that the model may be trained.</summary>
    public async Task<TrainingRun> StartAsync(Guid id, NewRunRequest options, string? idempotencyKey, CancellationToken cancel)
    {
        if (await BeforeAsync(id, idempotencyKey, cancel) is { } before)
        {
            return before;
        }

        RefusedException.ThrowIf(Problems.RefuseIdempotencyKey(idempotencyKey));

        var (kind, account) = await db.Models.Where(m => m.Id == id).Select(m => new ValueTuple<ModelKind, Guid>(m.Kind, m.AccountId))
            .SingleOrDefaultAsync(cancel);
        await loaded.Bundled.WaitAsync(cancel); // a run may name a bundled backbone
        if ((Refuse(options) ?? (kind.IsText() ? RefuseTextBackbone(options) : RefuseBackbone(options, kind))
            ?? await NothingToLearnAsync(id, kind, options, cancel))
            is { } refusal)
        {
            throw new RefusedException(refusal);
        }

        var run = NewRun(id, options, idempotencyKey, clock.Now());
        try
        {
            await using var transaction = await db.Database.BeginTransactionAsync(cancel);
            if (await db.LeftForRunsAsync(account, cancel) is (0, { } exceeded))
            {
                // unless a concurrent request with the same key took the last place
                return await BeforeAsync(id, idempotencyKey, cancel) ?? throw new RefusedException(exceeded.Problem());
            }

            db.Add(run);
            await db.SaveChangesAsync(cancel);
            await transaction.CommitAsync(cancel);
        }
        catch (DbUpdateException e) when (e.IsDuplicate())
        {
            return (await BeforeAsync(id, idempotencyKey, cancel))!; // a concurrent request with the same key was faster
        }
        catch (DbUpdateException e) when (e.IsOrphan())
        {
            throw new RefusedException(Problems.NoSuchModel());
        }

        // If the process dies here, the run is queued and the sweep enqueues it.
        waker.Wake(TrainingJob.Kind, run.Id);
        return run;
    }

    /// <summary>Starts a run for a new model if its categories are described and this host has an image-text pair to read them.</summary>
    public async Task FromWordsAsync(Model model, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Categories.Exists(c => c.Description is not null) && BeginsWithWords(model.Kind, model.Categories.Count, new()))
        {
            try
            {
                await StartAsync(model.Id, new(), null, cancel);
            }
            catch (RefusedException)
            {
                // The account's limit of concurrent runs is reached. The model exists; its owner can start a run later.
            }
        }
    }

    /// <summary>A queued row; the caller saves and enqueues it.</summary>
    public static TrainingRun NewRun(Guid model, NewRunRequest options, string? idempotencyKey, DateTime now) => new()
    {
        Id = Guid.CreateVersion7(),
        ModelId = model,
        State = JobState.Queued,
        Backbone = options.Backbone is null or "auto" ? null : options.Backbone,
        MaxLatencyMs = options.MaxLatencyMs,
        MaxTrainingSeconds = options.MaxTrainingSeconds,
        IdempotencyKey = idempotencyKey,
        CreatedAt = now,
    };

    private async Task<TrainingRun?> BeforeAsync(Guid id, string? key, CancellationToken cancel) =>
        key is null ? null : await db.TrainingRuns.SingleOrDefaultAsync(r => r.ModelId == id && r.IdempotencyKey == key, cancel);

    private static ProblemHttpResult? Refuse(NewRunRequest options) =>
        options.MaxLatencyMs is <= 0 or double.NaN ? Problems.Invalid("invalid-max-latency", "maxLatencyMs must be greater than 0.")
            : options.MaxTrainingSeconds is <= 0 or > 1_000_000 or double.NaN ? Problems.Invalid("invalid-max-training-seconds",
                "maxTrainingSeconds must be greater than 0 and at most 1,000,000.")
            : null;

    /// <summary>Checks the options for a text model.</summary>
    private ProblemHttpResult? RefuseTextBackbone(NewRunRequest options) =>
        options.Backbone is null or "auto" || TextCandidates.Ids(texts.All).Contains(options.Backbone) ? null
        : Problems.Invalid("unknown-backbone", $"Unknown text backbone \"{RequestBodies.Readable(options.Backbone)}\". Use auto or one of: "
            + $"{string.Join(", ", TextCandidates.Ids(texts.All))}.");

    /// <summary>Checks the options for an image model.</summary>
    private ProblemHttpResult? RefuseBackbone(NewRunRequest options, ModelKind kind)
    {
        var named = options.Backbone is "auto" ? null : options.Backbone;
        return kind.HasBoxes() && named is not null && loaded.FindRecipe(named) is not null && loaded.Find(named) is null
                ? Problems.Invalid("unknown-backbone", "A detection model reads one backbone as a whole; name one, such as "
                    + $"{FeatureRecipe.BackboneIds(named).First()}.")
            : named is not null && !wanted.CanHave(named) && loaded.All.Count > 0
                ? Problems.Invalid("unknown-backbone", $"Unknown backbone \"{RequestBodies.Readable(named)}\". Use auto or one of: "
                    + $"{string.Join(", ", loaded.All.Select(b => b.Manifest.Id))}.")
            : !wanted.CanHave(named) ? Problems.Invalid("no-backbone", $"This host has no backbone to train with. {loaded.HowToGetOne}")
            : named is not null && options.MaxLatencyMs < loaded.FindRecipe(named)?.MsPerImage
                ? Problems.Invalid("latency-too-low", $"{named} needs {loaded.FindRecipe(named)!.MsPerImage:0.0} ms per image on this "
                    + $"host, but maxLatencyMs is {options.MaxLatencyMs}; raise it, or name a faster backbone (see GET /api/v1/backbones).")
            : named is null && loaded.All.Count > 0 && options.MaxLatencyMs < loaded.All[0].MsPerImage
                ? Problems.Invalid("latency-too-low", "maxLatencyMs is below this host's fastest backbone "
                    + $"({loaded.All[0].MsPerImage:0.0} ms per image); raise it (see GET /api/v1/backbones).")
            : null;
    }

    /// <param name="images">Number of images to learn from that have boxes.</param>
    /// <param name="unseen">Number of images whose boxes are unknown.</param>
    internal static string TooFewBoxes(int images, int unseen) => "Training needs at least "
        + $"{ModelKind.ObjectDetection.MinExamples()} images with boxes to learn from; {images} {(images == 1 ? "has" : "have")} any. "
        + (unseen == 0 ? "" : $"Nobody has said yet what {unseen} {(unseen == 1 ? "image shows" : "images show")}: draw their boxes. ")
        + "Thirty images per category are a good start.";

    /// <summary>Whether a version can be made from words alone.</summary>
    private bool BeginsWithWords(ModelKind kind, int categories, NewRunRequest options) => kind.ReadsWords()
        && categories >= kind.MinCategories() && pairs.Find(options.Backbone is "auto" ? null : options.Backbone, options.MaxLatencyMs)
            is not null;

    private async Task<ProblemHttpResult?> NothingToLearnAsync(Guid id, ModelKind kind, NewRunRequest options, CancellationToken cancel)
    {
        var learnable = db.LearnableLabels;
        if (kind.HasBoxes())
        {
            var (images, unseen) = (await learnable.Where(l => db.Categories.Any(c => c.Id == l.CategoryId && c.ModelId == id))
                .Select(l => l.ExampleId).Distinct().CountAsync(cancel),
                await db.Examples.CountAsync(e => e.ModelId == id && !e.BoxesKnown, cancel));
            return images >= kind.MinExamples() ? null : Problems.Invalid("too-few-images", TooFewBoxes(images, unseen));
        }

        var counts = await db.Categories.Where(c => c.ModelId == id).Select(c => new
        {
            Learnable = learnable.Any(l => l.CategoryId == c.Id),
            Any = db.ExampleLabels.Any(l => l.CategoryId == c.Id),
        }).ToListAsync(cancel);
        var enough = counts.Count(c => c.Learnable);
        var tested = counts.Count(c => c.Any && !c.Learnable);
        return enough >= kind.MinCategories() || BeginsWithWords(kind, counts.Count, options) ? null : Problems.Invalid(
            $"too-few-{kind.Nouns()}",
            $"Training needs at least two categories with {kind.Nouns()} to learn from; {enough} of the {counts.Count} categories have "
                + $"any. {(tested == 0 ? "" : $"{(tested == 1 ? "One has" : $"{tested} have")} only {kind.Nouns()} given as test, which "
                    + "are never learned from: move some to train. ")}Thirty per category is a good start.");
    }
}
