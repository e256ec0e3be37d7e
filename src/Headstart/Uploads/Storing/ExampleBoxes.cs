using Headstart.Data;
using Headstart.Uploads.Boxes;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Uploads.Storing;

/// <summary>A box with a known category.</summary>
public sealed record CheckedBox(Guid Category, LabelBox Box);

/// <summary>Stores boxes of examples of a detection model: all boxes of an image at once, in the caller's transaction.</summary>
internal static class ExampleBoxes
{
    /// <summary>Replaces the boxes of these examples, and the labels that follow from them.</summary>
    public static async Task ReplaceAsync(HeadstartDb db, IReadOnlyDictionary<Guid, IReadOnlyList<CheckedBox>> boxes)
    {
        List<Guid> examples = [.. boxes.Keys];
        await db.ExampleLabels.Where(label => examples.Contains(label.ExampleId)).ExecuteDeleteAsync(); // cascades to the boxes
        foreach (var (example, given) in boxes)
        {
            db.AddRange(given.Select(box => box.Category).Distinct()
                .Select(category => new ExampleLabel { ExampleId = example, CategoryId = category }));
            db.AddRange(given.Select((box, position) => Row(example, box, position)));
        }

        await db.SaveChangesAsync();
        db.ChangeTracker.Clear();
    }

    /// <summary>
    /// Stores the boxes of uploaded images. If an image occurs twice, the first occurrence with boxes counts. An image with known boxes
    /// keeps them unless a user confirms the new ones.
    /// </summary>
    public static async Task StoreAsync(HeadstartDb db, Guid model, IEnumerable<CheckedFile> files, bool confirmed)
    {
        var known = (await db.Categories.Where(c => c.ModelId == model).Select(c => c.Id).ToListAsync()).ToHashSet();
        var given = files.Where(file => file.Boxes?.All(box => known.Contains(box.Category)) is true)
            .GroupBy(file => Convert.ToHexString(file.Sha256)).ToDictionary(same => same.Key,
                same => same.First() is { AddsBoxes: false } first ? first.Boxes! : [.. same.SelectMany(file => file.Boxes!)]);
        var added = files.Where(file => file.AddsBoxes).Select(file => Convert.ToHexString(file.Sha256)).ToHashSet();
        byte[][] hashes = [.. given.Keys.Select(Convert.FromHexString)];
        byte[][] more = [.. added.Select(Convert.FromHexString)];
        // Locks the rows: of two concurrent uploads one waits here, so that an image never gets the boxes of both.
        var open = await db.Database.SqlQuery<Guid>($"""
            UPDATE examples SET boxes_known = true
            WHERE model_id = {model} AND sha256 = ANY ({hashes}) AND ({confirmed} OR NOT boxes_known OR sha256 = ANY ({more}))
            RETURNING id AS "Value"
            """).ToListAsync();
        var rows = await db.Examples.AsNoTracking().Include(e => e.Boxes).Where(e => open.Contains(e.Id)).ToListAsync();
        await ReplaceAsync(db, rows.ToDictionary(row => row.Id, row => Together(row, given[Convert.ToHexString(row.Sha256)],
            added.Contains(Convert.ToHexString(row.Sha256)))));
    }

    /// <summary>The new boxes, plus those the image has if the new ones are to be added; without duplicates.</summary>
    private static IReadOnlyList<CheckedBox> Together(Example row, IReadOnlyList<CheckedBox> given, bool adds) => !adds ? given
        : [.. row.Boxes.OrderBy(box => box.Position).Select(box => new CheckedBox(box.CategoryId,
                new("", box.X, box.Y, box.Width, box.Height, box.Difficult)))
            .Concat(given).DistinctBy(box => Comparable(Row(Guid.Empty, box, 0)))];

    /// <summary>Whether an image has exactly these boxes, in any order.</summary>
    public static bool Are(IEnumerable<ExampleBox> has, IEnumerable<CheckedBox> boxes) =>
        has.Select(Comparable).Order().SequenceEqual(boxes.Select(box => Comparable(Row(Guid.Empty, box, 0))).Order());

    /// <summary>The examples with all that <see cref="ImageResponse"/> needs.</summary>
    public static IQueryable<Example> WithLabels(this IQueryable<Example> examples, ModelKind kind) => kind.HasBoxes()
        ? examples.Include(e => e.Labels).Include(e => e.Boxes).AsSplitQuery() : examples.Include(e => e.Labels);

    private static (Guid, float, float, float, float, bool) Comparable(ExampleBox box) =>
        (box.CategoryId, box.X, box.Y, box.Width, box.Height, box.Difficult);

    private static ExampleBox Row(Guid example, CheckedBox given, int position)
    {
        var box = given.Box.Clipped();
        return new()
        {
            Id = Guid.CreateVersion7(),
            ExampleId = example,
            CategoryId = given.Category,
            Position = position,
            X = (float)box.X,
            Y = (float)box.Y,
            // Rounding may move it over the edge again, and reading it back would cut it once more.
            Width = Math.Min((float)box.Width, 1 - (float)box.X),
            Height = Math.Min((float)box.Height, 1 - (float)box.Y),
            Difficult = box.Difficult,
        };
    }
}
