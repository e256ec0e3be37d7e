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
    private readonly List<CheckedFile> _batch = [];
    private readonly List<ImageResponse> _accepted = [];
    private readonly List<RejectedFile> _rejected = [];
    private Dictionary<string, Guid> _categories = [];
    private Model _model = null!;
    private bool _confirmed;

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
        var working = new Queue<Task<CheckedFile>>();
        try
        {
            await foreach (var file in files.WithCancellation(cancel))
            {
                working.Enqueue(await RefuseAsync(file, cancel) is { } refusal
                    ? Task.FromResult(CheckedFile.Not(refusal))
                    : CheckAsync(file, [.. NamesOf(file).Select(name => _categories[name])]));
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

    /// <summary>None for an image that shows no category; how that is said, an empty field, is no name.</summary>
    private static IEnumerable<string> NamesOf(UploadedFile file) =>
        file.Categories!.Where(category => category.Length > 0).Select(category => Names.Read(category, "category").Name!).Distinct();

    /// <summary>What can be refused without looking at the bytes. Makes the category when the model's categories grow.</summary>
    private async Task<RejectedFile?> RefuseAsync(UploadedFile file, CancellationToken cancel)
    {
        if (file.Reason is not null)
        {
            return new(file.FileName, file.Reason, file.Detail!);
        }

        if (file.Categories is null)
        {
            return new(file.FileName, "missing-category", "Send a field named category before the files it applies to.");
        }

        if (!_model.Kind.TakesSeveral() && file.Categories.Count > 1)
        {
            return new(file.FileName, "several-categories", "The categories of this model exclude each other, so an image has one of them; "
                + "a model of the kind multiLabelImageClassification takes several.");
        }

        foreach (var category in file.Categories.Where(category => category.Length > 0 || !_model.Kind.TakesSeveral()))
        {
            if (await RefuseAsync(file.FileName, category, cancel) is { } refusal)
            {
                return refusal;
            }
        }

        return null;
    }

    private async Task<RejectedFile?> RefuseAsync(string fileName, string category, CancellationToken cancel)
    {
        var (name, problem) = Names.Read(category, "category");
        if (name is null)
        {
            return new(fileName, "invalid-category", problem!);
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

        return _categories.ContainsKey(name) ? null : new(fileName, "unknown-category",
            $"The model has no category \"{name}\"; it has {List(_categories.Keys)}. PATCH the model to add one.");
    }

    private Task<CheckedFile> CheckAsync(UploadedFile file, Guid[] categories) => Task.Run(async () =>
    {
        var refusal = ImageReader.Check(file.Bytes!, _limits, out var info);
        return refusal is null
            ? new CheckedFile(file.FileName, categories, await blobs.PutAsync(file.Bytes!, CancellationToken.None), file.Bytes!.Length, info, null, file.Origin)
            : CheckedFile.Not(new(file.FileName, refusal.Reason, refusal.Detail));
    });

    private async Task TakeAsync(CheckedFile image)
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
        if (_batch.Count > 0)
        {
            await new ImageBatch(db, _model, _batch, _confirmed).InsertAsync(clock.Now(), _accepted, _rejected);
            _batch.Clear();
        }
    }

    private static string List(IEnumerable<string> names)
    {
        var all = names.Order(StringComparer.Ordinal).ToList();
        return string.Join(", ", all.Take(10).Select(n => $"\"{n}\"")) + (all.Count > 10 ? $" and {all.Count - 10} more" : all.Count == 0 ? "none" : "");
    }
}
