using System.ComponentModel.DataAnnotations;
using System.Security.Claims;
using Headstart.Access;
using Headstart.Data;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Models;

/// <param name="From">The categories to merge; they no longer exist afterwards.</param>
/// <param name="Into">The category that gets their examples.</param>
public sealed record CategoryMerge([property: Required] IReadOnlyList<string?>? From, [property: Required] string? Into);

/// <param name="From">Its current name.</param>
/// <param name="Into">Its new name.</param>
public sealed record CategoryRename([property: Required] string? From, [property: Required] string? Into);

/// <param name="Id">Undo it with POST /models/{id}/categories/changes/{changeId}/undo.</param>
/// <param name="From">The former names: one for a rename.</param>
/// <param name="Into">The name that replaced them.</param>
/// <param name="Merged">Whether categories were merged; false for a rename.</param>
/// <param name="Moved">Number of labels that were moved.</param>
/// <param name="UndoneAt">When the change was undone; null if it was not.</param>
public sealed record CategoryChangeResponse(Guid Id, IReadOnlyList<string> From, string Into, bool Merged, int Moved, DateTime CreatedAt,
    DateTime? UndoneAt);

/// <summary>Merges and renames categories, and undoes that.</summary>
public static class CategoriesApi
{
    public static void MapCategories(this RouteGroupBuilder api)
    {
        var categories = api.MapGroup("/models/{id:guid}/categories").WithTags("Models");
        categories.MapPost("/merge", Merge).Named("mergeCategories", "Merge categories",
                "Moves their examples into one of them and removes the others. Published versions keep predicting the names that they were "
                + "trained with; the next training run uses the new ones. Sending it again changes nothing. It can be undone.")
            .Example("""{"from":["Cats","CATS"],"into":"cats"}""").Refuses(400, 401, 404, 409, 422);
        categories.MapPost("/rename", Rename).Named("renameCategory", "Rename a category",
                "Its examples stay. Published versions keep predicting the name that they were trained with; the next training run "
                + "uses the new one. Sending it again changes nothing. It can be undone.")
            .Example("""{"from":"cats","into":"house cats"}""").Refuses(400, 401, 404, 409, 422);
        categories.MapGet("/changes", List).Named("listCategoryChanges", "List the merged and renamed categories",
            "Newest first, with what was undone.").Refuses(400, 401, 404);
        categories.MapPost("/changes/{changeId:guid}/undo", Undo).Named("undoCategoryChange", "Undo a merge or a rename",
            "Restores the former names and the moved labels, except for examples that were deleted or relabelled since. "
            + "Undoing it again changes nothing.").Refuses(401, 404, 409);
    }

    private static async Task<Results<Ok<CategoryChangeResponse>, ProblemHttpResult>> Merge(
        Guid id, CategoryMerge request, [FromServices] CategoryChanges changes, ClaimsPrincipal caller, CancellationToken cancel)
    {
        var from = new List<string>();
        foreach (var (index, given) in (request.From ?? []).Index())
        {
            var (name, problem) = Names.Read(given, "category");
            if (name is null)
            {
                return Problems.Of(StatusCodes.Status422UnprocessableEntity, "invalid-category", problem!, ("index", index));
            }

            from.Add(name);
        }

        var (into, wrong) = Names.Read(request.Into, "category");
        return into is null ? Problems.Invalid("invalid-category", wrong!)
            : from.Count == 0 ? Problems.Invalid("nothing-to-merge", "Send the categories to merge in the list from, and in into the one "
                + "that gets their examples.")
            : from.Contains(into) ? Problems.Invalid("nothing-to-merge", $"\"{into}\" cannot be merged into itself; leave it out of from.")
            : TypedResults.Ok(await changes.MergeAsync(caller, id, [.. from.Distinct()], into, cancel));
    }

    private static async Task<Results<Ok<CategoryChangeResponse>, ProblemHttpResult>> Rename(
        Guid id, CategoryRename request, [FromServices] CategoryChanges changes, ClaimsPrincipal caller, CancellationToken cancel)
    {
        var (from, problem) = Names.Read(request.From, "category");
        var (into, wrong) = Names.Read(request.Into, "category");
        return from is null || into is null ? Problems.Invalid("invalid-category", problem ?? wrong!)
            : from == into ? Problems.Invalid("nothing-to-rename", $"The category is already called \"{into}\"; send another name in into.")
            : TypedResults.Ok(await changes.RenameAsync(caller, id, from, into, cancel));
    }

    private static async Task<Results<Ok<Page<CategoryChangeResponse>>, ProblemHttpResult>> List(
        Guid id, HeadstartDb db, ClaimsPrincipal caller, int? limit, Guid? after, CancellationToken cancel)
    {
        if (!await db.ModelsOf(caller).AnyAsync(m => m.Id == id, cancel))
        {
            return Problems.NoSuchModel();
        }

        var changes = db.CategoryChanges.Where(c => c.ModelId == id && (after == null || c.Id < after)).OrderByDescending(c => c.Id);
        return TypedResults.Ok(await Page.ReadAsync(changes, limit, some => CategoryChanges.ViewAsync(db, some, cancel),
            c => c.Id.ToString()));
    }

    private static async Task<Results<Ok<CategoryChangeResponse>, ProblemHttpResult>> Undo(
        Guid id, Guid changeId, [FromServices] CategoryChanges changes, ClaimsPrincipal caller, CancellationToken cancel) =>
        TypedResults.Ok(await changes.UndoAsync(caller, id, changeId, cancel));
}
