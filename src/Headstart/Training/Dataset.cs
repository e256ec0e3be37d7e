using Headstart.Data;
using Headstart.Images;
using Headstart.Learning.Heads;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Training;

/// <summary>The images of a run, in an order that depends on their content alone, and which of them are held out.</summary>
public sealed class Dataset
{
    /// <summary>A category with fewer images is left out of the run.</summary>
    public const int MinImages = 2;
    public const int MinCategories = 2;

    /// <summary>A category that would keep fewer images for training holds none out.</summary>
    private const int MinTrainAfterSplit = 5;

    public sealed record Item(Guid ImageId, byte[] Sha256, int Label);

    public required IReadOnlyList<string> Categories { get; init; }

    public required IReadOnlyList<Item> Train { get; init; }

    public required IReadOnlyList<Item> Test { get; init; }

    /// <summary>Categories of the model that have too few images to be learned.</summary>
    public required IReadOnlyList<string> LeftOut { get; init; }

    /// <summary>
    /// Writes down once what the run learns from. A second start of the run finds it written and uses the same, whatever happened to
    /// the model's images in between.
    /// </summary>
    public static async Task FreezeAsync(HeadstartDb db, TrainingRun run, CancellationToken cancel)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        // The row lock makes twins take turns; the second one finds the flag set.
        var first = await db.TrainingRuns.Where(r => r.Id == run.Id && !r.DatasetFrozen)
            .ExecuteUpdateAsync(set => set.SetProperty(r => r.DatasetFrozen, true), cancel);
        if (first == 1)
        {
            await db.Database.ExecuteSqlAsync($"""
                INSERT INTO run_images (run_id, image_id, sha256, category, split)
                SELECT {run.Id}, i.id, i.sha256, c.name, i.split FROM images i JOIN categories c ON c.id = i.category_id WHERE i.model_id = {run.ModelId}
                """, cancel);
        }

        await transaction.CommitAsync(cancel);
    }

    public static async Task<Dataset> ReadAsync(HeadstartDb db, TrainingRun run, CancellationToken cancel)
    {
        var rows = await db.RunImages.Where(i => i.RunId == run.Id).ToListAsync(cancel);
        var declared = await db.Categories.Where(c => c.ModelId == run.ModelId).Select(c => c.Name).ToListAsync(cancel);
        return Of(rows, declared);
    }

    internal static Dataset Of(IEnumerable<RunImage> rows, IEnumerable<string> declared)
    {
        var byCategory = rows.GroupBy(r => r.Category).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => (Name: g.Key, Images: g.OrderBy(i => Convert.ToHexStringLower(i.Sha256), StringComparer.Ordinal).ToList())).ToList();
        var learned = byCategory.Where(c => c.Images.Count >= MinImages).ToList();
        var (train, test) = (new List<Item>(), new List<Item>());
        for (var label = 0; label < learned.Count; label++)
        {
            var images = learned[label].Images;
            var holdOut = images.Count(i => i.Split == Split.Train) >= MinTrainAfterSplit;
            foreach (var image in images)
            {
                (holdOut && image.Split == Split.Test ? test : train).Add(new(image.ImageId, image.Sha256, label));
            }
        }

        return new()
        {
            Categories = learned.ConvertAll(c => c.Name),
            Train = train,
            Test = test,
            LeftOut = [.. declared.Union(byCategory.Select(c => c.Name)).Except(learned.Select(c => c.Name)).Order(StringComparer.Ordinal)],
        };
    }

    /// <summary>At most <paramref name="limit"/> training images with every category in proportion, at least five of each where there are.</summary>
    public IReadOnlyList<Item> Sample(int limit)
    {
        var share = Math.Min(1, (double)limit / Train.Count);
        return share == 1 ? Train : [.. Train.GroupBy(i => i.Label).SelectMany(g => g.Take(Math.Max(5, (int)(g.Count() * share))))];
    }

    /// <summary>The items with their vectors; those whose image could not be read (null) are left out.</summary>
    public LabelledFeatures With(IReadOnlyList<Item> items, float[]?[] vectors)
    {
        var readable = Enumerable.Range(0, items.Count).Where(i => vectors[i] is not null).ToList();
        return new(readable.ConvertAll(i => vectors[i]!), readable.ConvertAll(i => items[i].Label), Categories);
    }
}
