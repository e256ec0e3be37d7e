using System.Text.Json;
using Headstart.Access;
using Headstart.Data;
using Headstart.Learning.Imaging;
using Headstart.Operations;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Uploads;

/// <summary>A file that was looked at: its bytes are stored, or it is refused, or the account has no room for it.</summary>
/// <param name="Categories">Ids; one where the model's categories exclude each other, none for a text without a category.</param>
/// <param name="Rejected">Null for a file that was stored.</param>
/// <param name="Split">The side that its sender gave it; null where the content decides.</param>
/// <param name="Text">The example where it is a text, which has no file.</param>
public sealed record CheckedFile(
    string FileName, Guid[] Categories, byte[] Sha256, int Bytes, ImageInfo? Info, RejectedFile? Rejected, ImageOrigin? Origin = null, Split? Split = null,
    string? Text = null)
{
    /// <summary>Whether its bytes are stored. They are not while the account has no room: then it can only be one that is there already.</summary>
    public bool IsStored { get; init; } = true;

    public static CheckedFile Not(RejectedFile file) => new(file.FileName!, [], [], 0, null, file);
}

/// <summary>What became of a file.</summary>
/// <param name="Example">With its labels; null where the file was rejected.</param>
/// <param name="AlreadyThere">Whether the model had the image before.</param>
public sealed record TakenFile(Example? Example, bool AlreadyThere, RejectedFile? Rejected);

/// <summary>
/// Stored files on their way into a model, in the transaction of the caller: an image never stands there without its categories. An image that the
/// model has already stays where it is if categories exclude each other and gains the new ones if they do not; unless a person vouches for the
/// new ones, which then take the place of the old.
/// </summary>
internal sealed class ImageBatch(HeadstartDb db, Model model, IReadOnlyList<CheckedFile> files, bool confirmed)
{
    private readonly CheckedFile[] _all = [.. files];
    private List<CheckedFile> _files = [.. files.Where(file => file.Rejected is null)];

    /// <summary>What became of each file, in their order, and what the model's categories are called.</summary>
    public async Task<(List<TakenFile> Taken, Dictionary<Guid, string> Names)> StoreAsync(DateTime now)
    {
        await db.HoldModelAsync(model.Id);
        await RefuseWhatDoesNotFitAsync();
        List<Guid> ids = [.. _files.Select(_ => Guid.CreateVersion7()).Order()]; // those of one millisecond too, so that lists keep the order in which files came
        await InsertImagesAsync(ids, now);
        await InsertLabelsAsync();
        return await ReadBackAsync(ids);
    }

    /// <summary>What the model has already needs no room; of the rest the first ones fit. The account is held until the transaction ends.</summary>
    private async Task RefuseWhatDoesNotFitAsync()
    {
        var room = await db.HoldRemainingQuotaAsync(model.AccountId);
        if (room is null && _files.TrueForAll(file => file.IsStored))
        {
            return;
        }

        var hashes = _files.ConvertAll(file => file.Sha256);
        var there = (await db.Examples.Where(i => i.ModelId == model.Id && hashes.Contains(i.Sha256)).Select(i => i.Sha256).ToListAsync()).Select(Convert.ToHexString).ToHashSet();
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
                    : new(file.FileName, "quota-exceeded", "There was no room for this file when it came, and there is some now: send it again."));
            }
        }

        _files = [.. _all.Where(file => file.Rejected is null)];
    }

    /// <summary>In the order of the hashes, so that requests with the same files in another order do not lock each other out.</summary>
    private Task<int> InsertImagesAsync(List<Guid> ids, DateTime now) => db.Database.ExecuteSqlAsync($"""
        INSERT INTO examples (id, model_id, file_name, sha256, media_type, width, height, bytes, split, confirmed, created_at, origin, text)
        SELECT DISTINCT ON (sha256) new.id, models.id, file_name, sha256, media_type, width, height, bytes, split, {confirmed}, {now}, origin::jsonb, text
        FROM unnest({ids}, {Column(i => i.FileName)}, {Column(i => i.Sha256)},
            {Column(i => i.Info!.MediaType)}, {Column(i => i.Info!.Width)}, {Column(i => i.Info!.Height)}, {Column(i => i.Bytes)},
            {Column(i => (i.Split ?? Example.SplitOf(i.Sha256)).ToString())}, {Column(i => i.Categories.Length == 0 ? null : (Guid?)i.Categories[0])},
            {Column(i => i.Origin is null ? null : JsonSerializer.Serialize(i.Origin))}, {Column(i => i.Text)})
            WITH ORDINALITY AS new (id, file_name, sha256, media_type, width, height, bytes, split, category_id, origin, text, place)
        JOIN models ON models.id = {model.Id}
        LEFT JOIN categories ON categories.id = category_id
        WHERE category_id IS NULL OR categories.id IS NOT NULL
        ORDER BY sha256, place
        ON CONFLICT (model_id, sha256) DO UPDATE SET confirmed = true WHERE {confirmed}
        """);

    private async Task InsertLabelsAsync()
    {
        var pairs = _files.SelectMany((file, place) => file.Categories.Select(category => (file.Sha256, Category: category, Place: place))).ToList();
        var (hashes, categories, places) = (pairs.ConvertAll(p => p.Sha256).ToArray(), pairs.ConvertAll(p => p.Category).ToArray(), pairs.ConvertAll(p => p.Place).ToArray());
        if (confirmed)
        {
            var named = _files.Select(file => file.Sha256).ToArray();
            await db.ExampleLabels.Where(l => db.Examples.Any(i => i.Id == l.ExampleId && i.ModelId == model.Id && named.Contains(i.Sha256))).ExecuteDeleteAsync();
        }

        var several = model.Kind.TakesSeveral();
        // Where categories exclude each other the first of equal files counts, and an image that has a category keeps it.
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

    /// <summary>An image that was there before is accepted with its own category and refused with another.</summary>
    private async Task<(List<TakenFile>, Dictionary<Guid, string>)> ReadBackAsync(List<Guid> ids)
    {
        var hashes = _files.ConvertAll(i => i.Sha256);
        var names = await db.Categories.Where(c => c.ModelId == model.Id).ToDictionaryAsync(c => c.Id, c => c.Name);
        var rows = (await db.Examples.AsNoTracking().Include(i => i.Labels).Where(i => i.ModelId == model.Id && hashes.Contains(i.Sha256)).ToListAsync())
            .ToDictionary(i => Convert.ToHexStringLower(i.Sha256));
        var next = 0;
        return ([.. _all.Select(file => file.Rejected is { } rejected ? new TakenFile(null, false, rejected)
            : Taken(file, rows.GetValueOrDefault(Convert.ToHexStringLower(file.Sha256)), ids[next++], names))], names);
    }

    private TakenFile Taken(CheckedFile file, Example? row, Guid id, Dictionary<Guid, string> names)
    {
        if (row is null || !row.Labels.TrueForAll(label => names.ContainsKey(label.CategoryId)) || (!model.Kind.TakesSeveral() && row.Labels.Count == 0 && file.Categories.Length > 0))
        {
            return new(null, false, new(file.FileName, "removed-meanwhile",
                $"The {model.Kind.Example()}, its category or the model was deleted by another request in the meantime; look at the model and send it again."));
        }

        return model.Kind.TakesSeveral() || file.Categories.Length == 0 || row.Labels[0].CategoryId == file.Categories[0]
            ? new(row, row.Id != id, null)
            : new(null, false, new(file.FileName, "duplicate",
                model.Kind.IsText() ? $"The same text is already in another category of this model (text {row.Id}); PATCH that text to move it."
                : $"The same image is already in another category of this model as \"{row.FileName}\" (image {row.Id}); PATCH that image to move it."));
    }

    private T[] Column<T>(Func<CheckedFile, T> value) => [.. _files.Select(value)];
}
