using System.Security.Claims;
using Headstart.Access;
using Headstart.Data;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Models;

/// <summary>
/// Merges and renames categories and undoes it, each in one transaction that locks the model: of two concurrent changes the second sees the
/// first one's result, and uploads wait. A change stores the ids of the categories and the moved labels, so that undoing restores exactly
/// these.
/// </summary>
internal sealed class CategoryChanges(HeadstartDb db, TimeProvider clock)
{
    private const int Kept = 1_000; // changes per model, so that a program that renames in a loop cannot fill the disk

    /// <exception cref="RefusedException">Refused; nothing changed.</exception>
    public async Task<CategoryChangeResponse> MergeAsync(ClaimsPrincipal caller, Guid model, List<string> from, string into,
        CancellationToken cancel)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var categories = await HoldAsync(caller, model, cancel);
        if (from.TrueForAll(name => !categories.ContainsKey(name)) && await SameAsync(model, from, into, cancel) is { } before)
        {
            return before;
        }

        var target = Find(categories, into);
        var change = new CategoryChange
        {
            Id = Guid.CreateVersion7(),
            ModelId = model,
            CategoryId = target.Id,
            From = from,
            Into = into,
            Merged = from.ConvertAll(name => Find(categories, name)).ConvertAll(c =>
                new MergedCategory(c.Id, c.Name, c.Position, c.Description)),
            CreatedAt = clock.Now(),
        };
        await AddAsync(change, cancel);
        var gone = change.Merged.ConvertAll(c => c.Id);
        await db.Database.ExecuteSqlAsync($"""
            INSERT INTO moved_labels (change_id, example_id, category_id, had_both)
            SELECT {change.Id}, example_id, category_id, EXISTS (
                SELECT FROM example_labels AS other WHERE other.example_id = example_labels.example_id AND other.category_id = {target.Id})
            FROM example_labels WHERE category_id = ANY ({gone})
            """, cancel);
        await db.Database.ExecuteSqlAsync($"""
            INSERT INTO example_labels (example_id, category_id)
            SELECT DISTINCT example_id, {target.Id} FROM example_labels WHERE category_id = ANY ({gone})
            ON CONFLICT DO NOTHING
            """, cancel);
        await db.Database.ExecuteSqlAsync($"""
            INSERT INTO moved_boxes (change_id, box_id, category_id)
            SELECT {change.Id}, id, category_id FROM example_boxes WHERE category_id = ANY ({gone})
            """, cancel);
        await db.ExampleBoxes.Where(b => gone.Contains(b.CategoryId))
            .ExecuteUpdateAsync(set => set.SetProperty(b => b.CategoryId, target.Id), cancel);
        await db.Categories.Where(c => gone.Contains(c.Id)).ExecuteDeleteAsync(cancel); // cascades to their labels
        return await CommitAsync(change.Id, cancel);
    }

    /// <exception cref="RefusedException">Refused; nothing changed.</exception>
    public async Task<CategoryChangeResponse> RenameAsync(ClaimsPrincipal caller, Guid model, string from, string into,
        CancellationToken cancel)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var categories = await HoldAsync(caller, model, cancel);
        if (!categories.ContainsKey(from) && await SameAsync(model, [from], into, cancel) is { } before)
        {
            return before;
        }

        var category = Find(categories, from);
        if (categories.ContainsKey(into))
        {
            throw Conflict("category-exists", $"The model already has a category \"{into}\". To put \"{from}\" into it, POST "
                + $"/api/v1/models/{model}/categories/merge.");
        }

        var change = new CategoryChange
        {
            Id = Guid.CreateVersion7(),
            ModelId = model,
            CategoryId = category.Id,
            From = [from],
            Into = into,
            Merged = [],
            CreatedAt = clock.Now(),
        };
        await AddAsync(change, cancel);
        await db.Categories.Where(c => c.Id == category.Id).ExecuteUpdateAsync(set => set.SetProperty(c => c.Name, into), cancel);
        return await CommitAsync(change.Id, cancel);
    }

    /// <exception cref="RefusedException">Refused; nothing changed.</exception>
    public async Task<CategoryChangeResponse> UndoAsync(ClaimsPrincipal caller, Guid model, Guid id, CancellationToken cancel)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var categories = await HoldAsync(caller, model, cancel);
        if (await db.CategoryChanges.AsNoTracking().SingleOrDefaultAsync(c => c.Id == id && c.ModelId == model, cancel) is not { } change)
        {
            throw new RefusedException(Problems.NoSuch("category change", $"/api/v1/models/{model}/categories/changes"));
        }

        if (change.UndoneAt is not null)
        {
            return (await ViewAsync(db, db.CategoryChanges.Where(c => c.Id == id), cancel)).Single();
        }

        if (categories.Values.FirstOrDefault(c => c.Id == change.CategoryId) is not { } category)
        {
            throw Conflict("changed-since", $"The category \"{change.Into}\" was merged or dropped since; undo that first (GET "
                + $"/api/v1/models/{model}/categories/changes), if it was merged.");
        }

        await (change.Merged.Count > 0 ? SplitAsync(change, categories, cancel) : NameBackAsync(change, category, categories, cancel));
        var now = clock.Now();
        await db.CategoryChanges.Where(c => c.Id == id).ExecuteUpdateAsync(set => set.SetProperty(c => c.UndoneAt, now), cancel);
        return await CommitAsync(id, cancel);
    }

    /// <summary>Changes with the number of labels they moved.</summary>
    public static async Task<List<CategoryChangeResponse>> ViewAsync(HeadstartDb db, IQueryable<CategoryChange> changes,
        CancellationToken cancel) =>
        (await changes.AsNoTracking().Select(c => new { Change = c, Moved = db.MovedLabels.Count(l => l.ChangeId == c.Id) })
            .ToListAsync(cancel)).ConvertAll(row => new CategoryChangeResponse(row.Change.Id, row.Change.From, row.Change.Into,
                row.Change.Merged.Count > 0, row.Moved, row.Change.CreatedAt, row.Change.UndoneAt));

    /// <summary>Undoes a merge, except for labels that a user has changed since.</summary>
    private async Task SplitAsync(CategoryChange change, Dictionary<string, Category> categories, CancellationToken cancel)
    {
        foreach (var gone in change.Merged)
        {
            if (categories.TryGetValue(gone.Name, out var again)) // an upload has created one with that name since
            {
                await db.MovedLabels.Where(l => l.ChangeId == change.Id && l.CategoryId == gone.Id)
                    .ExecuteUpdateAsync(set => set.SetProperty(l => l.CategoryId, again.Id), cancel);
                await db.MovedBoxes.Where(b => b.ChangeId == change.Id && b.CategoryId == gone.Id)
                    .ExecuteUpdateAsync(set => set.SetProperty(b => b.CategoryId, again.Id), cancel);
            }
            else if (categories.Count >= Model.MaxCategories)
            {
                throw Conflict("too-many-categories", $"The model has {categories.Count:N0} categories, as many as a model can have; drop "
                    + "one that is empty, or merge two, then undo this.");
            }
            else
            {
                var back = new Category
                {
                    Id = gone.Id,
                    ModelId = change.ModelId,
                    Name = gone.Name,
                    Position = gone.Position,
                    Description = gone.Description,
                };
                categories.Add(gone.Name, back);
                db.Add(back);
            }
        }

        await db.SaveChangesAsync(cancel);
        await db.Database.ExecuteSqlAsync($"""
            INSERT INTO example_labels (example_id, category_id)
            SELECT moved.example_id, moved.category_id FROM moved_labels AS moved
            JOIN example_labels AS now ON now.example_id = moved.example_id AND now.category_id = {change.CategoryId}
            WHERE moved.change_id = {change.Id}
            ON CONFLICT DO NOTHING
            """, cancel);
        await db.Database.ExecuteSqlAsync($"""
            UPDATE example_boxes AS box SET category_id = moved.category_id
            FROM moved_boxes AS moved
            JOIN example_labels AS label ON label.category_id = moved.category_id
            WHERE moved.change_id = {change.Id} AND moved.box_id = box.id AND box.category_id = {change.CategoryId}
            AND label.example_id = box.example_id
            """, cancel);
        await db.Database.ExecuteSqlAsync($"""
            DELETE FROM example_labels USING moved_labels AS moved
            WHERE moved.change_id = {change.Id} AND NOT moved.had_both
            AND example_labels.example_id = moved.example_id AND example_labels.category_id = {change.CategoryId}
            AND NOT EXISTS (SELECT FROM example_boxes AS box
                WHERE box.example_id = example_labels.example_id AND box.category_id = {change.CategoryId})
            """, cancel);
    }

    private Task<int> NameBackAsync(CategoryChange change, Category category, Dictionary<string, Category> categories,
        CancellationToken cancel)
    {
        var name = change.From[0];
        return category.Name != change.Into
                ? throw Conflict("changed-since", $"The category was renamed to \"{category.Name}\" since; undo that first.")
            : categories.ContainsKey(name)
                ? throw Conflict("category-exists", $"The model has a category \"{name}\" again; rename that one first.")
            : db.Categories.Where(c => c.Id == category.Id).ExecuteUpdateAsync(set => set.SetProperty(c => c.Name, name), cancel);
    }

    /// <summary>Locks the model, so that nothing else changes its categories or labels until the transaction ends.</summary>
    /// <returns>The model's categories by name.</returns>
    private async Task<Dictionary<string, Category>> HoldAsync(ClaimsPrincipal caller, Guid model, CancellationToken cancel)
    {
        var account = caller.AccountId();
        var held = await db.Models.FromSql($"SELECT * FROM models WHERE id = {model} AND account_id = {account} FOR UPDATE").AsNoTracking()
            .ToListAsync(cancel);
        if (held.Count == 0)
        {
            throw new RefusedException(Problems.NoSuchModel());
        }

        // Imports know categories by name and would create the former ones again.
        if (await db.Imports.AnyAsync(i => i.ModelId == model && (i.State == JobState.Queued || i.State == JobState.Running), cancel))
        {
            throw Conflict("import-under-way", $"An import is adding images to this model; wait until it ends, or cancel it (GET "
                + $"/api/v1/models/{model}/imports).");
        }

        if (await db.ImageSearches.AnyAsync(s => s.ModelId == model && (s.State == JobState.Queued || s.State == JobState.Running
            || s.State == JobState.Reviewing), cancel))
        {
            throw Conflict("search-under-way", $"An image search of this model has not ended; accept or cancel it first (GET "
                + $"/api/v1/models/{model}/image-searches).");
        }

        return await db.Categories.AsNoTracking().Where(c => c.ModelId == model).ToDictionaryAsync(c => c.Name, cancel);
    }

    /// <summary>The same change if it is still in effect: a client that got no answer sends it again.</summary>
    private async Task<CategoryChangeResponse?> SameAsync(Guid model, List<string> from, string into, CancellationToken cancel) =>
        (await ViewAsync(db, db.CategoryChanges.Where(c => c.ModelId == model && c.UndoneAt == null && c.Into == into
            && c.From.SequenceEqual(from))
            .OrderByDescending(c => c.Id).Take(1), cancel)).SingleOrDefault();

    private static Category Find(Dictionary<string, Category> categories, string name) => categories.GetValueOrDefault(name)
        ?? throw RefusedException.Invalid("unknown-category", $"The model has no category \"{name}\"; "
            + "GET the model to list its categories.");

    private async Task AddAsync(CategoryChange change, CancellationToken cancel)
    {
        var oldest = await db.CategoryChanges.Where(c => c.ModelId == change.ModelId).OrderByDescending(c => c.Id).Skip(Kept - 1)
            .Select(c => (Guid?)c.Id).FirstOrDefaultAsync(cancel);
        await db.CategoryChanges.Where(c => c.ModelId == change.ModelId && c.Id <= oldest).ExecuteDeleteAsync(cancel);
        db.Add(change);
        await db.SaveChangesAsync(cancel);
    }

    private async Task<CategoryChangeResponse> CommitAsync(Guid id, CancellationToken cancel)
    {
        var change = (await ViewAsync(db, db.CategoryChanges.Where(c => c.Id == id), cancel)).Single();
        await db.Database.CurrentTransaction!.CommitAsync(cancel);
        return change;
    }

    private static RefusedException Conflict(string type, string sentence) => new(StatusCodes.Status409Conflict, type, sentence);
}
