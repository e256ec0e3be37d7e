using System.Security.Claims;
using System.Text;
using System.Text.Json;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Headstart.Reports;

public static class ReportsApi
{
    public static void MapReports(this RouteGroupBuilder api)
    {
        var versions = api.MapGroup("/models/{id:guid}/versions").WithTags("Versions");
        versions.MapGet("/{number:int}/report", GetReport).Named("getReport", "Get a version's report",
            "Accuracy with its interval, metrics per category, the confusion matrix, calibration, the learning curve, the backbones "
                + "tried and the time of each stage.").Refuses(401, 404);
        versions.MapGet("/{number:int}/report.html", GetReportPage).Named("getReportPage", "Get a version's report as an HTML page",
                "The report as one self-contained HTML page with charts and thumbnails, to read, print and share. It has no script and "
                + "loads nothing. Images deleted since the report are shown without a picture.")
            .Produces<string>(StatusCodes.Status200OK, "text/html").Refuses(401, 404, 503);
    }

    private static async Task<Results<Ok<Report>, ProblemHttpResult>> GetReport(
        Guid id, int number, HeadstartDb db, IBlobStore blobs, ClaimsPrincipal caller, CancellationToken cancel)
    {
        if (await db.FindVersionAsync(caller, id, number, cancel) is not var (version, _))
        {
            return VersionProblems.NoSuchVersion(id);
        }

        return await ReadAsync(version, blobs, cancel) is { } report ? TypedResults.Ok(report) : NoReport();
    }

    private static async Task<Results<ContentHttpResult, ProblemHttpResult>> GetReportPage(
        Guid id, int number, HttpContext http, HeadstartDb db, IBlobStore blobs, ReportPictures drawing, CancellationToken cancel)
    {
        if (await db.FindVersionAsync(http.User, id, number, cancel) is not var (version, model))
        {
            return VersionProblems.NoSuchVersion(id);
        }

        if (await ReadAsync(version, blobs, cancel) is not { } report)
        {
            return NoReport();
        }

        if (await drawing.DrawAsync(db, model.AccountId, version, report, cancel) is not { } pictures)
        {
            return VersionProblems.Overloaded(http);
        }

        http.Response.Headers.ContentSecurityPolicy = ReportPage.Policy;
        return TypedResults.Text(ReportPage.Of(model, version, report, pictures), "text/html", Encoding.UTF8);
    }

    private static async Task<Report?> ReadAsync(ModelVersion version, IBlobStore blobs, CancellationToken cancel) =>
        await blobs.GetAsync(version.Report, cancel) is { } json ? JsonSerializer.Deserialize<Report>(json, Json.Options) : null;

    private static ProblemHttpResult NoReport() =>
        Problems.Of(StatusCodes.Status404NotFound, "report-not-found", "The report is missing from the blob store, or damaged there; "
            + "restore a backup or train the model again.");
}
