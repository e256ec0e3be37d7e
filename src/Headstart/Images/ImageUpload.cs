using System.Security.Cryptography;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Learning.Imaging;
using Headstart.Models;
using Headstart.Operations;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Images;

/// <summary>
/// Takes files into a model: checked and stored beside the reading, inserted in small batches. If the client hangs up or the process
/// dies, what was inserted stays and sending the same files again adds nothing twice.
/// </summary>
public sealed class ImageUpload(HeadstartDb db, IBlobStore blobs, Settings settings, TimeProvider clock)
{
    private const int BatchSize = 50;
    private static readonly int InFlight = Environment.ProcessorCount + 1;

    private readonly ImageLimits _limits = new() { MaxBytes = settings.Uploads.MaxFileBytes, MaxPixels = settings.Uploads.MaxPixels };
    private readonly List<Checked> _batch = [];
    private readonly List<ImageResponse> _accepted = [];
    private readonly List<RejectedFile> _rejected = [];
    private Dictionary<string, Guid> _categories = [];
    private Model _model = null!;
    private bool _confirmed;

    private sealed record Checked(string FileName, Guid Category, byte[] Sha256, int Bytes, ImageInfo? Info, RejectedFile? Rejected)
    {
        public static Checked Not(RejectedFile file) => new(file.FileName!, default, [], 0, null, file);
    }

    /// <param name="model">Takes the images.</param>
    /// <param name="files">As they come.</param>
    /// <param name="confirmed">A person vouches for the categories: an image that is there in another one is moved.</param>
    /// <param name="cancel">Ends the reading.</param>
    /// <exception cref="BadHttpRequestException">The body broke off; everything before that point is stored.</exception>
    public async Task<UploadResponse> AddAsync(Model model, IAsyncEnumerable<UploadedFile> files, bool confirmed, CancellationToken cancel)
    {
        _model = model;
        _confirmed = confirmed;
        _categories = await db.Categories.Where(c => c.ModelId == model.Id).ToDictionaryAsync(c => c.Name, c => c.Id, cancel);
        var working = new Queue<Task<Checked>>();
        try
        {
            await foreach (var file in files.WithCancellation(cancel))
            {
                working.Enqueue(await RefuseAsync(file, cancel) is { } refusal
                    ? Task.FromResult(Checked.Not(refusal))
                    : CheckAsync(file, _categories[NameOf(file)]));
                if (working.Count == InFlight)
                {
                    await TakeAsync(await working.Dequeue());
                }
            }

            while (working.TryDequeue(out var next))
            {
                await TakeAsync(await next);
            }
        }
        finally
        {
            // Also when the client has gone or the disk is full: what could be stored until then is kept.
            while (working.TryDequeue(out var next))
            {
                await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (next.IsCompletedSuccessfully)
                {
                    await TakeAsync(next.Result);
                }
            }

            await InsertAsync();
        }

        return new(_accepted, _rejected);
    }

    private static string NameOf(UploadedFile file) => Names.Read(file.Category, "category").Name!;

    /// <summary>What can be refused without looking at the bytes. Makes the category when the model's categories grow.</summary>
    private async Task<RejectedFile?> RefuseAsync(UploadedFile file, CancellationToken cancel)
    {
        if (file.Reason is not null)
        {
            return new(file.FileName, file.Reason, file.Detail!);
        }

        if (file.Category is null)
        {
            return new(file.FileName, "missing-category", "Send a field named category before the files it applies to.");
        }

        var (name, problem) = Names.Read(file.Category, "category");
        if (name is null)
        {
            return new(file.FileName, "invalid-category", problem!);
        }

        if (_model.CategoriesGrow && !_categories.ContainsKey(name) && _categories.Count < Model.MaxCategories)
        {
            await db.Database.ExecuteSqlAsync($"""
                INSERT INTO categories (id, model_id, name, position)
                SELECT {Guid.CreateVersion7()}, id, {name}, {_categories.Count} FROM models WHERE id = {_model.Id} FOR KEY SHARE
                ON CONFLICT DO NOTHING
                """, cancel);
            _categories = await db.Categories.Where(c => c.ModelId == _model.Id).ToDictionaryAsync(c => c.Name, c => c.Id, cancel);
        }

        return _categories.ContainsKey(name) ? null : new(file.FileName, "unknown-category",
            $"The model has no category \"{name}\"; it has {List(_categories.Keys)}. PATCH the model to add one.");
    }

    private Task<Checked> CheckAsync(UploadedFile file, Guid category) => Task.Run(async () =>
    {
        var refusal = ImageReader.Check(file.Bytes!, _limits, out var info);
        return refusal is null
            ? new Checked(file.FileName, category, await blobs.PutAsync(file.Bytes!, CancellationToken.None), file.Bytes!.Length, info, null)
            : Checked.Not(new(file.FileName, refusal.Reason, refusal.Detail));
    });

    private async Task TakeAsync(Checked image)
    {
        if (image.Rejected is not null)
        {
            _rejected.Add(image.Rejected);
            return;
        }

        _batch.Add(image);
        if (_batch.Count == BatchSize)
        {
            await InsertAsync();
        }
    }

    private async Task InsertAsync()
    {
        if (_batch.Count == 0)
        {
            return;
        }

        var now = clock.Now();
        await using (var transaction = await db.Database.BeginTransactionAsync())
        {
            await db.HoldModelAsync(_model.Id);
            // In the order of the hashes, so that requests with the same files in another order do not lock each other out; the first of equal ones counts.
            await db.Database.ExecuteSqlAsync($"""
                INSERT INTO images (id, model_id, category_id, file_name, sha256, media_type, width, height, bytes, split, confirmed, created_at)
                SELECT DISTINCT ON (sha256) new.id, categories.model_id, category_id, file_name, sha256, media_type, width, height, bytes, split, {_confirmed}, {now}
                FROM unnest({Column(i => Guid.CreateVersion7())}, {Column(i => i.Category)}, {Column(i => i.FileName)}, {Column(i => i.Sha256)},
                    {Column(i => i.Info!.MediaType)}, {Column(i => i.Info!.Width)}, {Column(i => i.Info!.Height)}, {Column(i => i.Bytes)},
                    {Column(i => Image.SplitOf(i.Sha256).ToString())})
                    WITH ORDINALITY AS new (id, category_id, file_name, sha256, media_type, width, height, bytes, split, place)
                JOIN categories ON categories.id = category_id
                ORDER BY sha256, place
                ON CONFLICT (model_id, sha256) DO UPDATE SET category_id = excluded.category_id, confirmed = true WHERE {_confirmed}
                """);
            await transaction.CommitAsync();
        }

        await AnswerAsync();
        _batch.Clear();

        T[] Column<T>(Func<Checked, T> value) => [.. _batch.Select(value)];
    }

    /// <summary>Reads the batch back: an image that was there before is accepted in its own category and refused in another.</summary>
    private async Task AnswerAsync()
    {
        var hashes = _batch.ConvertAll(i => i.Sha256);
        var names = _categories.ToDictionary(c => c.Value, c => c.Key);
        var rows = (await db.Images.Where(i => i.ModelId == _model.Id && hashes.Contains(i.Sha256)).ToListAsync())
            .ToDictionary(i => Convert.ToHexStringLower(i.Sha256));
        foreach (var image in _batch)
        {
            if (!rows.TryGetValue(Convert.ToHexStringLower(image.Sha256), out var row))
            {
                _rejected.Add(new(image.FileName, "removed-meanwhile",
                    "The image, its category or the model was deleted by another request in the meantime; look at the model and send the file again."));
            }
            else if (row.CategoryId == image.Category)
            {
                _accepted.Add(ImageResponse.Of(row, names[row.CategoryId]));
            }
            else
            {
                _rejected.Add(new(image.FileName, "duplicate",
                    $"The same image is already in another category of this model as \"{row.FileName}\" (image {row.Id}); PATCH that image to move it."));
            }
        }
    }

    private static string List(IEnumerable<string> names)
    {
        var all = names.Order(StringComparer.Ordinal).ToList();
        return string.Join(", ", all.Take(10).Select(n => $"\"{n}\"")) + (all.Count > 10 ? $" and {all.Count - 10} more" : all.Count == 0 ? "none" : "");
    }
}
