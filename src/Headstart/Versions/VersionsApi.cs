using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Json.Serialization;
using Headstart.Access;
using Headstart.Data;
using Headstart.Learning.Backbones;
using Headstart.Learning.Export;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Microsoft.Net.Http.Headers;

namespace Headstart.Versions;

/// <param name="Accuracy">0 to 1, measured on held-out examples if there are enough, otherwise cross-validated; null if it cannot be
/// measured, as with pictures of one scene per category. The report says which, and why.</param>
/// <param name="AccuracyInterval">Lower and upper bound of the 95 % confidence interval (Wilson); null without an accuracy.</param>
/// <param name="ZeroShot">true for a version that has learned from no image and predicts from the words of its categories alone: its
/// accuracy is unknown and its probabilities are not calibrated. Otherwise absent.</param>
public sealed record VersionResponse(
    int Number, Guid RunId, string Backbone, int TrainableParameters, double? Accuracy, IReadOnlyList<double>? AccuracyInterval,
    bool Published, DateTime CreatedAt, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool ZeroShot = false)
{
    public static VersionResponse Of(ModelVersion version, int? published) => new(
        version.Number, version.RunId, version.Backbone, version.TrainableParameters, version.Accuracy,
        version is { AccuracyLow: { } low, AccuracyHigh: { } high } ? [low, high] : null, version.Number == published, version.CreatedAt,
        version.TrainableParameters == 0);
}

public static class VersionsApi
{
    public static void MapVersions(this RouteGroupBuilder api)
    {
        var versions = api.MapGroup("/models/{id:guid}/versions").WithTags("Versions");
        versions.MapGet("/", List).Named("listVersions", "List the versions", "Newest first.").Refuses(400, 401, 404);
        versions.MapGet("/{number:int}", Get).Named("getVersion", "Get a version", "Returns its backbone, its accuracy with a confidence "
            + "interval, and whether it is published.").Refuses(401, 404);
        versions.MapGet("/{number:int}/export", Export).Named("exportVersion", "Export a version",
                "A zip file with model.onnx, a self-contained model that turns the pixels of a photograph into the probabilities of the "
                    + "labels, labels.txt, and a README.md with example programs in Python, JavaScript and C#. For image models only; an "
                    + "exported detector returns boxes, and the programs draw them.")
            .Produces<Stream>(StatusCodes.Status200OK, "application/zip")
                .Produces<Stream>(StatusCodes.Status206PartialContent, "application/zip")
            .Refuses(401, 404, 409, 412, 416, 503);
        versions.MapPost("/{number:int}/publish", Publish)
            .Named("publishVersion", "Publish a version", "Predictions use it from now on. Publishing an older version rolls back.")
            .Refuses(401, 404);
    }

    private static async Task<Results<Ok<Page<VersionResponse>>, ProblemHttpResult>> List(
        Guid id, HeadstartDb db, ClaimsPrincipal caller, int? limit, int? after, CancellationToken cancel)
    {
        if (await db.ModelsOf(caller).SingleOrDefaultAsync(m => m.Id == id, cancel) is not { } model)
        {
            return Problems.NoSuchModel();
        }

        var rows = db.Versions.Where(v => v.ModelId == id && (after == null || v.Number < after)).OrderByDescending(v => v.Number);
        return TypedResults.Ok(await Page.ReadAsync(rows, limit, v => VersionResponse.Of(v, model.PublishedVersion),
            v => v.Number.ToString(), cancel));
    }

    private static async Task<Results<Ok<VersionResponse>, ProblemHttpResult>> Get(
        Guid id, int number, HeadstartDb db, ClaimsPrincipal caller, CancellationToken cancel) =>
        await db.FindVersionAsync(caller, id, number, cancel) is var (version, model)
            ? TypedResults.Ok(VersionResponse.Of(version, model.PublishedVersion)) : VersionProblems.NoSuchVersion(id);

    private static async Task<Results<FileStreamHttpResult, ProblemHttpResult>> Export(
        Guid id, int number, HttpContext http, HeadstartDb db, VersionExport export, CancellationToken cancel)
    {
        if (await db.FindVersionAsync(http.User, id, number, cancel) is not var (version, model))
        {
            return VersionProblems.NoSuchVersion(id);
        }

        if (model.Kind.IsText())
        {
            return Problems.Of(StatusCodes.Status409Conflict, "export-unavailable",
                "Text models cannot be exported yet, because ONNX has no operators that read words as they do; use POST "
                    + $"/api/v1/models/{id}/predictions on this host.");
        }

        try
        {
            if (await export.WriteAsync(model, version, cancel) is not { } zip)
            {
                return VersionProblems.Overloaded(http);
            }

            http.Response.RegisterForDisposeAsync(zip); // also if the client leaves before the result has it
            var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(await SHA256.HashDataAsync(zip, cancel))}\"");
            zip.Position = 0;
            return TypedResults.Stream(zip, "application/zip", FileName(model, number), version.CreatedAt, tag,
                enableRangeProcessing: true);
        }
        catch (BackboneException e)
        {
            return VersionProblems.Unavailable(e.Message);
        }
        catch (ModelExportException e)
        {
            return Problems.Of(StatusCodes.Status409Conflict, "export-failed", e.Message);
        }
    }

    private static async Task<Results<Ok<VersionResponse>, ProblemHttpResult>> Publish(
        Guid id, int number, HeadstartDb db, ServableVersions versions, ClaimsPrincipal caller, CancellationToken cancel)
    {
        if (await db.FindVersionAsync(caller, id, number, cancel) is not var (version, _))
        {
            return VersionProblems.NoSuchVersion(id);
        }

        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await db.Models.Where(m => m.Id == id).ExecuteUpdateAsync(set => set.SetProperty(m => m.PublishedVersion, number), cancel);
        await Announcements.SayAsync(db, Announcement.Versions, cancel);
        await transaction.CommitAsync(cancel);
        versions.Forget();
        return TypedResults.Ok(VersionResponse.Of(version, number));
    }

    /// <summary>The model's name, reduced to characters that every file system accepts.</summary>
    private static string FileName(Model model, int number) =>
        $"{string.Concat(model.Name.Select(sign => char.IsLetterOrDigit(sign) ? sign : '-')).Trim('-')}-v{number}.zip".TrimStart('-');
}
