using System.Security.Claims;
using Headstart.Access;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Learning.Imaging;
using Headstart.Operations;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Uploads;

public static class ImagesApi
{
    public static void MapImages(this RouteGroupBuilder api)
    {
        var images = api.MapGroup("/models/{id:guid}/images").WithTags("Images").ForImages("its examples are at {0}/texts");
        api.MapUploads();
        images.MapGet("/", List).Named("listImages", "List the images", "Newest first; of one category with ?category=.").Refuses(400, 401, 404);
        images.MapGet("/{imageId:guid}", Get).Named("getImage", "Get an image", "What is known of it; its bytes are under /content.").Refuses(401, 404);
        images.MapGet("/{imageId:guid}/content", Content).Named("getImageContent", "Get an image's bytes",
            "As uploaded, or with ?size= as a JPEG that fits a square of that many pixels.").Produces<byte[]>(200, "image/jpeg", "image/png", "image/webp", "image/gif", "image/tiff", "image/avif").Produces(StatusCodes.Status304NotModified).Refuses(400, 401, 404, 412);
        images.MapPatch("/{imageId:guid}", Change).Named("changeImage", "Correct or confirm an image's category",
                "The category must be one of the model's; a multi-label model takes categories, a list. What a person has set or confirmed is not suspected by reports any more.")
            .Example("""{"category":"dogs"}""").Refuses(400, 401, 404, 422);
        images.MapDelete("/{imageId:guid}", Delete).Named("deleteImage", "Delete an image", "Versions that learned from it stay as they are.").Refuses(401, 404);
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

        if (await FindAsync(db, http.User, id, imageId, cancel) is not { } image || await blobs.GetAsync(image.Sha256, cancel) is not { } bytes)
        {
            return NoSuchImage(id);
        }

        // An image never changes, and a browser must never take what a user uploaded for a page; see SafeHeaders, too.
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
        if (await db.ModelsOf(caller).SingleOrDefaultAsync(m => m.Id == id, cancel) is not { } model || await FindAsync(db, caller, id, imageId, cancel) is null)
        {
            return NoSuchImage(id);
        }

        if (change is { Category: null, Categories: null, Confirmed: null })
        {
            return Problems.Invalid("nothing-to-change", "Send the image's right category, or confirmed: true where the one it has is right.");
        }

        var named = change.Categories ?? (change.Category is null ? null : [change.Category]);
        if (named is not null && !model.Kind.TakesSeveral() && named.Count != 1)
        {
            return Problems.Invalid("several-categories", "The categories of this model exclude each other, so an image has one of them.");
        }

        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await db.HoldModelAsync(id);
        if (named is not null)
        {
            var names = named.Select(name => Names.Read(name, "category").Name ?? "").Distinct().ToList();
            var categories = await db.Categories.Where(c => c.ModelId == id && names.Contains(c.Name)).Select(c => c.Id).ToListAsync(cancel);
            if (categories.Count < names.Count)
            {
                return Problems.Invalid("unknown-category", "The model has no such category; GET the model for those it has, PATCH it to add one.");
            }

            // The row first: of two changes at once one waits here, so that the image never has the categories of both.
            await db.Examples.Where(i => i.Id == imageId).ExecuteUpdateAsync(set => set.SetProperty(i => i.Confirmed, change.Confirmed ?? true), cancel);
            await db.ExampleLabels.Where(l => l.ExampleId == imageId).ExecuteDeleteAsync(cancel);
            db.AddRange(categories.Select(category => new ExampleLabel { ExampleId = imageId, CategoryId = category }));
            await db.SaveChangesAsync(cancel);
        }
        else
        {
            await db.Examples.Where(i => i.Id == imageId).ExecuteUpdateAsync(set => set.SetProperty(i => i.Confirmed, change.Confirmed!.Value), cancel);
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
