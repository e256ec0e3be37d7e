using System.Text.Json;
using Headstart.Access;
using Headstart.Data;
using Headstart.Learning.Imaging;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Uploads.Storing;

/// <summary>A checked file: its bytes are stored, or it was refused, or the account has no room for it.</summary>
/// <param name="Categories">Ids of its categories: exactly one unless the model is multi-label, none for an unlabelled text.</param>
/// <param name="Rejected">Null for a file that was stored.</param>
/// <param name="Split">The split given by the sender; null if the content decides.</param>
/// <param name="Text">The text, for a text example; it has no file.</param>
public sealed record CheckedFile(
    string FileName, Guid[] Categories, byte[] Sha256, int Bytes, ImageInfo? Info, RejectedFile? Rejected, ImageOrigin? Origin = null,
    Split? Split = null,
    string? Text = null)
{
    /// <summary>
    /// Whether its bytes are stored. While the account has no room they are not; then only an image that already exists can be accepted.
    /// </summary>
    public bool IsStored { get; init; } = true;

    /// <summary>Its objects, in a detection model; null if the sender does not say.</summary>
    public IReadOnlyList<CheckedBox>? Boxes { get; init; }

    /// <summary>Whether to add the boxes to those that the image has.</summary>
    public bool AddsBoxes { get; init; }

    /// <summary>Whether the sender says that a user has confirmed its categories.</summary>
    public bool Confirmed { get; init; }

    public static CheckedFile Not(RejectedFile file) => new(file.FileName!, [], [], 0, null, file);
}

/// <summary>The outcome for a file.</summary>
/// <param name="Example">With its labels; null if the file was rejected.</param>
/// <param name="AlreadyThere">Whether the model already had the image.</param>
public sealed record TakenFile(Example? Example, bool AlreadyThere, RejectedFile? Rejected);

/// <summary>
/// Inserts stored files into a model in the caller's transaction, so that an image never lacks its categories. An image that the model
/// already has keeps its category, or in a multi-label model gains the new ones; categories confirmed by a user replace the old ones. A
/// given split replaces one decided by content; of two given splits test wins, because given test examples are never learned
/// from.
/// </summary>
internal sealed class ImageBatch(HeadstartDb db, Model model, IReadOnlyList<CheckedFile> files, bool confirmed)
{
    private readonly CheckedFile[] _all = [.. files];
    private List<CheckedFile> _files = [.. files.Where(file => file.Rejected is null)];

    /// <summary>The outcome for each file, in order, and the names of the model's categories.</summary>
    public async Task<(List<TakenFile> Taken, Dictionary<Guid, string> Names)> StoreAsync(DateTime now)
    {
        await db.HoldModelAsync(model.Id);
        await RefuseWhatDoesNotFitAsync();
        // sorted, so that ids of the same millisecond keep the upload order
        List<Guid> ids = [.. _files.Select(_ => Guid.CreateVersion7()).Order()];
        await InsertImagesAsync(ids, now);
        await (model.Kind.HasBoxes() ? ExampleBoxes.StoreAsync(db, model.Id, _files, confirmed) : InsertLabelsAsync());
        return await ReadBackAsync(ids);
    }

    /// <summary>
    /// Refuses images beyond the quota, keeping the first ones; images that the model already has need no room. Locks the account until the
    /// transaction ends.
    /// </summary>
    private async Task RefuseWhatDoesNotFitAsync()
    {
        var room = await db.HoldRemainingQuotaAsync(model.AccountId);
        if (room is null && _files.TrueForAll(file => file.IsStored))
        {
            return;
        }

        var hashes = _files.ConvertAll(file => file.Sha256);
        var there = (await db.Examples.Where(i => i.ModelId == model.Id && hashes.Contains(i.Sha256)).Select(i => i.Sha256).ToListAsync())
            .Select(Convert.ToHexString).ToHashSet();
        for (var i = 0; i < _all.Length; i++)
        {
            var (file, hash) = (_all[i], Convert.ToHexString(_all[i].Sha256));
            if (file.Rejected is null && !there.Contains(hash))
            {
                var exceeded = room?.Take(file.Bytes);
                if (exceeded is null && file.IsStored)
                {
                    there.Add(hash);
                    continue;
                }

                _all[i] = CheckedFile.Not(exceeded is not null ? RejectedFile.TooMuch(file.FileName, exceeded)
                    : new(file.FileName, "quota-exceeded", "The account had no room for this file when it arrived, but has now: send it "
                        + "again."));
            }
        }

        _files = [.. _all.Where(file => file.Rejected is null)];
    }

    /// <summary>Inserts in hash order, so that requests with the same files in another order do not deadlock.</summary>
    private Task<int> InsertImagesAsync(List<Guid> ids, DateTime now) => db.Database.ExecuteSqlAsync($"""
        INSERT INTO examples (id, model_id, file_name, sha256, media_type, width, height, flaws, bytes, split, split_given, confirmed, boxes_known, created_at, origin, text)
        SELECT DISTINCT ON (sha256) new.id, models.id, file_name, sha256, media_type, width, height, flaws, bytes,
            CASE WHEN bool_or(given = 'Test') OVER same THEN 'Test' WHEN bool_or(given IS NOT NULL) OVER same THEN 'Train' ELSE split END,
            bool_or(given IS NOT NULL) OVER same, new.confirmed, false, {now}, origin::jsonb, text
        FROM unnest({ids}, {Column(i => i.FileName)}, {Column(i => i.Sha256)},
            {Column(i => i.Info!.MediaType)}, {Column(i => i.Info!.Width)}, {Column(i => i.Info!.Height)}, {Column(i => (int)i.Info!.Flaws)}, {Column(i => i.Bytes)},
            {Column(i => Example.SplitOf(i.Sha256).ToString())}, {Column(i => i.Split?.ToString())},
            {Column(i => i.Categories.Length == 0 ? null : (Guid?)i.Categories[0])},
            {Column(i => i.Origin is null ? null : JsonSerializer.Serialize(i.Origin))}, {Column(i => i.Text)}, {Column(i => i.Confirmed || confirmed)})
            WITH ORDINALITY AS new (id, file_name, sha256, media_type, width, height, flaws, bytes, split, given, category_id, origin, text, confirmed, place)
        JOIN models ON models.id = {model.Id}
        LEFT JOIN categories ON categories.id = category_id
        WHERE category_id IS NULL OR categories.id IS NOT NULL
        WINDOW same AS (PARTITION BY sha256)
        ORDER BY sha256, place
        ON CONFLICT (model_id, sha256) DO UPDATE SET confirmed = examples.confirmed OR excluded.confirmed,
            split = CASE WHEN excluded.split_given AND NOT (examples.split_given AND examples.split = 'Test') THEN excluded.split ELSE examples.split END,
            split_given = examples.split_given OR excluded.split_given
        WHERE excluded.confirmed OR excluded.split_given
        """);

    private async Task InsertLabelsAsync()
    {
        var pairs = _files.SelectMany((file, place) => file.Categories.Select(category => (file.Sha256, Category: category, Place: place)))
            .ToList();
        var (hashes, categories, places) = (pairs.ConvertAll(p => p.Sha256).ToArray(), pairs.ConvertAll(p => p.Category).ToArray(),
            pairs.ConvertAll(p => p.Place).ToArray());
        if (confirmed)
        {
            var named = _files.Select(file => file.Sha256).ToArray();
            await db.ExampleLabels.Where(l => db.Examples.Any(i => i.Id == l.ExampleId && i.ModelId == model.Id
                && named.Contains(i.Sha256))).ExecuteDeleteAsync();
        }

        var several = model.Kind.TakesSeveral();
        // Unless the model is multi-label, the first of identical files counts, and an image that has a category keeps it.
        await db.Database.ExecuteSqlAsync($"""
            INSERT INTO example_labels (example_id, category_id)
            SELECT example_id, category_id FROM (
                SELECT examples.id AS example_id, categories.id AS category_id, rank() OVER (PARTITION BY examples.id ORDER BY place) AS rank
                FROM unnest({hashes}, {categories}, {places}) AS new (sha256, category_id, place)
                JOIN examples ON examples.model_id = {model.Id} AND examples.sha256 = new.sha256
                JOIN categories ON categories.id = new.category_id
                WHERE {several} OR NOT EXISTS (SELECT FROM example_labels WHERE example_labels.example_id = examples.id)) AS ranked
            WHERE {several} OR rank = 1
            ORDER BY example_id, category_id
            ON CONFLICT DO NOTHING
            """);
    }

    /// <summary>An image that already exists is accepted with its own category and refused with another.</summary>
    private async Task<(List<TakenFile>, Dictionary<Guid, string>)> ReadBackAsync(List<Guid> ids)
    {
        var hashes = _files.ConvertAll(i => i.Sha256);
        var names = await db.Categories.Where(c => c.ModelId == model.Id).ToDictionaryAsync(c => c.Id, c => c.Name);
        var rows = (await db.Examples.AsNoTracking().WithLabels(model.Kind).Where(i => i.ModelId == model.Id && hashes.Contains(i.Sha256))
            .ToListAsync())
            .ToDictionary(i => Convert.ToHexStringLower(i.Sha256));
        var next = 0;
        return ([.. _all.Select(file => file.Rejected is { } rejected ? new TakenFile(null, false, rejected)
            : Taken(file, rows.GetValueOrDefault(Convert.ToHexStringLower(file.Sha256)), ids[next++], names))], names);
    }

    private TakenFile Taken(CheckedFile file, Example? row, Guid id, Dictionary<Guid, string> names)
    {
        if (row is null || !row.Labels.TrueForAll(label => names.ContainsKey(label.CategoryId))
            || (!model.Kind.TakesSeveral() && row.Labels.Count == 0 && file.Categories.Length > 0))
        {
            return new(null, false, new(file.FileName, "removed-meanwhile",
                $"The {model.Kind.Noun()}, its category or the model was deleted by another request in the meantime; check the model "
                    + "and send it again."));
        }

        if (file is { Boxes: { } boxes, AddsBoxes: false } && !ExampleBoxes.Are(row.Boxes, boxes))
        {
            return new(null, false, new(file.FileName, "duplicate", $"The same image is already there with other boxes as \"{row.FileName}\" "
                + $"(image {row.Id}); PUT its boxes to change them."));
        }

        return model.Kind.TakesSeveral() || file.Categories.Length == 0 || row.Labels[0].CategoryId == file.Categories[0]
            ? new(row, row.Id != id, null)
            : new(null, false, new(file.FileName, "duplicate",
                model.Kind.IsText() ? $"The same text is already in another category of this model (text {row.Id}); PATCH that text to "
                    + "move it."
                : $"The same image is already in another category of this model as \"{row.FileName}\" (image {row.Id}); PATCH that image "
                    + "to move it."));
    }

    private T[] Column<T>(Func<CheckedFile, T> value) => [.. _files.Select(value)];
}
