using System.Security.Cryptography;
using Headstart.Access;
using Headstart.Blobs;
using Headstart.Configuration;
using Headstart.Data;
using Headstart.Fetching;
using Headstart.Http;
using Headstart.Learning.Imaging;
using Headstart.Naming;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Storing;

/// <summary>
/// Adds files to a model: fetches URLs, checks and stores files while reading, and inserts them in small batches. If the client disconnects
/// or the process dies, inserted files stay, and sending the same files again adds nothing twice.
/// </summary>
public sealed class ImageUpload(HeadstartDb db, IBlobStore blobs, WebFetcher web, Settings settings, TimeProvider clock)
{
    private const int BatchSize = 50;
    private const int FetchedAhead = 16; // these wait for other hosts, not for a core
    private static readonly int InFlight = Environment.ProcessorCount + 1;
    private static readonly SemaphoreSlim Checks = new(InFlight); // shared by all uploads: each holds a decoded image
    private static readonly TimeSpan LongestBatch = TimeSpan.FromSeconds(2);

    private readonly ImageLimits _limits = new() { MaxBytes = settings.Uploads.MaxFileBytes, MaxPixels = settings.Uploads.MaxPixels };
    private readonly List<CheckedFile> _batch = [];
    private long _batchBegun;
    private bool _dryRun, _confirmed;
    private int _unlooked; // in a detection model: taken without anything that says where objects are
    private bool _full; // then files are not stored, or an account over its quota could fill the disk
    private KnownCategories _categories = null!;
    private Model _model = null!;

    /// <param name="model">Receives the images.</param>
    /// <param name="files">As they come.</param>
    /// <param name="confirmed">A person vouches for the categories: an image in another category is moved.</param>
    /// <param name="cancel">Ends the reading.</param>
    /// <returns>What became of each file, without notices.</returns>
    /// <exception cref="BadHttpRequestException">The body ended early; the files before that point are stored.</exception>
    public async Task<UploadResponse> AddAsync(Model model, IAsyncEnumerable<UploadedFile> files, bool confirmed, CancellationToken cancel)
    {
        var (accepted, rejected) = (new List<ImageResponse>(), new List<RejectedFile>());
        _confirmed = confirmed;
        await ReadAsync(model, files, async batch =>
        {
            await using var transaction = await db.Database.BeginTransactionAsync();
            var (taken, names) = await new ImageBatch(db, model, batch, confirmed).StoreAsync(clock.Now());
            await transaction.CommitAsync();
            accepted.AddRange(taken.Where(t => t.Example is not null)
                .Select(t => ImageResponse.Of(t.Example!, model.Kind, names) with { AlreadyThere = t.AlreadyThere ? true : null }));
            rejected.AddRange(taken.Where(t => t.Rejected is not null).Select(t => t.Rejected!));
        }, cancel);
        return new(accepted, rejected, Notices() ?? []);
    }

    /// <summary>Checks files as <see cref="AddAsync"/> does and adds up what would become of them. Nothing is stored or fetched.</summary>
    /// <param name="model">Would receive the images.</param>
    /// <param name="files">As they come.</param>
    /// <param name="cancel">Ends the reading.</param>
    internal async Task<PlanSum> PlanAsync(Model model, IAsyncEnumerable<UploadedFile> files, CancellationToken cancel)
    {
        _dryRun = true;
        _categories = await KnownCategories.OfAsync(db, model, dryRun: true, cancel);
        var sum = new PlanSum(_categories, model.Kind);
        await ReadAsync(model, files, batch =>
        {
            foreach (var file in batch)
            {
                sum.Add(file);
            }

            return Task.CompletedTask;
        }, cancel);
        return sum;
    }

    /// <summary>What the sender should know about what <see cref="ReadAsync"/> has read; null if nothing.</summary>
    public List<string>? Notices() => _unlooked == 0 ? _categories.Notices() : [Unlooked(_unlooked), .. _categories.Notices() ?? []];

    /// <summary>A sentence about images of a detection model of which nobody says where their objects are.</summary>
    internal static string Unlooked(int images) => $"{images:N0} {(images == 1 ? "image has" : "images have")} no boxes: nothing that was "
        + "sent says where their objects are, or that nothing is there. Draw the boxes on the model's page, or send them; until then no "
        + "run learns from these images.";

    /// <summary>Checks files and passes them on in batches, in order and each exactly once.</summary>
    /// <param name="model">The model whose categories they name; unknown categories are added if the model allows it.</param>
    /// <param name="files">As they come.</param>
    /// <param name="take">Inserts a batch. If reading fails, it is still called with the files before the failure.</param>
    /// <param name="cancel">Ends the reading.</param>
    public async Task ReadAsync(Model model, IAsyncEnumerable<UploadedFile> files, Func<IReadOnlyList<CheckedFile>, Task> take,
        CancellationToken cancel)
    {
        _model = model;
        _full = await db.IsFullAsync(model.AccountId, cancel);
        _categories ??= await KnownCategories.OfAsync(db, model, dryRun: false, cancel);
        var working = new Queue<Task<CheckedFile>>();
        try
        {
            await foreach (var sent in files.WithCancellation(cancel))
            {
                var file = _model.Kind.HasBoxes() ? WithCategoriesOfBoxes(sent) : sent;
                working.Enqueue(await RefuseAsync(file, cancel) is { } refusal
                    ? Task.FromResult(CheckedFile.Not(refusal))
                    : CheckAsync(file, NamesOf(file).ToDictionary(name => name, name => _categories[name]), cancel));
                while (working.Count >= (file.Content is FileContent.Remote ? FetchedAhead : InFlight))
                {
                    await TakeAsync(await NextAsync(working), take);
                }
            }

            while (working.Count > 0)
            {
                await TakeAsync(await NextAsync(working), take);
            }
        }
        finally
        {
            // Even if the client is gone or the disk is full, keep what could be stored.
            await ((Task)Task.WhenAll(working)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _batch.AddRange(working.TakeWhile(next => next.IsCompletedSuccessfully).Select(next => next.Result));
            await HandOverAsync(take);
        }
    }

    /// <summary>The categories of an image in a detection model are those of its boxes; without boxes it is stored for somebody to draw
    /// them.</summary>
    private static UploadedFile WithCategoriesOfBoxes(UploadedFile file) =>
        file with { Categories = file.Drawn?.Categories ?? file.Categories?.Where(category => category.Length > 0).ToList() ?? [] };

    /// <summary>Empty for an image without a category, which is sent as an empty field.</summary>
    private static IEnumerable<string> NamesOf(UploadedFile file) =>
        file.Categories!.Where(category => category.Length > 0).Select(category => Names.Read(category, "category").Name!).Distinct();

    /// <summary>Refuses what can be refused without reading the bytes. Creates the category if the model adds unknown ones.</summary>
    private async Task<RejectedFile?> RefuseAsync(UploadedFile file, CancellationToken cancel)
    {
        if (file.Unusable is var (reason, detail))
        {
            return new(file.FileName, reason, detail);
        }

        if (RefuseBoxes(file) is { } refused)
        {
            return refused;
        }

        if (file.Categories is null)
        {
            return new(file.FileName, "missing-category", "The file has no category: in a form, send a field named "
                + "category before its files; in a list, give each row a category.");
        }

        if (file.Origin?.IsSafe() is false)
        {
            return new(file.FileName, "invalid-origin", "An origin needs a url; its links must begin with http:// or https://, and "
                + "its texts may have 8,000 characters each.");
        }

        if (!_model.Kind.TakesSeveral() && file.Categories.Count == 0)
        {
            return new(file.FileName, "no-label", "The image is labelled with none of the categories, and an image of this model has "
                + "exactly one; label it, or use a model of the kind multiLabelImageClassification.");
        }

        if (!_model.Kind.TakesSeveral() && file.Categories.Count > 1)
        {
            return new(file.FileName, "several-categories", $"The image has {file.Categories.Count} categories "
                + $"({RequestBodies.Readable(string.Join(", ", file.Categories.Take(5)))}), and an image of this model has exactly one; "
                + "leave one of them, or use a model of the kind multiLabelImageClassification.");
        }

        foreach (var category in file.Categories.Where(category => category.Length > 0 || !_model.Kind.TakesSeveral()))
        {
            if (await RefuseAsync(file, category, cancel) is { } refusal)
            {
                return refusal;
            }
        }

        return null;
    }

    private RejectedFile? RefuseBoxes(UploadedFile file) =>
        !_model.Kind.HasBoxes() ? file.Drawn is null ? null : new(file.FileName, "boxes-not-wanted", "The file has boxes, and this model "
                + "has categories without boxes; send the category, or use a model of the kind objectDetection.")
        : file.Drawn is { } drawn ? drawn.Refuse() is { } reason ? Undrawable(file, reason) : null
        : file.Categories is { Count: > 0 } ? new(file.FileName, "category-without-boxes", "The file has a category, but nothing says "
            + "where in the image it is; send boxes, or send the file without a category and draw them on the model's page.")
        : _confirmed ? new(file.FileName, "boxes-missing", "Feedback says where the objects are; send the boxes of the file, an empty list "
            + "if nothing is there.")
        : null;

    private static RejectedFile Undrawable(UploadedFile file, string reason) =>
        new(file.FileName, "invalid-boxes", file.FileName.Length == 0 ? reason : $"{reason.TrimEnd('.')} (in {file.FileName}).");

    private async Task<RejectedFile?> RefuseAsync(UploadedFile file, string category, CancellationToken cancel)
    {
        var (name, problem) = Names.Read(category, "category");
        if (name is null)
        {
            return new(file.FileName, "invalid-category", problem!);
        }

        if (_categories.IsNew(name))
        {
            if (file.Bytes is { } bytes && ImageReader.CheckHeader(bytes, _limits) is { } unusable)
            {
                return new(file.FileName, unusable.Reason, unusable.Detail); // a folder of texts is not a category
            }

            if (file is { Bytes: { } image, Drawn: { } drawn } && ImageReader.Check(image, _limits, out var info) is null
                && drawn.On(info!).Problem is { } undrawable)
            {
                return Undrawable(file, undrawable);
            }

            await _categories.AddAsync(name, cancel);
        }

        return _categories.Refuse(name) is { } unknown ? new(file.FileName, "unknown-category", unknown) : null;
    }

    /// <param name="categories">Their ids by their names.</param>
    private async Task<CheckedFile> CheckAsync(UploadedFile file, Dictionary<string, Guid> categories, CancellationToken cancel)
    {
        if (_dryRun && file.Content is FileContent.Remote or FileContent.Unread)
        {
            return new(file.FileName, [.. categories.Values], [], 0, null, null, Split: file.Split)
            {
                Boxes = file.Drawn is null ? null : [], // where they are is only known with the image
            };
        }

        if (file.Content is FileContent.Remote(var url))
        {
            var fetched = await web.FetchAsync(url, settings.Uploads.MaxFileBytes, cancel);
            var name = file.FileName.Length > 0 ? file.FileName : fetched.FileName;
            if (fetched.Bytes is null)
            {
                return CheckedFile.Not(new(name, fetched.Reason!, fetched.Detail!));
            }

            file = file with { FileName = name, Content = new FileContent.Here(fetched.Bytes, file.Origin ?? new(url)) };
        }

        await Checks.WaitAsync(CancellationToken.None);
        try
        {
            return await Task.Run(() => StoreAsync(file, (FileContent.Here)file.Content, categories), CancellationToken.None);
        }
        finally
        {
            Checks.Release();
        }
    }

    private async Task<CheckedFile> StoreAsync(UploadedFile file, FileContent.Here content, Dictionary<string, Guid> categories)
    {
        if (ImageReader.Check(content.Bytes, _limits, out var info) is { } refusal)
        {
            return CheckedFile.Not(new(file.FileName, refusal.Reason, refusal.Detail));
        }

        var (boxes, problem) = file.Drawn?.On(info!) ?? default;
        if (problem is not null)
        {
            return CheckedFile.Not(Undrawable(file, problem));
        }

        var sha256 = _full || _dryRun ? SHA256.HashData(content.Bytes) : await blobs.PutAsync(content.Bytes, CancellationToken.None);
        return new(file.FileName, [.. categories.Values], sha256, content.Bytes.Length, info, null, content.Origin ?? file.Origin,
            file.Split)
        {
            IsStored = !_full,
            Confirmed = file.Confirmed && (boxes is not null || !_model.Kind.HasBoxes()),
            Boxes = boxes?.Select(box => new CheckedBox(categories[Names.Clean(box.Category!)], box)).ToList(),
            AddsBoxes = file.Drawn?.Adds is true,
        };
    }

    /// <summary>A failed task stays at the head of the queue, so that nothing after it is taken.</summary>
    private static async Task<CheckedFile> NextAsync(Queue<Task<CheckedFile>> working)
    {
        var file = await working.Peek();
        _ = working.Dequeue();
        return file;
    }

    private async Task TakeAsync(CheckedFile file, Func<IReadOnlyList<CheckedFile>, Task> take)
    {
        if (_batch.Count == 0)
        {
            _batchBegun = clock.GetTimestamp();
        }

        _batch.Add(file);
        _unlooked += _model.Kind.HasBoxes() && file is { Rejected: null, Boxes: null } ? 1 : 0;
        if (_batch.Count >= BatchSize || clock.GetElapsedTime(_batchBegun) > LongestBatch)
        {
            await HandOverAsync(take);
        }
    }

    private async Task HandOverAsync(Func<IReadOnlyList<CheckedFile>, Task> take)
    {
        if (_batch.Count > 0)
        {
            await take([.. _batch]);
            _batch.Clear(); // not earlier: files that could not be inserted are tried once more at the end, before later ones
        }
    }
}
