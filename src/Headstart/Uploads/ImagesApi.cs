using System.ComponentModel;
using System.Security.Claims;
using System.Text.Json;
using Headstart.Access;
using Headstart.Data;
using Headstart.Learning.Imaging;
using Headstart.Uploads.Files;
using Headstart.Uploads.Storing;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Uploads;

/// <param name="Category">Only images of this category.</param>
/// <param name="Split">Only <c>train</c> or <c>test</c>.</param>
/// <param name="Flaw">Only images with this flaw; <c>any</c> for all flaws.</param>
/// <param name="Boxes">In a detection model, true for images with known boxes, false for images that nobody has labelled.</param>
public sealed record ImageQuery(
    [property: FromQuery(Name = "category")] string? Category, [property: FromQuery(Name = "split")] string? Split,
    [property: FromQuery(Name = "flaw")] string? Flaw, [property: FromQuery(Name = "boxes")] bool? Boxes);

/// <param name="Async">true always answers with an import, false never; by default the upload decides.</param>
/// <param name="DryRun">true stores nothing and returns what the request would do.</param>
public sealed record UploadQuery(
    [property: FromQuery(Name = "async")] bool? Async, [property: FromQuery(Name = "dryRun")] bool? DryRun);

public static class ImagesApi
{
    internal const string ListExample = """{"images":[{"url":"https://example.com/cat.jpg","category":"cats"}]}""";
    internal const string BoxesExample =
        """{"images":[{"url":"https://example.com/cat.jpg","boxes":[{"category":"cats","x":0.1,"y":0.2,"width":0.3,"height":0.4}]}]}""";
    internal const string TableExample = "url,category\nhttps://example.com/cat.jpg,cats\n";
    internal static readonly Dictionary<string, string> Fields = new() { ["category"] = "cats" };

    public static void MapImages(this RouteGroupBuilder api)
    {
        var images = api.MapGroup("/models/{id:guid}/images").WithTags("Images").ForImages("its examples are at {0}/texts");
        Map("", Add, "addImages", "Add labelled images", "Step 2 of the main job. Put a field named category before the files it applies "
                + "to (in a multi-label model one field for each category, or one empty field for none), or a part named manifest, a table "
                + "or JSON Lines with the category of each file. The bodies of the paths below are accepted here, too; large ones, and "
                + "those with more than a few URLs, are then answered with 202 and an import, and ?async=true or false overrides this. "
                + "?dryRun=true stores nothing and answers as /dry-run does.")
            .WithMetadata(new FileForm(Fields, Manifest: true), new TakesMore("Idempotency-Key", "async", "dryRun"));
        Map("/archive", AddAtOnce, "addImageArchive", "Add the images of an archive", "A zip archive: its folders are the categories, "
                + "folders named train, val and test above or in them set the split, and a labels.csv or labels.jsonl at the top level "
                + "replaces the folders. Send more than a few hundred images to /imports/archive.")
            .WithMetadata(new RawBody("", "application/zip"));
        Map("/list", AddAtOnce, "addImageList", "Add images by URL or in base64",
                "Each has the url of an image or its base64, and its category.")
            .WithMetadata(new JsonBody(typeof(NewImagesRequest)), new BodyExample(ListExample));
        Map("/table", AddAtOnce, "addImageTable", "Add the images of a table", "CSV or JSON Lines: each row has the url of an image and "
                + "its category; separate several categories in a cell with |.")
            .WithMetadata(new RawBody(TableExample, "text/csv", "application/x-ndjson", "application/jsonl"));
        MapPlan("/dry-run", "planImages", "Try a list of images", "Each has the url of an image and its category, or only the name of a "
                + "file in its folders: {\"images\":[{\"file\":\"cats/a.jpg\"}]}.")
            .WithMetadata(new JsonBody(typeof(NewImagesRequest)), new BodyExample("""{"images":[{"file":"cats/a.jpg"}]}"""));
        MapPlan("/archive/dry-run", "planImageArchive", "Try an archive", "A zip archive.")
            .WithMetadata(new RawBody("", "application/zip"));
        images.MapGet("/", List).Named("listImages", "List the images", "Newest first; ?category= filters by "
            + "category, ?split= by train or test, ?flaw= by a flaw that makes an image a bad example (any for all), ?boxes= by "
            + "whether the boxes of a detection model are known.").Refuses(400, 401, 404, 422);
        images.MapGet("/{imageId:guid}", Get).Named("getImage", "Get an image", "Its details; the file itself is at "
            + "/content.").Refuses(401, 404);
        images.MapGet("/{imageId:guid}/content", Content).Named("getImageContent", "Get an image's bytes",
            "As uploaded, or with ?size= as a JPEG that fits a square of that many pixels.")
            .Produces<byte[]>(200, ImageFormat.MediaTypes[0], [.. ImageFormat.MediaTypes.Skip(1)])
            .Refuses(400, 401, 404, 412, 503);
        images.MapPatch("/{imageId:guid}", Change).Named("changeImage", "Correct or confirm an image's category, or change its split",
                "The category must be one of the model's; for a multi-label model send categories, a list. Reports no longer suspect a "
                + "label that a user has set or confirmed. Send split to move the image to train or test from the next run on.")
            .Example("""{"category":"dogs"}""").Refuses(400, 401, 404, 422);
        images.MapDelete("/{imageId:guid}", Delete).Named("deleteImage", "Delete an image", "Versions trained on it do not "
            + "change.").Refuses(401, 404);

        RouteHandlerBuilder Map(string path, Delegate add, string name, string summary, string description) =>
            api.MapPost($"/models/{{id:guid}}/images{path}", add).WithTags("Images").Spends(Quota.Images, Quota.Bytes)
                .Named(name, summary, $"{description}\n\nFiles that cannot be used are listed with the reason; the others are kept. Sending "
                    + "a file again adds nothing: it is accepted as alreadyThere.")
                .Produces<UploadResponse>().Refuses(400, 401, 404, 413, 415, 422, 507).ForImages("send texts to {0}/texts");

        RouteHandlerBuilder MapPlan(string path, string name, string summary, string description) =>
            api.MapPost($"/models/{{id:guid}}/images{path}", Plan).WithTags("Images").Named(name, summary, description + " Nothing is "
                    + "stored; the answer says what the upload would do: the categories, how many images for training and testing, what "
                    + "would be left out, and why.")
                .Refuses(400, 401, 404, 413, 415, 422, 507).ForImages("send texts to {0}/texts/dry-run");
    }

    private static async Task<Results<Ok<UploadResponse>, ProblemHttpResult>> AddAtOnce(
        Guid id, HttpContext http, HeadstartDb db, [FromServices] ImageRequests requests, CancellationToken cancel) =>
        await AddAsync(id, http, null, background: false, db, requests, cancel) switch
        {
            Ok<UploadResponse> uploaded => uploaded,
            var refusal => (ProblemHttpResult)refusal,
        };

    private static async Task<Results<Ok<UploadPlan>, ProblemHttpResult>> Plan(
        Guid id, HttpContext http, HeadstartDb db, [FromServices] ImageRequests requests, CancellationToken cancel) =>
        await WithAnyBodyAsync(id, http, db, cancel) is { } model ? await requests.PlanAsync(model, http.Request, cancel)
            : Problems.NoSuchModel();

    // Takes every kind of body. The document describes only one kind and its answers, see above.
    private static async Task<IResult> Add(
        Guid id, HttpContext http,
        [FromHeader(Name = "Idempotency-Key")][Description("For imports: sending the same key again returns the import it "
            + "created.")] string? idempotencyKey,
        [AsParameters] UploadQuery query, HeadstartDb db, [FromServices] ImageRequests requests, CancellationToken cancel) =>
        query.DryRun is true ? await Plan(id, http, db, requests, cancel)
            : await AddAsync(id, http, idempotencyKey, query.Async, db, requests, cancel);

    /// <param name="background">Whether to create an import; null lets the upload decide.</param>
    internal static async Task<IResult> AddAsync(
        Guid id, HttpContext http, string? idempotencyKey, bool? background, HeadstartDb db, ImageRequests requests,
        CancellationToken cancel) =>
        await WithAnyBodyAsync(id, http, db, cancel) is not { } model ? Problems.NoSuchModel()
        : Problems.RefuseIdempotencyKey(idempotencyKey) is { } invalid ? invalid
        : (await requests.TakeAsync(model, http.Request, background, idempotencyKey, cancel)).Result;

    /// <summary>The model with its categories. Removes the body's size limit: readers enforce their own.</summary>
    private static Task<Model?> WithAnyBodyAsync(Guid id, HttpContext http, HeadstartDb db, CancellationToken cancel)
    {
        http.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = null;
        return db.ModelsOf(http.User).AsNoTracking().Include(m => m.Categories).SingleOrDefaultAsync(m => m.Id == id, cancel);
    }

    private static async Task<Results<Ok<Page<ImageResponse>>, ProblemHttpResult>> List(
        Guid id, HeadstartDb db, ClaimsPrincipal caller, [AsParameters] ImageQuery query, [AsParameters] PageQuery page,
        CancellationToken cancel)
    {
        if (await db.ModelsOf(caller).Include(m => m.Categories).SingleOrDefaultAsync(m => m.Id == id, cancel) is not { } model)
        {
            return Problems.NoSuchModel();
        }

        if (!SplitNames.TryRead(query.Split, out var side))
        {
            return SplitNames.Unknown();
        }

        ImageFlaws? flaws = query.Flaw == "any" ? (ImageFlaws)~0
            : Enum.TryParse<ImageFlaws>(query.Flaw, ignoreCase: true, out var one) && one != ImageFlaws.None ? one : null;
        if (query.Flaw is not null && flaws is null)
        {
            var known = Enum.GetNames<ImageFlaws>().Skip(1).Select(JsonNamingPolicy.CamelCase.ConvertName);
            return Problems.Of(StatusCodes.Status400BadRequest, "invalid-flaw", $"flaw must be any or one of: {string.Join(", ", known)}.");
        }

        var (after, named) = (page.After, query.Category is null ? null : Names.Clean(query.Category));
        var rows = db.Examples.AsNoTracking().WithLabels(model.Kind).Where(i => i.ModelId == id && (after == null || i.Id < after))
            .Where(i => side == null || i.Split == side)
            .Where(i => flaws == null || (i.Flaws & flaws) != 0)
            .Where(i => query.Boxes == null || i.BoxesKnown == query.Boxes)
            .Where(i => named == null || i.Labels.Any(l => db.Categories.Any(c => c.Id == l.CategoryId && c.Name == named)))
            .OrderByDescending(i => i.Id);
        var names = model.Categories.ToDictionary(c => c.Id, c => c.Name);
        return TypedResults.Ok(await Page.ReadAsync(rows, page.Limit, image => ImageResponse.Of(image, model.Kind, names),
            i => i.Id.ToString(), cancel));
    }

    private static async Task<Results<Ok<ImageResponse>, ProblemHttpResult>> Get(
        Guid id, Guid imageId, HeadstartDb db, ClaimsPrincipal caller, CancellationToken cancel) =>
        await db.ModelsOf(caller).Include(m => m.Categories).SingleOrDefaultAsync(m => m.Id == id, cancel) is { } model
        && await db.Examples.AsNoTracking().WithLabels(model.Kind)
            .SingleOrDefaultAsync(i => i.ModelId == id && i.Id == imageId, cancel) is { } image
            ? TypedResults.Ok(ImageResponse.Of(image, model.Kind, model.Categories.ToDictionary(c => c.Id, c => c.Name)))
            : NoSuchImage(id);

    private static async Task<Results<FileContentHttpResult, StatusCodeHttpResult, ProblemHttpResult>> Content(
        Guid id, Guid imageId, HttpContext http, HeadstartDb db, [FromServices] ImageContents contents, int? size,
        CancellationToken cancel) =>
        (await FindAsync(db, http.User, id, imageId, cancel) is not { } image ? null
            : await contents.AnswerAsync(http, image.Sha256, image.MediaType, size, cancel)) ?? NoSuchImage(id);

    private static async Task<Results<Ok<ImageResponse>, ProblemHttpResult>> Change(
        Guid id, Guid imageId, ImageChange change, HeadstartDb db, ClaimsPrincipal caller, CancellationToken cancel)
    {
        if (await db.ModelsOf(caller).SingleOrDefaultAsync(m => m.Id == id, cancel) is not { } model
            || await FindAsync(db, caller, id, imageId, cancel) is null)
        {
            return NoSuchImage(id);
        }

        if (change is { Category: null, Categories: null, Confirmed: null, Split: null })
        {
            return Problems.Invalid("nothing-to-change", "Send the image's correct category, confirmed: true if the current one is "
                + "correct, or the split to move it to.");
        }

        if (model.Kind.HasBoxes() && change is not { Category: null, Categories: null })
        {
            return Problems.Invalid("boxes-wanted", "The categories of an image in this model are those of its boxes; PUT "
                + $"/api/v1/models/{id}/images/{imageId}/boxes.");
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
            var (categories, refusal) = await KnownCategories.FindAsync(db, id, named, cancel);
            if (refusal is not null)
            {
                return refusal;
            }

            // Lock the row first: of two concurrent changes one waits here, so the image never gets the categories of both.
            await db.Examples.Where(i => i.Id == imageId)
                .ExecuteUpdateAsync(set => set.SetProperty(i => i.Confirmed, change.Confirmed ?? true), cancel);
            await db.ExampleLabels.Where(l => l.ExampleId == imageId).ExecuteDeleteAsync(cancel);
            db.AddRange(categories.Select(category => new ExampleLabel { ExampleId = imageId, CategoryId = category }));
            await db.SaveChangesAsync(cancel);
        }
        else if (change.Confirmed is { } confirmed)
        {
            await db.Examples.Where(i => i.Id == imageId).ExecuteUpdateAsync(set => set.SetProperty(i => i.Confirmed, confirmed), cancel);
        }

        if (change.Split is { } side)
        {
            await db.MoveAsync(imageId, side, cancel);
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

    internal static ProblemHttpResult NoSuchImage(Guid id) => Problems.NoSuch("image", $"/api/v1/models/{id}/images");
}
