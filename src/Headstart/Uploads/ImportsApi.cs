using System.ComponentModel;
using Headstart.Access;
using Headstart.Data;
using Headstart.Jobs;
using Headstart.Uploads.Imports;
using Headstart.Uploads.Storing;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Uploads;

/// <param name="Position">Position in the upload, from 0.</param>
/// <param name="Reason">A stable slug, such as <c>damaged</c> or <c>unknown-category</c>.</param>
/// <param name="Detail">What is wrong and how to fix it.</param>
public sealed record RejectionResponse(int Position, string FileName, string Reason, string Detail);

public static class ImportsApi
{
    private static readonly ModelJobs<Import, Import, ImportProgress> Jobs = new(ImportJob.Kind, "import", "imports",
        (_, imports) => imports, ImportProgress.Of);

    public static void MapImports(this RouteGroupBuilder api)
    {
        var imports = api.MapGroup("/models/{id:guid}/imports").WithTags("Imports").ForImages("send texts to {0}/texts, which needs "
            + "no import");
        Map("/files", "importImages", "Import a form of images").WithMetadata(new FileForm(ImagesApi.Fields, Manifest: true));
        Map("/archive", "importImageArchive", "Import an archive").WithMetadata(new RawBody("", "application/zip"));
        Map("/list", "importImageList", "Import images by URL or in base64")
            .WithMetadata(new JsonBody(typeof(NewImagesRequest)), new BodyExample(ImagesApi.ListExample));
        Map("/table", "importImageTable", "Import the images of a table")
            .WithMetadata(new RawBody(ImagesApi.TableExample, "text/csv", "application/x-ndjson", "application/jsonl"));
        imports.MapGet("/", Jobs.ListAsync).Named("listImports", "List the imports",
            "Newest first. Uploads that take too long for one request become imports.").Refuses(400, 401, 404);
        imports.MapGet("/{importId:guid}", ([AsParameters] ModelJobsCall call, Guid importId) => Jobs.GetAsync(call, importId))
            .Named("getImport", "Get an import", "Its state and progress.").Refuses(401, 404);
        imports.MapGet("/{importId:guid}/events", ([AsParameters] ModelJobsCall call, Guid importId) => Jobs.EventsAsync(call, importId))
            .Named("watchImport", "Watch an import",
            "Server-sent events, each the import's current state; the stream ends with the import.")
            .Produces<ImportProgress>(200, "text/event-stream").Refuses(401, 404);
        imports.MapGet("/{importId:guid}/rejections", Rejections).Named("listImportRejections", "List the files that an import rejected",
            "In upload order, each with the reason. While the import runs, the list contains the rejections so "
                + "far.").Refuses(400, 401, 404);
        imports.MapPost("/{importId:guid}/cancel", ([AsParameters] ModelJobsCall call, Guid importId) => Jobs.CancelAsync(call, importId))
            .Named("cancelImport", "Cancel an import",
            "It stops within a few seconds; images added so far stay. Cancelling a finished import changes nothing.").Refuses(401, 404);

        RouteHandlerBuilder Map(string path, string name, string summary) => imports.MapPost(path, Start)
            .Spends(Quota.Images, Quota.Bytes).Named(name, summary, "The body is that of the same path below /images. It is stored, and "
                + "its images are added in the background, even if the host is restarted.")
            .Refuses(400, 401, 404, 413, 415, 422, 507);
    }

    private static async Task<Results<Accepted<ImportProgress>, ProblemHttpResult>> Start(
        Guid id, HttpContext http,
        [FromHeader(Name = "Idempotency-Key")][Description("Sending the same key again returns the import it created.")]
        string? idempotencyKey,
        HeadstartDb db, [FromServices] ImageRequests requests, CancellationToken cancel) =>
        await ImagesApi.AddAsync(id, http, idempotencyKey, background: true, db, requests, cancel) switch
        {
            Accepted<ImportProgress> import => import,
            var refusal => (ProblemHttpResult)refusal,
        };

    private static async Task<Results<Ok<Page<RejectionResponse>>, ProblemHttpResult>> Rejections(
        [AsParameters] ModelJobsCall call, Guid importId, int? limit, int? after)
    {
        if (!await call.Job<Import>(importId).AnyAsync(call.Cancel))
        {
            return Jobs.NoSuchJob(call);
        }

        return TypedResults.Ok(await Page.ReadAsync(call.Db.ImportRejections.AsNoTracking()
            .Where(r => r.ImportId == importId && (after == null || r.Position > after)).OrderBy(r => r.Position), limit,
            r => new RejectionResponse(r.Position, r.FileName, r.Reason, r.Detail), r => $"{r.Position}", call.Cancel));
    }
}
