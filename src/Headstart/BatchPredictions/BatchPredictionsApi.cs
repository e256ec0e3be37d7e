using System.ComponentModel;
using System.Text.Json;
using Headstart.Access;
using Headstart.Data;
using Headstart.Jobs;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace Headstart.BatchPredictions;

/// <summary>Send one of these: stored images or texts of the model, filtered or by id, or texts to predict.</summary>
/// <param name="Images">Stored images that match; an empty object selects all.</param>
/// <param name="ImageIds">Ids of stored images, in this order.</param>
/// <param name="Texts">Texts to predict: strings, or objects with a <c>text</c>.</param>
/// <param name="StoredTexts">Stored texts that match; an empty object selects all.</param>
/// <param name="TextIds">Ids of stored texts, in this order.</param>
public sealed record NewBatchRequest(
    StoredImages? Images = null, IReadOnlyList<Guid>? ImageIds = null, JsonElement? Texts = null, StoredTexts? StoredTexts = null,
    IReadOnlyList<Guid>? TextIds = null);

/// <param name="Category">Only this category.</param>
/// <param name="Split">Only training examples, or only test examples.</param>
public sealed record StoredImages(string? Category = null, Split? Split = null);

/// <param name="Category">Only this category.</param>
/// <param name="Split">Only training examples, or only test examples.</param>
/// <param name="Labelled">Only labelled, or only unlabelled texts.</param>
public sealed record StoredTexts(string? Category = null, Split? Split = null, bool? Labelled = null);

/// <param name="Version">The version that predicts the whole batch, whatever is published meanwhile.</param>
/// <param name="Progress">0 to 1.</param>
/// <param name="SecondsLeft">Estimated seconds left.</param>
/// <param name="Images">Number of images or texts in the batch.</param>
/// <param name="Done">How many have a prediction or an error.</param>
/// <param name="Failed">How many have an error.</param>
/// <param name="Error">Why it failed and what to do.</param>
public sealed record BatchResponse(
    Guid Id, Guid ModelId, int Version, JobState State, double Progress, double? SecondsLeft, int Images, int Done, int Failed,
    string? Error,
    DateTime CreatedAt, DateTime? FinishedAt)
    : IShownJob
{
    public static BatchResponse Of(BatchPrediction batch) => new(
        batch.Id, batch.ModelId, batch.Version, batch.State, Math.Round((double)batch.Done / batch.Images, 3),
        batch.State == JobState.Running ? batch.SecondsLeft : null,
        batch.Images, batch.Done, batch.Failed, batch.Error, batch.CreatedAt, batch.FinishedAt);
}

public static class BatchPredictionsApi
{
    private static readonly ModelJobs<BatchPrediction, BatchPrediction, BatchResponse> Jobs = new(BatchJob.Kind, "batch",
        "batch-predictions", (_, batches) => batches, BatchResponse.Of);

    public static void MapBatchPredictions(this RouteGroupBuilder api)
    {
        var batches = api.MapGroup("/models/{id:guid}/batch-predictions").WithTags("Batch predictions");
        Map("/", "startBatchPrediction", "Predict many stored images or texts", "JSON names stored images of the model or, for a text "
                + "model, stored texts or texts to predict. The bodies of the paths below are accepted here, too.")
            .WithMetadata(new JsonBody(typeof(NewBatchRequest)), new BodyExample("""{"images":{"split":"test"}}"""));
        Map("/files", "startBatchOfFiles", "Predict many images of a form", "A form with parts named file; for a text model files of "
                + "texts.")
            .WithMetadata(new FileForm(new Dictionary<string, string>()));
        Map("/archive", "startBatchOfArchive", "Predict the images of an archive", "A zip archive.")
            .WithMetadata(new RawBody("", "application/zip"));
        Map("/table", "startBatchOfTable", "Predict the texts of a table", "CSV or tab-separated with the header text, JSON Lines, or one "
                + "text per line.")
            .WithMetadata(new RawBody("text\nI loved it\n", "text/csv", "text/tab-separated-values", "application/jsonl", "text/plain"));
        batches.MapGet("/", Jobs.ListAsync).Named("listBatchPredictions", "List the batches", "Newest first.").Refuses(400, 401, 404);
        batches.MapGet("/{batchId:guid}", ([AsParameters] ModelJobsCall call, Guid batchId) => Jobs.GetAsync(call, batchId))
            .Named("getBatchPrediction", "Get a batch", "Its state and progress.").Refuses(401, 404);
        batches.MapGet("/{batchId:guid}/results", Results).Named("getBatchResults", "Get the results of a batch",
                "One JSON object per line with ?format=jsonl, or a table with ?format=csv, in upload order. For a detection model the "
                + "table has a row per object. While the batch runs, results are partial; they are complete when done equals images.")
            .Produces<string>(200, "application/x-ndjson", "text/csv").Refuses(400, 401, 404);
        batches.MapPost("/{batchId:guid}/cancel", ([AsParameters] ModelJobsCall call, Guid batchId) => Jobs.CancelAsync(call, batchId))
            .Named("cancelBatchPrediction", "Cancel a batch",
            "It stops within a few seconds; the results so far stay. Cancelling a finished batch changes nothing.").Refuses(401, 404);
        batches.MapDelete("/{batchId:guid}", Delete).Named("deleteBatchPrediction", "Delete a batch", "Deletes its results too; a "
            + "running batch stops.")
            .Refuses(401, 404);

        RouteHandlerBuilder Map(string path, string name, string summary, string description) => batches.MapPost(path, Start)
            .Needs(Scope.Predict).Spends(Quota.PredictionsPerDay, Quota.Bytes).Named(name, summary, $"{description} The batch runs in the "
                + "background and gives way to single predictions. Its version is fixed when it starts: the published one unless "
                + "?version= names another. Files and texts that cannot be read get an error in the results.")
            .Refuses(400, 401, 402, 404, 409, 413, 415, 422, 507);
    }

    private static async Task<Results<Accepted<BatchResponse>, ProblemHttpResult>> Start(
        Guid id, int? version, HttpContext http,
        [FromHeader(Name = "Idempotency-Key")][Description("Sending the same key again returns the batch it "
            + "started.")] string? idempotencyKey,
        [FromServices] NewBatches batches, CancellationToken cancel)
    {
        return Jobs.Accepted(BatchResponse.Of(await batches.StartAsync(http, id, version, idempotencyKey, cancel)));
    }

    private static async Task<Results<PushStreamHttpResult, ProblemHttpResult>> Results(
        [AsParameters] ModelJobsCall call, Guid batchId, ServableVersions versions, string? format)
    {
        if (format is not (null or "jsonl" or "csv"))
        {
            return Problems.Of(StatusCodes.Status400BadRequest, "invalid-format", "format must be jsonl or csv.");
        }

        if (!await call.Job<BatchPrediction>(batchId).AnyAsync(call.Cancel))
        {
            return Jobs.NoSuchJob(call);
        }

        var (id, db, caller, _, _, cancel) = call;
        var kind = (await versions.PublishedAsync(caller, id, cancel))?.Kind ?? default;
        return format is "csv"
            ? TypedResults.Stream(body => BatchResults.WriteTableAsync(db, batchId, kind, body, cancel), "text/csv; charset=utf-8",
                $"{batchId}.csv")
            : TypedResults.Stream(body => BatchResults.WriteLinesAsync(db, batchId, kind.IsText(), body, cancel), "application/x-ndjson",
                $"{batchId}.jsonl");
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> Delete([AsParameters] ModelJobsCall call, Guid batchId) =>
        await call.Job<BatchPrediction>(batchId).ExecuteDeleteAsync(call.Cancel) == 1 ? TypedResults.NoContent() : Jobs.NoSuchJob(call);
}
