using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using Headstart.Access;
using Headstart.Data;
using Headstart.Learning.Imaging;
using Headstart.Uploads.Storing;

namespace Headstart.Uploads.Texts;

/// <param name="Category">Its category; null for an unlabelled text, from which only word usage is learned.</param>
/// <param name="FileName">The uploaded file that contained it; empty if it was not in a file.</param>
/// <param name="Sha256">Hexadecimal SHA-256 of its UTF-8.</param>
/// <param name="Bytes">Size in bytes of UTF-8.</param>
/// <param name="Split">Whether heads are trained on the text (<c>train</c>) or tested on it (<c>test</c>) once it has a category. If nobody
/// chose, the text decides and a fifth of the texts is for testing; one that a run had to learn from is for training from then on.</param>
/// <param name="SplitGiven">Whether a user chose the split, when sending the text or by changing it. Such a test text is never learned
/// from; others are learned from after they have been used for testing.</param>
/// <param name="Confirmed">Whether a user has confirmed the category.</param>
/// <param name="AlreadyThere">In the answer to an upload: the model already had the text, so nothing was stored.</param>
public sealed record StoredText(
    Guid Id, string Text, string? Category, string FileName, string Sha256, int Bytes, Split Split, bool SplitGiven, bool Confirmed,
    DateTime CreatedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? AlreadyThere = null)
{
    /// <param name="row">With its labels.</param>
    /// <param name="names">Names of the model's categories.</param>
    internal static StoredText Of(Example row, IReadOnlyDictionary<Guid, string> names) => new(
        row.Id, row.Text ?? "", row.Labels is [var label, ..] ? names.GetValueOrDefault(label.CategoryId) : null, row.FileName,
        Convert.ToHexStringLower(row.Sha256), row.Bytes, row.Split, row.SplitGiven, row.Confirmed, row.CreatedAt);
}

/// <param name="Index">Position of the text in the request, from 0.</param>
/// <param name="FileName">The file that contains it; null if the request body is the file.</param>
/// <param name="Reason">A stable slug, such as <c>empty-text</c> or <c>unknown-category</c>.</param>
/// <param name="Detail">What is wrong and how to fix it.</param>
public sealed record RejectedText(int Index, string? FileName, string Reason, string Detail)
{
    /// <summary>Set if the account's storage quota has no room for it.</summary>
    [JsonIgnore]
    public QuotaUse? Exceeded { get; init; }
}

/// <param name="Notices">What you should know although nothing failed, for example new categories whose names differ only in case. Omitted
/// if there is nothing.</param>
public sealed record TakenTexts(IReadOnlyList<StoredText> Accepted, IReadOnlyList<RejectedText> Rejected,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? Notices = null);

/// <summary>
/// Adds texts to a model in batches. If the client disconnects or the process dies, inserted texts stay, and sending the same texts again
/// adds nothing twice.
/// </summary>
public sealed class TextUpload(HeadstartDb db, DataPaths paths, Settings settings, TimeProvider clock)
{
    private const int BatchSize = 1_000;

    private readonly List<StoredText> _accepted = [];
    private readonly List<RejectedText> _rejected = [];
    private readonly List<CheckedFile> _batch = [];
    private readonly List<int> _places = []; // positions of the batch's texts in the request
    private long _bytes;

    /// <summary>Reads the texts of a body as they arrive.</summary>
    /// <exception cref="RefusedException">The body does not match its content type.</exception>
    internal IAsyncEnumerable<SentText> ReadAsync(HttpRequest request, CancellationToken cancel) =>
        TextBody.ReadAsync(request, paths.Spool, settings.Uploads, cancel);

    /// <param name="model">A text model; receives the texts.</param>
    /// <param name="texts">Read as they arrive.</param>
    /// <param name="confirmed">Whether a user confirms the categories: a text in another category is moved.</param>
    /// <exception cref="RefusedException">Too many texts, or the body does not match its content type; the texts before that are
    /// kept.</exception>
    internal async Task<TakenTexts> AddAsync(Model model, IAsyncEnumerable<SentText> texts, bool confirmed, CancellationToken cancel)
    {
        var categories = await KnownCategories.OfAsync(db, model, dryRun: false, cancel);
        await ReadAsync(texts, categories, () => StoreAsync(model, confirmed), cancel);
        return new(_accepted, [.. _rejected.OrderBy(text => text.Index)], categories.Notices());
    }

    /// <summary>Checks texts like <see cref="AddAsync"/> and sums up what it would do. Nothing is stored.</summary>
    internal async Task<UploadPlan> PlanAsync(Model model, IAsyncEnumerable<SentText> texts, CancellationToken cancel)
    {
        var categories = await KnownCategories.OfAsync(db, model, dryRun: true, cancel);
        var sum = new PlanSum(categories, model.Kind);
        await ReadAsync(texts, categories, () =>
        {
            _batch.ForEach(sum.Add);
            _batch.Clear();
            _places.Clear();
            return Task.CompletedTask;
        }, cancel);
        _rejected.ForEach(text => sum.Reject(new(text.FileName, text.Reason, text.Detail)));
        return sum.Plan(categories.Notices() ?? []);
    }

    private async Task ReadAsync(IAsyncEnumerable<SentText> texts, KnownCategories categories, Func<Task> store, CancellationToken cancel)
    {
        var count = 0;
        try
        {
            await foreach (var sent in texts.WithCancellation(cancel))
            {
                if (count == settings.Uploads.MaxRows)
                {
                    throw RefusedException.TooLarge("too-many-texts",
                        $"One request may contain {count:N0} texts (Headstart:Uploads:MaxRows). The texts before the limit were processed; "
                            + "send the rest in another request.");
                }

                await TakeAsync(sent, count++, categories, cancel);
                if (_batch.Count == BatchSize)
                {
                    await store();
                }
            }
        }
        finally
        {
            await store(); // even if the rest cannot be read: texts that arrived complete are kept
        }
    }

    private async Task TakeAsync(SentText sent, int place, KnownCategories categories, CancellationToken cancel)
    {
        if (Refuse(sent, out var text, out var category, out var split) is var (reason, detail))
        {
            _rejected.Add(new(place, sent.FileName, reason, detail));
            return;
        }

        if (category is not null && categories.IsNew(category))
        {
            await categories.AddAsync(category, cancel);
        }

        if (category is not null && categories.Refuse(category) is { } unknown)
        {
            _rejected.Add(new(place, sent.FileName, "unknown-category", unknown));
            return;
        }

        var bytes = Encoding.UTF8.GetBytes(text);
        if ((_bytes += bytes.Length) > settings.Uploads.MaxTextsBytes)
        {
            throw RefusedException.TooLarge("too-large", $"The texts of one request may take {settings.Uploads.MaxTextsBytes:N0} "
                + "bytes (Headstart:Uploads:MaxTextsBytes). The texts before the limit were processed; send the rest in another request.");
        }

        _batch.Add(new(sent.FileName ?? "", category is null ? [] : [categories[category]], SHA256.HashData(bytes), bytes.Length,
            new ImageInfo(0, 0, "text/plain", ImageFlaws.None), null, Split: split, Text: text)
        {
            Confirmed = sent.Confirmed && category is not null,
        });
        _places.Add(place);
    }

    /// <summary>Refuses what can be refused without querying the model.</summary>
    private (string Reason, string Detail)? Refuse(SentText sent, out string text, out string? category, out Split? split)
    {
        (text, category, split) = ("", null, null);
        if (sent.Reason is { } reason)
        {
            return (reason, sent.Detail!);
        }

        if (PlainText.Read(sent.Text, settings.Uploads.MaxTextBytes, out text) is { } refusal)
        {
            return refusal;
        }

        if (!sent.TryReadSplit(out split))
        {
            return ("invalid-split", "split must be train, val or test.");
        }

        if (string.IsNullOrWhiteSpace(sent.Category))
        {
            return null;
        }

        (category, var problem) = Names.Read(sent.Category, "category");
        return category is null ? ("invalid-category", problem!) : null;
    }

    private async Task StoreAsync(Model model, bool confirmed)
    {
        if (_batch.Count == 0)
        {
            return;
        }

        CheckedFile[] batch = [.. _batch];
        int[] places = [.. _places];
        _batch.Clear(); // a failed insert is not retried at the end
        _places.Clear();
        await using var transaction = await db.Database.BeginTransactionAsync();
        var (taken, names) = await new ImageBatch(db, model, batch, confirmed).StoreAsync(clock.Now());
        await transaction.CommitAsync();
        foreach (var (text, place) in taken.Zip(places))
        {
            if (text.Example is { } row)
            {
                _accepted.Add(StoredText.Of(row, names) with { AlreadyThere = text.AlreadyThere ? true : null });
            }
            else
            {
                _rejected.Add(new(place, text.Rejected!.FileName is { Length: > 0 } name ? name : null, text.Rejected.Reason,
                    text.Rejected.Detail)
                { Exceeded = text.Rejected.Exceeded });
            }
        }
    }
}
