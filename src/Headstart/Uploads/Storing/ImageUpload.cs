using Headstart.Access;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Fetching;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Storing;

/// <summary>
/// Adds files to a model: downloads URLs, checks and stores files while reading, and inserts them in small batches. If the client
/// disconnects or the process dies, inserted files stay, and sending the same files again adds nothing twice.
/// </summary>
public sealed class ImageUpload(HeadstartDb db, IBlobStore blobs, WebFetcher web, Settings settings, TimeProvider clock)
{
    private const int BatchSize = 50;
    private const int FetchedAhead = 16; // these wait for web hosts, not for a core
    private static readonly int InFlight = Environment.ProcessorCount + 1;
    private static readonly TimeSpan LongestBatch = TimeSpan.FromSeconds(2);

    private readonly List<CheckedFile> _batch = [];
    private long _batchBegun;
    private bool _dryRun, _confirmed;
    private int _unlooked; // in a detection model: accepted without boxes
    private KnownCategories _categories = null!;
    private ImageChecks _checks = null!;
    private Model _model = null!;

    /// <param name="model">Receives the images.</param>
    /// <param name="files">Read as they arrive.</param>
    /// <param name="confirmed">Whether a user confirms the categories: an image in another category is moved.</param>
    /// <returns>The result for each file, without notices.</returns>
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

    /// <summary>Checks files like <see cref="AddAsync"/> and sums up what it would do. Nothing is stored or downloaded.</summary>
    /// <param name="model">Would receive the images.</param>
    /// <param name="files">Read as they arrive.</param>
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

    /// <summary>What the sender should know about the files of <see cref="ReadAsync"/>; null if nothing.</summary>
    public List<string>? Notices() => _unlooked == 0 ? _categories.Notices() : [Unlooked(_unlooked), .. _categories.Notices() ?? []];

    /// <summary>A sentence about images of a detection model without boxes.</summary>
    internal static string Unlooked(int images) => $"{images:N0} {(images == 1 ? "image has" : "images have")} no boxes: the upload "
        + "does not say where their objects are, or that nothing is there. Draw the boxes on the model's page, or send them; until then "
        + "no run learns from these images.";

    /// <summary>Checks files and passes them on in batches, in order and each exactly once.</summary>
    /// <param name="model">The model whose categories they name; unknown categories are added if the model allows it.</param>
    /// <param name="files">Read as they arrive.</param>
    /// <param name="take">Inserts a batch. If reading fails, it is still called with the files before the failure.</param>
    public async Task ReadAsync(Model model, IAsyncEnumerable<UploadedFile> files, Func<IReadOnlyList<CheckedFile>, Task> take,
        CancellationToken cancel)
    {
        _model = model;
        _categories ??= await KnownCategories.OfAsync(db, model, dryRun: false, cancel);
        _checks = new ImageChecks(blobs, web, settings.Uploads, _categories)
        {
            Kind = model.Kind,
            Confirmed = _confirmed,
            DryRun = _dryRun,
            Room = await db.RemainingQuotaAsync(model.AccountId, cancel),
        };
        var working = new Queue<Task<CheckedFile>>();
        try
        {
            await foreach (var sent in files.WithCancellation(cancel))
            {
                working.Enqueue(await _checks.BeginAsync(sent, cancel));
                while (working.Count >= (sent.Content is FileContent.Remote ? FetchedAhead : InFlight))
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
            // Even if the client has disconnected or the disk is full, keep what could be stored.
            await ((Task)Task.WhenAll(working)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _batch.AddRange(working.TakeWhile(next => next.IsCompletedSuccessfully).Select(next => next.Result));
            await HandOverAsync(take);
        }
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
            _checks.Room = _checks.Room is null ? null : await db.RemainingQuotaAsync(_model.AccountId, CancellationToken.None);
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
