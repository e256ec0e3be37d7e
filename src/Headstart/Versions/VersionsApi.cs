using System.Security.Claims;
using System.Text.Json;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Models;
using Headstart.Operations;
using Headstart.Reports;
using Headstart.Training;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Versions;

/// <param name="Accuracy">On held-out images where there are enough, else cross-validated; the report says which.</param>
/// <param name="AccuracyInterval">95 % Wilson interval: low, high.</param>
public sealed record VersionResponse(
    int Number, Guid RunId, string Backbone, int TrainableParameters, double Accuracy, IReadOnlyList<double> AccuracyInterval, bool Published, DateTime CreatedAt)
{
    public static VersionResponse Of(ModelVersion version, int? published) => new(
        version.Number, version.RunId, version.Backbone, version.TrainableParameters, version.Accuracy,
        [version.AccuracyLow, version.AccuracyHigh], version.Number == published, version.CreatedAt);
}

public static class VersionsApi
{
    public static void MapVersions(this RouteGroupBuilder api)
    {
        var versions = api.MapGroup("/models/{id:guid}/versions").WithTags("Versions");
        versions.MapGet("/", List).Named("listVersions", "List the versions", "Newest first.").Refuses(400, 401, 404);
        versions.MapGet("/{number:int}", Get).Named("getVersion", "Get a version", "Its backbone, its accuracy with an interval, and whether it is published.").Refuses(401, 404);
        versions.MapGet("/{number:int}/report", GetReport).Named("getReport", "Get a version's report",
            "Accuracy and its interval, precision and recall of each category, the confusion matrix, the backbones tried, the time each stage took.").Refuses(401, 404);
        versions.MapPost("/{number:int}/publish", Publish).Named("publishVersion", "Publish a version", "Predictions use it from now on. Publishing an older version rolls back.")
            .Refuses(401, 404);
    }

    private static async Task<Results<Ok<Page<VersionResponse>>, ProblemHttpResult>> List(
        Guid id, HeadstartDb db, ClaimsPrincipal caller, int? limit, int? after, CancellationToken cancel)
    {
        if (await db.ModelsOf(caller).SingleOrDefaultAsync(m => m.Id == id, cancel) is not { } model)
        {
            return Problems.NoSuchModel();
        }

        var size = Page.Limit(limit);
        var rows = await db.Versions.Where(v => v.ModelId == id && (after == null || v.Number < after))
            .OrderByDescending(v => v.Number).Take(size + 1).ToListAsync(cancel);
        return TypedResults.Ok(Page.Of(rows.ConvertAll(v => VersionResponse.Of(v, model.PublishedVersion)), size, v => v.Number.ToString()));
    }

    private static async Task<Results<Ok<VersionResponse>, ProblemHttpResult>> Get(
        Guid id, int number, HeadstartDb db, ClaimsPrincipal caller, CancellationToken cancel) =>
        await FindAsync(db, caller, id, number, cancel) is var (version, published) ? TypedResults.Ok(VersionResponse.Of(version, published)) : NoSuchVersion(id);

    private static async Task<Results<Ok<Report>, ProblemHttpResult>> GetReport(
        Guid id, int number, HeadstartDb db, IBlobStore blobs, ClaimsPrincipal caller, CancellationToken cancel)
    {
        if (await FindAsync(db, caller, id, number, cancel) is not var (version, _))
        {
            return NoSuchVersion(id);
        }

        return await blobs.GetAsync(version.Report, cancel) is { } json
            ? TypedResults.Ok(JsonSerializer.Deserialize<Report>(json, Json.Options))
            : Problems.Of(StatusCodes.Status404NotFound, "report-not-found", "The report's file is no longer in the blob store, or is damaged there; train again.");
    }

    private static async Task<Results<Ok<VersionResponse>, ProblemHttpResult>> Publish(
        Guid id, int number, HeadstartDb db, ClaimsPrincipal caller, CancellationToken cancel)
    {
        if (await FindAsync(db, caller, id, number, cancel) is not var (version, _))
        {
            return NoSuchVersion(id);
        }

        await db.Models.Where(m => m.Id == id).ExecuteUpdateAsync(set => set.SetProperty(m => m.PublishedVersion, number), cancel);
        return TypedResults.Ok(VersionResponse.Of(version, number));
    }

    private static async Task<(ModelVersion Version, int? Published)?> FindAsync(
        HeadstartDb db, ClaimsPrincipal caller, Guid id, int number, CancellationToken cancel)
    {
        var row = await db.ModelsOf(caller).Where(m => m.Id == id)
            .Join(db.Versions.Where(v => v.Number == number), m => m.Id, v => v.ModelId, (m, v) => new { Version = v, m.PublishedVersion })
            .SingleOrDefaultAsync(cancel);
        return row is null ? null : (row.Version, row.PublishedVersion);
    }

    private static ProblemHttpResult NoSuchVersion(Guid id) => Problems.NoSuch("version", $"/api/v1/models/{id}/versions");
}
