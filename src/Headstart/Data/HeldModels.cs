using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Data;

public static class HeldModels
{
    /// <summary>
    /// Locks the model and its categories against deletion until the transaction ends. Code that adds images to categories locks the
    /// model first and looks for the category then: a category that is dropped takes its images with it.
    /// </summary>
    public static Task HoldModelAsync(this HeadstartDb db, Guid id) =>
        db.Database.ExecuteSqlAsync($"SELECT FROM models WHERE id = {id} FOR KEY SHARE");

    /// <summary>
    /// Deletes examples of a model and holds it first: their counts stand on its row, and whoever deletes the model goes from there to the
    /// examples, so one of the two waits here instead of both.
    /// </summary>
    /// <returns>How many there were.</returns>
    public static async Task<int> DeleteExamplesAsync(this HeadstartDb db, Guid model, Expression<Func<Example, bool>> which,
        CancellationToken cancel)
    {
        await using var transaction = db.Database.CurrentTransaction is null ? await db.Database.BeginTransactionAsync(cancel) : null;
        await db.HoldModelAsync(model);
        var deleted = await db.Examples.Where(i => i.ModelId == model).Where(which).ExecuteDeleteAsync(cancel);
        await (transaction?.CommitAsync(cancel) ?? Task.CompletedTask);
        return deleted;
    }

    /// <summary>Moves an example to a side because a person said so.</summary>
    public static Task<int> MoveAsync(this HeadstartDb db, Guid example, Split side, CancellationToken cancel) =>
        db.Examples.Where(i => i.Id == example)
            .ExecuteUpdateAsync(set => set.SetProperty(i => i.Split, side).SetProperty(i => i.SplitGiven, true), cancel);
}
