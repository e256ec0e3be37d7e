using Headstart.Blobs;
using Headstart.Data;
using Headstart.Learning.Backbones;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Backbones;

/// <summary>Users' photographs with exactly one category, by which an 8-bit form is judged.</summary>
public sealed class LabelledPhotographs(IDbContextFactory<HeadstartDb> databases, IBlobStore blobs)
{
    private const int Enough = 1_000;

    public async Task<int> CountAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        return await Of(db).CountAsync(cancel);
    }

    /// <summary>A sample ordered by SHA-256, which is as good as random: from each model in proportion to its size.</summary>
    public async Task<IReadOnlyList<LabelledPhotograph>> SomeAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var rows = await Of(db).OrderBy(e => e.Sha256).Take(Enough)
            .Select(e => new { e.Sha256, e.ModelId, Category = e.Labels.First().CategoryId }).ToListAsync(cancel);
        // Read one at a time on the thread that makes the form: photographs may be large.
        return rows.ConvertAll(row => new LabelledPhotograph($"{row.ModelId}", $"{row.Category}",
            () => blobs.GetAsync(row.Sha256, cancel).GetAwaiter().GetResult()));
    }

    private static IQueryable<Example> Of(HeadstartDb db) =>
        db.Examples.Where(e => db.Models.Any(m => m.Id == e.ModelId && m.Kind == ModelKind.ImageClassification));
}
