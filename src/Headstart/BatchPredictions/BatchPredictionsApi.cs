using System.ComponentModel;
using System.Security.Claims;
using System.Text.Json;
using Headstart.Access;
using Headstart.Data;
using Headstart.Jobs;
using Headstart.Operations;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace Headstart.BatchPredictions;

/// <summary>One of these: stored images or texts of the model, by what they are or by their ids, or texts that are not stored.</summary>
/// <param name="Images">All that are so; an empty object is all of the model's.</param>
/// <param name="ImageIds">These, in this order.</param>
/// <param name="Texts">A list of strings, or of objects with a <c>text</c>.</param>
/// <param name="StoredTexts">All that are so; an empty object is all of the model's.</param>
/// <param name="TextIds">These, in this order.</param>
public sealed record NewBatchRequest(
    StoredImages? Images = null, IReadOnlyList<Guid>? ImageIds = null, JsonElement? Texts = null, StoredTexts? StoredTexts = null, IReadOnlyList<Guid>? TextIds = null);

/// <param name="Category">Only of this one.</param>
/// <param name="Split">Only those that heads learn from, or only those they are tested on.</param>
public sealed record StoredImages(string? Category = null, Split? Split = null);

/// <param name="Category">Only of this one.</param>
/// <param name="Split">Only those that heads learn from, or only those they are tested on.</param>
/// <param name="Labelled">Only those with a category, or only those without.</param>
public sealed record StoredTexts(string? Category = null, Split? Split = null, bool? Labelled = null);

/// <param name="Version">Which answers all of it, whatever is published meanwhile.</param>
/// <param name="Progress">0 to 1.</param>
/// <param name="SecondsLeft">An estimate.</param>
/// <param name="Images">How many images or texts it has.</param>
/// <param name="Done">Those with an answer or an error.</param>
/// <param name="Failed">Those of them with an error.</param>
/// <param name="Error">Why it failed and what to do.</param>
public sealed record BatchResponse(
    Guid Id, Guid ModelId, int Version, JobState State, double Progress, double? SecondsLeft, int Images, int Done, int Failed, string? Error,
    DateTime CreatedAt, DateTime? FinishedAt)
{
    public static BatchResponse Of(BatchPrediction batch) => new(
        batch.Id, batch.ModelId, batch.Version, batch.State, Math.Round((double)batch.Done / batch.Images, 3), batch.State == JobState.Running ? batch.SecondsLeft : null,
        batch.Images, batch.Done, batch.Failed, batch.Error, batch.CreatedAt, batch.FinishedAt);
}

public static class BatchPredictionsApi
{
    public static void MapBatchPredictions(this RouteGroupBuilder api)
    {
        var batches = api.MapGroup("/models/{id:guid}/batch-predictions").WithTags("Batch predictions");
        batches.MapPost("/", Start).Needs(Scope.Predict).Spends(Quota.PredictionsPerDay, Quota.Bytes).Named("startBatchPrediction", "Predict many images or texts",
                "Takes a form with parts named file, a zip archive, or JSON that names stored images of the model; for a model of texts whatever brings "
                + "texts to it, or JSON that names stored ones. Answers at once; the work is done in "
                + "the background and lets other predictions go first. The version is fixed now: the published one unless ?version= names another. "
                + "Files and texts that cannot be read become results with an error.")
            .WithMetadata(new FileForm(new Dictionary<string, string>(), RawImage: false, Zip: true, Json: typeof(NewBatchRequest), Texts: true))
            .WithMetadata(new BodyExample("""{"images":{"split":"test"}}"""))
            .Refuses(400, 401, 402, 404, 409, 413, 415, 422, 507);
        batches.MapGet("/", List).Named("listBatchPredictions", "List the batches", "Newest first.").Refuses(400, 401, 404);
        batches.MapGet("/{batchId:guid}", Get).Named("getBatchPrediction", "Get a batch", "Its state and progress.").Refuses(401, 404);
        batches.MapGet("/{batchId:guid}/results", Results).Named("getBatchResults", "Get the answers of a batch",
                "A JSON object a line with ?format=jsonl, or a table with ?format=csv, in the order in which the images or texts were sent. "
                + "May be asked for at any time and has what is done so far; it is complete when done equals images.")
            .Produces<string>(200, "application/x-ndjson", "text/csv").Refuses(400, 401, 404);
        batches.MapPost("/{batchId:guid}/cancel", Cancel).Named("cancelBatchPrediction", "Cancel a batch",
            "It stops within a few seconds; what is answered stays in the results. A batch that has ended stays as it is.").Refuses(401, 404);
        batches.MapDelete("/{batchId:guid}", Delete).Named("deleteBatchPrediction", "Delete a batch", "With its results; one that is running stops.")
            .Refuses(401, 404);
    }

    private static async Task<Results<Accepted<BatchResponse>, ProblemHttpResult>> Start(
        Guid id, int? version, HttpContext http,
        [FromHeader(Name = "Idempotency-Key")][Description("Sending the same key again gives the batch it made before.")] string? idempotencyKey,
        [FromServices] NewBatches batches, CancellationToken cancel)
    {
        var (batch, refusal) = await batches.StartAsync(http, id, version, idempotencyKey, cancel);
        return batch is null ? refusal! : Accepted(batch);
    }

    private static async Task<Results<Ok<Page<BatchResponse>>, ProblemHttpResult>> List(
        Guid id, HeadstartDb db, ClaimsPrincipal caller, int? limit, Guid? after, CancellationToken cancel)
    {
        if (!await db.ModelsOf(caller).AnyAsync(m => m.Id == id, cancel))
        {
            return Problems.NoSuchModel();
        }

        var size = Page.Limit(limit);
        var rows = await db.BatchPredictions.Where(b => b.ModelId == id && (after == null || b.Id < after))
            .OrderByDescending(b => b.Id).Take(size + 1).ToListAsync(cancel);
        return TypedResults.Ok(Page.Of(rows.ConvertAll(BatchResponse.Of), size, b => b.Id.ToString()));
    }

    private static async Task<Results<Ok<BatchResponse>, ProblemHttpResult>> Get(
        Guid id, Guid batchId, HeadstartDb db, ClaimsPrincipal caller, CancellationToken cancel) =>
        await Find(db, caller, id, batchId).SingleOrDefaultAsync(cancel) is { } batch ? TypedResults.Ok(BatchResponse.Of(batch)) : NoSuchBatch(id);

    private static async Task<Results<PushStreamHttpResult, ProblemHttpResult>> Results(
        Guid id, Guid batchId, HeadstartDb db, PublishedVersions published, ClaimsPrincipal caller, string? format, CancellationToken cancel)
    {
        if (format is not (null or "jsonl" or "csv"))
        {
            return Problems.Of(StatusCodes.Status400BadRequest, "invalid-format", "format must be jsonl or csv.");
        }

        if (!await Find(db, caller, id, batchId).AnyAsync(cancel))
        {
            return NoSuchBatch(id);
        }

        var texts = (await published.FindAsync(caller, id, cancel))?.Kind.IsText() is true;
        return format is "csv"
            ? TypedResults.Stream(body => BatchResults.WriteTableAsync(db, batchId, texts, body, cancel), "text/csv; charset=utf-8", $"{batchId}.csv")
            : TypedResults.Stream(body => BatchResults.WriteLinesAsync(db, batchId, texts, body, cancel), "application/x-ndjson", $"{batchId}.jsonl");
    }

    private static async Task<Results<Accepted<BatchResponse>, ProblemHttpResult>> Cancel(
        Guid id, Guid batchId, HeadstartDb db, ClaimsPrincipal caller, CancellationToken cancel)
    {
        var query = Find(db, caller, id, batchId);
        if (await query.AnyAsync(cancel))
        {
            await JobQueue.CancelAsync(db, BatchJob.Kind, batchId, cancel);
        }

        return await query.SingleOrDefaultAsync(cancel) is { } batch ? Accepted(batch) : NoSuchBatch(id);
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> Delete(
        Guid id, Guid batchId, HeadstartDb db, ClaimsPrincipal caller, CancellationToken cancel) =>
        await Find(db, caller, id, batchId).ExecuteDeleteAsync(cancel) == 1 ? TypedResults.NoContent() : NoSuchBatch(id);

    private static IQueryable<BatchPrediction> Find(HeadstartDb db, ClaimsPrincipal caller, Guid id, Guid batchId) =>
        db.ModelsOf(caller).Where(m => m.Id == id).Join(db.BatchPredictions.Where(b => b.Id == batchId), m => m.Id, b => b.ModelId, (_, b) => b);

    private static Accepted<BatchResponse> Accepted(BatchPrediction batch) =>
        TypedResults.Accepted($"/api/v1/models/{batch.ModelId}/batch-predictions/{batch.Id}", BatchResponse.Of(batch));

    private static ProblemHttpResult NoSuchBatch(Guid id) => Problems.NoSuch("batch", $"/api/v1/models/{id}/batch-predictions");
}
