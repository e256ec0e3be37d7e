using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Security.Claims;
using System.Text.Json.Serialization;
using Headstart.Access;
using Headstart.Data;
using Headstart.Training;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Models;

/// <param name="Kind"><c>imageClassification</c>: each image shows one of the categories; <c>multiLabelImageClassification</c>: any number
/// of them; <c>textClassification</c>: each text belongs to one of the categories; <c>objectDetection</c>: each image shows any number of
/// objects of the categories, each in a box.</param>
/// <param name="Categories">May be empty: uploads then create the categories they name.</param>
/// <param name="Descriptions">What an image of a category shows, in words, by the category's name; used instead of the name if the host
/// has an image-text pair. The model can then be tried without images: a training run starts at once.</param>
public sealed record NewModelRequest([property: Required] string? Name, ModelKind Kind = ModelKind.ImageClassification,
    IReadOnlyList<string?>? Categories = null, IReadOnlyDictionary<string, string?>? Descriptions = null);

/// <param name="Name">The new name; omit it to keep the current one.</param>
/// <param name="Categories">The new list of all categories; omit it to keep the current ones. A category that still has examples cannot be
/// dropped.</param>
/// <param name="Descriptions">New descriptions, by the category's name; null removes one. The next training run reads them.</param>
public sealed record ModelChange(string? Name, IReadOnlyList<string?>? Categories,
    IReadOnlyDictionary<string, string?>? Descriptions = null);

/// <param name="ImageCount">Number of images, or of texts in a text model.</param>
/// <param name="Description">What an image of it shows, in words; omitted if nobody wrote it.</param>
public sealed record CategoryResponse(string Name, int ImageCount,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Description = null);

/// <param name="Number">Number of the version.</param>
/// <param name="Accuracy">0 to 1; null if it cannot be measured. The report says how it was measured, or why not.</param>
/// <param name="AccuracyInterval">Lower and upper bound of the 95 % confidence interval; null without an accuracy.</param>
/// <param name="ZeroShot">true if it has learned from no image and predicts from the words of its categories alone. Otherwise
/// absent.</param>
public sealed record PublishedResponse(int Number, double? Accuracy, IReadOnlyList<double>? AccuracyInterval,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool ZeroShot = false);

/// <summary>The most recent training run.</summary>
public sealed record LastRunResponse(Guid Id, JobState State, DateTime CreatedAt, DateTime? FinishedAt);

/// <param name="Published">The published version and its accuracy; null before the first one.</param>
/// <param name="LastRun">The most recent training run; null before the first one.</param>
/// <param name="Update">Set when new backbones may do better than the published version; POST /models/retrain uses them.</param>
/// <param name="UnlabelledCount">Texts without a category, which training uses too; omitted for an image model.</param>
/// <param name="SimilarCategories">Groups of categories whose names differ only in case, width, blanks or letters that look alike; omitted
/// if there are none. POST /models/{id}/categories/merge merges them.</param>
/// <param name="Words">The features that this host compares with the names and descriptions of categories; omitted if it has no image-text
/// pair, or if the model is not of the kind imageClassification.</param>
/// <param name="Notices">What you should know although nothing is wrong; omitted if there is nothing.</param>
public sealed record ModelResponse(
    Guid Id, string Name, ModelKind Kind, ModelState State, IReadOnlyList<CategoryResponse> Categories, int? PublishedVersion,
    DateTime CreatedAt,
    ModelUpdate? Update, PublishedResponse? Published, LastRunResponse? LastRun,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? UnlabelledCount,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<IReadOnlyList<string>>? SimilarCategories,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Words,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? Notices);

public static class ModelsApi
{
    public static void MapModels(this RouteGroupBuilder api)
    {
        var models = api.MapGroup("/models").WithTags("Models");
        models.MapPost("/", Create).Named("createModel", "Create a model", "Step 1. Without categories, the model takes them from the "
            + "uploads.").Spends(Quota.Models)
            .Example("""{"name":"Pets","kind":"imageClassification","categories":["cats","dogs"]}""").Refuses(400, 401, 409, 422);
        models.MapGet("/", List).Named("listModels", "List the models", "Newest first; ?named= finds the one with this name or id.")
            .Refuses(400, 401);
        models.MapGet("/{id:guid}", Get).Named("getModel", "Get a model", "Returns its state and the number of examples in each category.")
            .Refuses(401, 404);
        models.MapPatch("/{id:guid}", Change).Named("changeModel", "Rename a model, add, drop or describe categories",
            "Omitted fields stay as they are.")
            .Example("""{"name":"House pets","categories":["cats","dogs","rabbits"]}""").Refuses(400, 401, 404, 409, 422);
        models.MapDelete("/{id:guid}", Delete).Named("deleteModel", "Delete a model", "Also deletes its examples, training runs and "
            + "versions.").Refuses(401, 404);
    }

    private static async Task<Results<Created<ModelResponse>, ProblemHttpResult>> Create(
        NewModelRequest request, HeadstartDb db, [FromServices] ModelViews views, RunStart start, TimeProvider clock,
        ClaimsPrincipal caller, CancellationToken cancel)
    {
        var (name, problem) = Names.Read(request.Name, "model");
        if (name is null)
        {
            return Problems.Invalid("invalid-name", problem!);
        }

        if (NewModels.ReadCategories(request.Categories ?? [], out var categories) is { } refusal)
        {
            return refusal;
        }

        var model = NewModels.Of(caller.AccountId(), name, request.Kind, categories, clock.Now());
        if (NewModels.Describe(model.Categories, request.Descriptions) is { } undescribed)
        {
            return undescribed;
        }

        if (await NewModels.AddAsync(db, model, cancel) is { } taken)
        {
            return taken;
        }

        await start.FromWordsAsync(model, cancel);
        return TypedResults.Created($"/api/v1/models/{model.Id}", await views.WithNamesakeAsync(model.AccountId,
            (await views.ReadAsync(db.Models.Where(m => m.Id == model.Id), cancel)).Single(), cancel));
    }

    private static async Task<Page<ModelResponse>> List(
        HeadstartDb db, [FromServices] ModelViews views, ClaimsPrincipal caller,
        [Description("Only the model with this name or id.")] string? named, int? limit, Guid? after, CancellationToken cancel)
    {
        var account = caller.AccountId();
        var (name, id) = (named is null ? null : Names.Clean(named), Guid.TryParse(named, out var parsed) ? parsed : Guid.Empty);
        var models = db.Models.Where(m => m.AccountId == account && (after == null || m.Id < after))
            .Where(m => name == null || m.Name == name || m.Id == id).OrderByDescending(m => m.Id);
        return await Page.ReadAsync(models, limit, some => views.ReadAsync(some, cancel), m => m.Id.ToString());
    }

    private static async Task<Results<Ok<ModelResponse>, ProblemHttpResult>> Get(
        Guid id, HeadstartDb db, [FromServices] ModelViews views, ClaimsPrincipal caller, CancellationToken cancel) =>
        (await views.ReadAsync(db.ModelsOf(caller).Where(m => m.Id == id), cancel)).SingleOrDefault() is { } model
            ? TypedResults.Ok(model)
            : Problems.NoSuchModel();

    private static async Task<Results<Ok<ModelResponse>, ProblemHttpResult>> Change(
        Guid id, ModelChange change, HeadstartDb db, [FromServices] ModelViews views, ClaimsPrincipal caller, CancellationToken cancel)
    {
        var account = caller.AccountId();
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        // Locked, so that no example is added to a category between the check and the delete.
        var models = await db.Models.FromSql($"SELECT * FROM models WHERE id = {id} AND account_id = {account} FOR UPDATE").AsTracking()
            .ToListAsync(cancel);
        if (models is not [var model])
        {
            return Problems.NoSuchModel();
        }

        await db.Categories.Where(c => c.ModelId == id).AsTracking().LoadAsync(cancel);

        if (change.Name is not null)
        {
            var (name, problem) = Names.Read(change.Name, "model");
            if (name is null)
            {
                return Problems.Invalid("invalid-name", problem!);
            }

            model.Name = name;
        }

        if (change.Categories is not null)
        {
            if (NewModels.ReadCategories(change.Categories, out var wanted) is { } refusal)
            {
                return refusal;
            }

            var dropped = model.Categories.Where(c => !wanted.Contains(c.Name)).ToList();
            var droppedIds = dropped.ConvertAll(c => c.Id);
            var inUse = await db.Categories.Where(c => droppedIds.Contains(c.Id) && db.ExampleLabels.Any(l => l.CategoryId == c.Id))
                .Select(c => c.Name).FirstOrDefaultAsync(cancel);
            if (inUse is not null)
            {
                return Problems.Of(StatusCodes.Status409Conflict, "category-in-use",
                    $"The category \"{inUse}\" still has {model.Kind.Nouns()}; move or delete them before you drop it. "
                        + $"To rename it or merge it into another one, POST /api/v1/models/{id}/categories/rename or /merge.");
            }

            db.RemoveRange(dropped);
            foreach (var (position, category) in wanted.Index())
            {
                if (model.Categories.Find(c => c.Name == category) is { } kept)
                {
                    kept.Position = position;
                }
                else
                {
                    db.Add(NewModels.Category(id, category, position)); // EF adds it to the tracked model
                }
            }
        }

        if (NewModels.Describe(model.Categories, change.Descriptions) is { } undescribed)
        {
            return undescribed;
        }

        if (await NewModels.SaveAsync(db, model.Name, cancel) is { } taken)
        {
            return taken;
        }

        await transaction.CommitAsync(cancel);
        var changed = (await views.ReadAsync(db.Models.Where(m => m.Id == id), cancel)).Single();
        return TypedResults.Ok(change.Name is null ? changed : await views.WithNamesakeAsync(account, changed, cancel));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> Delete(
        Guid id, HeadstartDb db, ServableVersions versions, ClaimsPrincipal caller, CancellationToken cancel)
    {
        // Everything below a model is deleted with it (cascades); a run in progress notices that its row is gone and stops.
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var deleted = await db.ModelsOf(caller).Where(m => m.Id == id).ExecuteDeleteAsync(cancel);
        await Announcements.SayAsync(db, Announcement.Versions, cancel);
        await transaction.CommitAsync(cancel);
        versions.Forget();
        return deleted == 1 ? TypedResults.NoContent() : Problems.NoSuchModel();
    }
}
