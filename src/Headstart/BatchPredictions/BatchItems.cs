using Headstart.Access;
using Headstart.Data;
using Headstart.Operations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Headstart.BatchPredictions;

/// <summary>The items of batches in the database, and the images or texts that a model has as such.</summary>
internal sealed class BatchItems(HeadstartDb db)
{
    /// <summary>Inserts a batch with its items: whole, or not at all.</summary>
    /// <returns>The quota of the account that has no room for it; null when it is in.</returns>
    public async Task<QuotaUse?> InsertAsync(Guid account, BatchPrediction batch, IReadOnlyList<NewItem> items, CancellationToken cancel)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (batch.Bytes > 0 && (await db.HoldRemainingQuotaAsync(account))?.Exceeded(batch.Bytes) is { } exceeded)
        {
            return exceeded;
        }

        db.Add(batch);
        await db.SaveChangesAsync(cancel);
        await db.Database.ExecuteSqlAsync($"""
            INSERT INTO batch_items (batch_id, position, file_name, sha256, text, example_id, answer)
            SELECT {batch.Id}, place - 1, file_name, sha256, text, example_id, answer::jsonb
            FROM unnest({items.Select(i => i.FileName).ToArray()}, {items.Select(i => i.Sha256).ToArray()}, {items.Select(i => i.Text).ToArray()},
                {items.Select(i => i.ExampleId).ToArray()}, {items.Select(i => i.Answer?.ToJson()).ToArray()})
                WITH ORDINALITY AS new (file_name, sha256, text, example_id, answer, place)
            """, cancel);
        await transaction.CommitAsync(cancel);
        return null;
    }

    /// <summary>Those with these ids, in this order; the refusal names one that is not there.</summary>
    /// <param name="model">Has them.</param>
    /// <param name="ids">May name one several times.</param>
    /// <param name="what">image or text.</param>
    /// <param name="cancel">Ends the query.</param>
    public async Task<(List<NewItem> Items, ProblemHttpResult? Refusal)> NamedAsync(Guid model, IReadOnlyList<Guid> ids, string what, CancellationToken cancel)
    {
        var found = await Items(db.Examples.Where(i => i.ModelId == model && ids.Contains(i.Id))).ToDictionaryAsync(i => i.ExampleId!.Value, cancel);
        return ids.Where(id => !found.ContainsKey(id)).Select(id => (Guid?)id).FirstOrDefault() is { } unknown
            ? ([], Problems.Invalid($"unknown-{what}", $"The model has no {what} {unknown}; GET /api/v1/models/{model}/{what}s lists those it has."))
            : ([.. ids.Select(id => found[id])], null);
    }

    /// <summary>All that are so, the oldest first, and one more than <paramref name="atMost"/> where there are more.</summary>
    /// <param name="model">Has them.</param>
    /// <param name="category">Only of this one.</param>
    /// <param name="split">Only of this side.</param>
    /// <param name="labelled">Only those with a category, or only those without.</param>
    /// <param name="atMost">So many may be taken.</param>
    /// <param name="cancel">Ends the query.</param>
    public async Task<(List<NewItem> Items, ProblemHttpResult? Refusal)> ChosenAsync(
        Guid model, string? category, Split? split, bool? labelled, int atMost, CancellationToken cancel)
    {
        if (category is not null && !await db.Categories.AnyAsync(c => c.ModelId == model && c.Name == category, cancel))
        {
            return ([], Problems.Invalid("unknown-category", "The model has no such category; GET the model for those it has."));
        }

        return (await Items(db.Examples.Where(i => i.ModelId == model && (split == null || i.Split == split))
            .Where(i => labelled == null || i.Labels.Any() == labelled)
            .Where(i => category == null || i.Labels.Any(l => db.Categories.Any(c => c.Id == l.CategoryId && c.Name == category)))
            .OrderBy(i => i.Id).Take(atMost + 1)).ToListAsync(cancel), null);
    }

    private static IQueryable<NewItem> Items(IQueryable<Example> images) =>
        images.Select(i => new NewItem(i.FileName, i.Text == null ? i.Sha256 : null, i.Text, i.Id, null, i.Text == null ? 0 : i.Bytes));
}
