using Headstart.Access;
using Headstart.Data;
using Microsoft.EntityFrameworkCore;

namespace Headstart.BatchPredictions;

/// <summary>Batches and their items in the database, and stored images or texts as items.</summary>
internal sealed class BatchItems(HeadstartDb db, Settings settings)
{
    /// <summary>The batch that a request with this key started before; null if there is none.</summary>
    public Task<BatchPrediction?> StartedByAsync(Guid model, string? idempotencyKey, CancellationToken cancel) =>
        idempotencyKey is null ? Task.FromResult<BatchPrediction?>(null)
        : db.BatchPredictions.SingleOrDefaultAsync(b => b.ModelId == model && b.IdempotencyKey == idempotencyKey, cancel);

    /// <summary>Inserts a batch with its items, atomically.</summary>
    /// <returns>The quota of the account that it exceeds; null if it was inserted.</returns>
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

    /// <summary>The refusal of texts that take too many bytes.</summary>
    public RefusedException TooLarge() => RefusedException.TooLarge("too-large", "The texts of a batch may take "
        + $"{settings.Uploads.MaxTextsBytes:N0} bytes (Headstart:Uploads:MaxTextsBytes); send the rest in another batch.");

    /// <summary>The examples with these ids, in this order; the refusal names a missing one.</summary>
    /// <param name="model">The model of the examples.</param>
    /// <param name="ids">Ids, possibly repeated.</param>
    /// <param name="what">image or text.</param>
    public async Task<List<NewItem>> NamedAsync(Guid model, IReadOnlyList<Guid> ids, string what, CancellationToken cancel)
    {
        var found = (await LoadAsync(db.Examples.Where(i => i.ModelId == model && ids.Contains(i.Id)), cancel))
            .ToDictionary(i => i.ExampleId!.Value);
        return ids.Where(id => !found.ContainsKey(id)).Select(id => (Guid?)id).FirstOrDefault() is { } unknown
            ? throw new RefusedException(Problems.Invalid($"unknown-{what}", $"The model has no {what} {unknown}; GET "
                + $"/api/v1/models/{model}/{what}s lists its "
                + $"{what}s."))
            : ids.Sum(id => (long)found[id].Bytes) > settings.Uploads.MaxTextsBytes ? throw TooLarge()
            : [.. ids.Select(id => found[id])];
    }

    /// <summary>All matching examples, oldest first; one more than <paramref name="atMost"/> if there are more.</summary>
    /// <param name="model">The model of the examples.</param>
    /// <param name="category">Only this category.</param>
    /// <param name="split">Only this split.</param>
    /// <param name="labelled">Only labelled, or only unlabelled texts.</param>
    /// <param name="atMost">The most that a batch may contain.</param>
    public async Task<List<NewItem>> ChosenAsync(
        Guid model, string? category, Split? split, bool? labelled, int atMost, CancellationToken cancel)
    {
        category = category is null ? null : Names.Clean(category);
        if (category is not null && !await db.Categories.AnyAsync(c => c.ModelId == model && c.Name == category, cancel))
        {
            throw new RefusedException(Problems.Invalid("unknown-category", "The model has no such category; GET the model to list its "
                + "categories."));
        }

        return await LoadAsync(db.Examples.Where(i => i.ModelId == model && (split == null || i.Split == split))
            .Where(i => labelled == null || i.Labels.Any() == labelled)
            .Where(i => category == null || i.Labels.Any(l => db.Categories.Any(c => c.Id == l.CategoryId && c.Name == category)))
            .OrderBy(i => i.Id).Take(atMost + 1), cancel);
    }

    /// <summary>Reads their texts only if these fit into a batch, and so into memory.</summary>
    private async Task<List<NewItem>> LoadAsync(IQueryable<Example> examples, CancellationToken cancel) =>
        await examples.SumAsync(i => i.Text == null ? 0L : i.Bytes, cancel) > settings.Uploads.MaxTextsBytes ? throw TooLarge()
        : await examples.Select(i => new NewItem(i.FileName, i.Text == null ? i.Sha256 : null, i.Text, i.Id, null,
            i.Text == null ? 0 : i.Bytes)).ToListAsync(cancel);
}
