using System.Text.Json;
using Headstart.Data;
using Headstart.Learning.Imaging;
using Headstart.Models;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Images;

/// <summary>A file that was looked at: stored, or refused.</summary>
/// <param name="Categories">Ids; one where the model's categories exclude each other.</param>
/// <param name="Rejected">Null for a file that was stored.</param>
public sealed record CheckedFile(string FileName, Guid[] Categories, byte[] Sha256, int Bytes, ImageInfo? Info, RejectedFile? Rejected, ImageOrigin? Origin = null)
{
    public static CheckedFile Not(RejectedFile file) => new(file.FileName!, [], [], 0, null, file);
}

/// <summary>
/// Stored files on their way into a model, in one transaction: an image never stands there without its categories. An image that the model
/// has already stays where it is if categories exclude each other and gains the new ones if they do not; unless a person vouches for the
/// new ones, which then take the place of the old.
/// </summary>
internal sealed class ImageBatch(HeadstartDb db, Model model, IReadOnlyList<CheckedFile> files, bool confirmed)
{
    public async Task InsertAsync(DateTime now, List<ImageResponse> accepted, List<RejectedFile> rejected)
    {
        await using (var transaction = await db.Database.BeginTransactionAsync())
        {
            await db.HoldModelAsync(model.Id);
            await InsertImagesAsync(now);
            await InsertLabelsAsync();
            await transaction.CommitAsync();
        }

        await AnswerAsync(accepted, rejected);
    }

    /// <summary>In the order of the hashes, so that requests with the same files in another order do not lock each other out.</summary>
    private Task<int> InsertImagesAsync(DateTime now) => db.Database.ExecuteSqlAsync($"""
        INSERT INTO images (id, model_id, file_name, sha256, media_type, width, height, bytes, split, confirmed, created_at, origin)
        SELECT DISTINCT ON (sha256) new.id, models.id, file_name, sha256, media_type, width, height, bytes, split, {confirmed}, {now}, origin::jsonb
        FROM unnest({Column(i => Guid.CreateVersion7())}, {Column(i => i.FileName)}, {Column(i => i.Sha256)},
            {Column(i => i.Info!.MediaType)}, {Column(i => i.Info!.Width)}, {Column(i => i.Info!.Height)}, {Column(i => i.Bytes)},
            {Column(i => Image.SplitOf(i.Sha256).ToString())}, {Column(i => i.Categories.Length == 0 ? null : (Guid?)i.Categories[0])},
            {Column(i => i.Origin is null ? null : JsonSerializer.Serialize(i.Origin))})
            WITH ORDINALITY AS new (id, file_name, sha256, media_type, width, height, bytes, split, category_id, origin, place)
        JOIN models ON models.id = {model.Id}
        LEFT JOIN categories ON categories.id = category_id
        WHERE category_id IS NULL OR categories.id IS NOT NULL
        ORDER BY sha256, place
        ON CONFLICT (model_id, sha256) DO UPDATE SET confirmed = true WHERE {confirmed}
        """);

    private async Task InsertLabelsAsync()
    {
        var pairs = files.SelectMany((file, place) => file.Categories.Select(category => (file.Sha256, Category: category, Place: place))).ToList();
        var (hashes, categories, places) = (pairs.ConvertAll(p => p.Sha256).ToArray(), pairs.ConvertAll(p => p.Category).ToArray(), pairs.ConvertAll(p => p.Place).ToArray());
        if (confirmed)
        {
            var named = files.Select(file => file.Sha256).ToArray();
            await db.ImageLabels.Where(l => db.Images.Any(i => i.Id == l.ImageId && i.ModelId == model.Id && named.Contains(i.Sha256))).ExecuteDeleteAsync();
        }

        var several = model.Kind.TakesSeveral();
        // Where categories exclude each other the first of equal files counts, and an image that has a category keeps it.
        await db.Database.ExecuteSqlAsync($"""
            INSERT INTO image_labels (image_id, category_id)
            SELECT image_id, category_id FROM (
                SELECT images.id AS image_id, categories.id AS category_id, rank() OVER (PARTITION BY images.id ORDER BY place) AS rank
                FROM unnest({hashes}, {categories}, {places}) AS new (sha256, category_id, place)
                JOIN images ON images.model_id = {model.Id} AND images.sha256 = new.sha256
                JOIN categories ON categories.id = new.category_id
                WHERE {several} OR NOT EXISTS (SELECT FROM image_labels WHERE image_labels.image_id = images.id)) AS ranked
            WHERE {several} OR rank = 1
            ORDER BY image_id, category_id
            ON CONFLICT DO NOTHING
            """);
    }

    /// <summary>Reads the batch back: an image that was there before is accepted with its own category and refused with another.</summary>
    private async Task AnswerAsync(List<ImageResponse> accepted, List<RejectedFile> rejected)
    {
        var hashes = files.Select(i => i.Sha256).ToList();
        var names = await db.Categories.Where(c => c.ModelId == model.Id).ToDictionaryAsync(c => c.Id, c => c.Name);
        var rows = (await db.Images.Include(i => i.Labels).Where(i => i.ModelId == model.Id && hashes.Contains(i.Sha256)).ToListAsync())
            .ToDictionary(i => Convert.ToHexStringLower(i.Sha256));
        foreach (var file in files)
        {
            var row = rows.GetValueOrDefault(Convert.ToHexStringLower(file.Sha256));
            if (row is null || !row.Labels.TrueForAll(label => names.ContainsKey(label.CategoryId)) || (!model.Kind.TakesSeveral() && row.Labels.Count == 0))
            {
                rejected.Add(new(file.FileName, "removed-meanwhile",
                    "The image, its category or the model was deleted by another request in the meantime; look at the model and send the file again."));
            }
            else if (model.Kind.TakesSeveral() || row.Labels[0].CategoryId == file.Categories[0])
            {
                accepted.Add(ImageResponse.Of(row, model.Kind, names));
            }
            else
            {
                rejected.Add(new(file.FileName, "duplicate",
                    $"The same image is already in another category of this model as \"{row.FileName}\" (image {row.Id}); PATCH that image to move it."));
            }
        }
    }

    private T[] Column<T>(Func<CheckedFile, T> value) => [.. files.Select(value)];
}
