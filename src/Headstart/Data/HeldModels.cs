using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Data;

public static class HeldModels
{
    /// <summary>
    /// Locks the model and its categories against deletion until the transaction ends. Code that adds examples to a category must lock the
    /// model first and then look for the category, because deleting a category deletes its examples.
    /// </summary>
    public static Task HoldModelAsync(this HeadstartDb db, Guid id) =>
        db.Database.ExecuteSqlAsync($"SELECT FROM models WHERE id = {id} FOR KEY SHARE");

    /// <summary>Locks all models of an account: none is deleted, published or locked in this way until the transaction ends.</summary>
    public static Task LockModelsAsync(this HeadstartDb db, Guid account) =>
        db.Database.ExecuteSqlAsync($"SELECT FROM models WHERE account_id = {account} ORDER BY id FOR NO KEY UPDATE");

    /// <summary>
    /// Deletes examples of a model. Locks the model first, because its row has their counts: deleting the model locks the same rows in this
    /// order, so one of the two waits instead of a deadlock.
    /// </summary>
    /// <returns>Number of deleted examples.</returns>
    public static async Task<int> DeleteExamplesAsync(this HeadstartDb db, Guid model, Expression<Func<Example, bool>> which,
        CancellationToken cancel)
    {
        await using var transaction = db.Database.CurrentTransaction is null ? await db.Database.BeginTransactionAsync(cancel) : null;
        await db.HoldModelAsync(model);
        var deleted = await db.Examples.Where(i => i.ModelId == model).Where(which).ExecuteDeleteAsync(cancel);
        await (transaction?.CommitAsync(cancel) ?? Task.CompletedTask);
        return deleted;
    }

    /// <summary>Moves an example to a split chosen by a user.</summary>
    public static Task<int> MoveAsync(this HeadstartDb db, Guid example, Split side, CancellationToken cancel) =>
        db.Examples.Where(i => i.Id == example)
            .ExecuteUpdateAsync(set => set.SetProperty(i => i.Split, side).SetProperty(i => i.SplitGiven, true), cancel);
}
