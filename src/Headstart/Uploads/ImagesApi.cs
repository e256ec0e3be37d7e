using System.ComponentModel;
using System.Security.Claims;
using Headstart.Access;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Learning.Imaging;
using Headstart.Operations;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Uploads;

/// <param name="Async">true always answers with an import, false never; by default the upload decides.</param>
/// <param name="DryRun">true stores nothing and answers what the request would do.</param>
public sealed record UploadQuery(
    [property: FromQuery(Name = "async")] bool? Async, [property: FromQuery(Name = "dryRun")] bool? DryRun);

public static class ImagesApi
{
    internal static readonly Dictionary<string, string> Fields = new() { ["category"] = "cats" };

    public static void MapImages(this RouteGroupBuilder api)
    {
        var images = api.MapGroup("/models/{id:guid}/images").WithTags("Images").ForImages("its examples are at {0}/texts");
        api.MapPost("/models/{id:guid}/images", Add).WithTags("Images").Spends(Quota.Images, Quota.Bytes)
            .Named("addImages", "Add labelled images",
                "Step 2 of the main job. Send one of these. A form: put a field named category before the files it applies to (in a "
                + "multi-label model one field for each category, or one empty field for none), or a part named manifest, a table or "
                + "JSON Lines with the category of each file. A zip archive: its folders are the categories, folders named train, val "
                + "and test above or in them set the split, and a labels.csv or labels.jsonl at the top level replaces the folders. JSON, "
                + "JSON Lines or CSV: each row has the url of an image, or in JSON its base64, and its category; separate several "
                + "categories in a cell with |.\n\nFiles that cannot be used are listed with the reason; the others are kept. Sending "
                + "a file again adds nothing: it is accepted as alreadyThere. Large uploads, and those with more than a few URLs, are "
                + "answered with 202 and an import that continues in the background; ?async=true or false overrides this.\n\n?dryRun=true "
                + "stores nothing and answers what the same request would do: the categories, how many images for training and testing, "
                + "what would be left out, and why. With it, JSON may also list names only, {\"images\":[{\"file\":\"cats/a.jpg\"}]}.")
            .WithMetadata(new FileForm(Fields, RawImage: false, Zip: true, Json: typeof(NewImagesRequest), Manifests: true))
            .WithMetadata(new BodyExample("""{"images":[{"url":"https://example.com/cat.jpg","category":"cats"}]}"""))
            .WithMetadata(new AlsoAnswers(typeof(UploadPlan))).Produces<UploadResponse>()
            .Refuses(400, 401, 404, 413, 415, 422, 507).ForImages("send texts to {0}/texts");
        images.MapGet("/", List).Named("listImages", "List the images", "Newest first; ?category= filters by "
            + "category.").Refuses(400, 401, 404);
        images.MapGet("/{imageId:guid}", Get).Named("getImage", "Get an image", "Its details; the file itself is at "
            + "/content.").Refuses(401, 404);
        images.MapGet("/{imageId:guid}/content", Content).Named("getImageContent", "Get an image's bytes",
            "As uploaded, or with ?size= as a JPEG that fits a square of that many pixels.")
            .Produces<byte[]>(200, "image/jpeg", "image/png", "image/webp", "image/gif", "image/tiff", "image/avif")
            .Produces(StatusCodes.Status304NotModified).Refuses(400, 401, 404, 412);
        images.MapPatch("/{imageId:guid}", Change).Named("changeImage", "Correct or confirm an image's category",
                "The category must be one of the model's; for a multi-label model send categories, a list. Reports no longer suspect a "
                + "label that a person has set or confirmed.")
            .Example("""{"category":"dogs"}""").Refuses(400, 401, 404, 422);
        images.MapDelete("/{imageId:guid}", Delete).Named("deleteImage", "Delete an image", "Versions trained on it do not "
            + "change.").Refuses(401, 404);
    }

    private static async Task<Results<Ok<UploadResponse>, Ok<UploadPlan>, Accepted<ImportProgress>, ProblemHttpResult>> Add(
        Guid id, HttpContext http,
        [FromHeader(Name = "Idempotency-Key")][Description("For imports: sending the same key again returns the import it "
            + "created.")] string? idempotencyKey,
        [AsParameters] UploadQuery query, HeadstartDb db, [FromServices] ImageRequests requests, CancellationToken cancel)
    {
        // the request may be large: reading it enforces its own limits
        http.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = null;
        if (await db.ModelsOf(http.User).AsNoTracking().Include(m => m.Categories).SingleOrDefaultAsync(m => m.Id == id, cancel)
            is not { } model)
        {
            return Problems.NoSuchModel();
        }

        if (Problems.RefuseIdempotencyKey(idempotencyKey) is { } invalid)
        {
            return invalid;
        }

        IResult answer = query.DryRun is true ? (await requests.PlanAsync(model, http.Request, cancel)).Result
            : (await requests.TakeAsync(model, http.Request, query.Async, idempotencyKey, cancel)).Result;
        return answer switch
        {
            Ok<UploadResponse> uploaded => uploaded,
            Ok<UploadPlan> plan => plan,
            Accepted<ImportProgress> import => import,
            var refusal => (ProblemHttpResult)refusal,
        };
    }

    private static async Task<Results<Ok<Page<ImageResponse>>, ProblemHttpResult>> List(
        Guid id, HeadstartDb db, ClaimsPrincipal caller, string? category, int? limit, Guid? after, CancellationToken cancel)
    {
        if (await db.ModelsOf(caller).Include(m => m.Categories).SingleOrDefaultAsync(m => m.Id == id, cancel) is not { } model)
        {
            return Problems.NoSuchModel();
        }

        var size = Page.Limit(limit);
        var rows = await db.Examples.Include(i => i.Labels).Where(i => i.ModelId == id && (after == null || i.Id < after))
            .Where(i => category == null || i.Labels.Any(l => db.Categories.Any(c => c.Id == l.CategoryId && c.Name == category)))
            .OrderByDescending(i => i.Id).Take(size + 1).ToListAsync(cancel);
        var names = model.Categories.ToDictionary(c => c.Id, c => c.Name);
        return TypedResults.Ok(Page.Of(rows.ConvertAll(image => ImageResponse.Of(image, model.Kind, names)), size, i => i.Id.ToString()));
    }

    private static async Task<Results<Ok<ImageResponse>, ProblemHttpResult>> Get(
        Guid id, Guid imageId, HeadstartDb db, ClaimsPrincipal caller, CancellationToken cancel) =>
        await db.ModelsOf(caller).Include(m => m.Categories).SingleOrDefaultAsync(m => m.Id == id, cancel) is { } model
        && await db.Examples.Include(i => i.Labels).SingleOrDefaultAsync(i => i.ModelId == id && i.Id == imageId, cancel) is { } image
            ? TypedResults.Ok(ImageResponse.Of(image, model.Kind, model.Categories.ToDictionary(c => c.Id, c => c.Name)))
            : NoSuchImage(id);

    private static async Task<Results<FileContentHttpResult, ProblemHttpResult>> Content(
        Guid id, Guid imageId, HttpContext http, HeadstartDb db, IBlobStore blobs, int? size, CancellationToken cancel)
    {
        if (ThumbnailSize.Refuse(size) is { } refusal)
        {
            return refusal;
        }

        if (await FindAsync(db, http.User, id, imageId, cancel) is not { } image
            || await blobs.GetAsync(image.Sha256, cancel) is not { } bytes)
        {
            return NoSuchImage(id);
        }

        // An image never changes, and a browser must never render an uploaded file as a page; see also SafeHeaders.
        http.Response.Headers.CacheControl = "private, max-age=31536000, immutable";
        http.Response.Headers.ContentSecurityPolicy = "default-src 'none'; sandbox";
        var tag = new Microsoft.Net.Http.Headers.EntityTagHeaderValue($"\"{Convert.ToHexStringLower(image.Sha256)}-{size ?? 0}\"");
        return size is { } side
            ? TypedResults.Bytes(ImageReader.Thumbnail(bytes, side), "image/jpeg", entityTag: tag)
            : TypedResults.Bytes(bytes, image.MediaType, entityTag: tag);
    }

    private static async Task<Results<Ok<ImageResponse>, ProblemHttpResult>> Change(
        Guid id, Guid imageId, ImageChange change, HeadstartDb db, ClaimsPrincipal caller, CancellationToken cancel)
    {
        if (await db.ModelsOf(caller).SingleOrDefaultAsync(m => m.Id == id, cancel) is not { } model
            || await FindAsync(db, caller, id, imageId, cancel) is null)
        {
            return NoSuchImage(id);
        }

        if (change is { Category: null, Categories: null, Confirmed: null })
        {
            return Problems.Invalid("nothing-to-change", "Send the image's correct category, or confirmed: true if the current one is "
                + "correct.");
        }

        var named = change.Categories ?? (change.Category is null ? null : [change.Category]);
        if (named is not null && !model.Kind.TakesSeveral() && named.Count != 1)
        {
            return Problems.Invalid("several-categories", "An image of this model has exactly one category; send one.");
        }

        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await db.HoldModelAsync(id);
        if (named is not null)
        {
            var names = named.Select(name => Names.Read(name, "category").Name ?? "").Distinct().ToList();
            var categories = await db.Categories.Where(c => c.ModelId == id && names.Contains(c.Name)).Select(c => c.Id)
                .ToListAsync(cancel);
            if (categories.Count < names.Count)
            {
                return Problems.Invalid("unknown-category", "The model has no such category; GET the model to list its categories, PATCH "
                    + "it to add one.");
            }

            // Lock the row first: of two concurrent changes one waits here, so the image never gets the categories of both.
            await db.Examples.Where(i => i.Id == imageId)
                .ExecuteUpdateAsync(set => set.SetProperty(i => i.Confirmed, change.Confirmed ?? true), cancel);
            await db.ExampleLabels.Where(l => l.ExampleId == imageId).ExecuteDeleteAsync(cancel);
            db.AddRange(categories.Select(category => new ExampleLabel { ExampleId = imageId, CategoryId = category }));
            await db.SaveChangesAsync(cancel);
        }
        else
        {
            await db.Examples.Where(i => i.Id == imageId)
                .ExecuteUpdateAsync(set => set.SetProperty(i => i.Confirmed, change.Confirmed!.Value), cancel);
        }

        await transaction.CommitAsync(cancel);
        return await Get(id, imageId, db, caller, cancel);
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> Delete(
        Guid id, Guid imageId, HeadstartDb db, ClaimsPrincipal caller, CancellationToken cancel) =>
        await FindAsync(db, caller, id, imageId, cancel) is not null
        && await db.DeleteExamplesAsync(id, i => i.Id == imageId, cancel) == 1
            ? TypedResults.NoContent()
            : NoSuchImage(id);

    private static Task<Example?> FindAsync(HeadstartDb db, ClaimsPrincipal caller, Guid id, Guid imageId, CancellationToken cancel) =>
        db.ModelsOf(caller).Where(m => m.Id == id)
            .Join(db.Examples.Where(i => i.Id == imageId), m => m.Id, i => i.ModelId, (_, i) => i).SingleOrDefaultAsync(cancel);

    private static ProblemHttpResult NoSuchImage(Guid id) => Problems.NoSuch("image", $"/api/v1/models/{id}/images");
}
