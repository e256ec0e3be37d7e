using System.Security.Cryptography;
using Headstart.Access;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Fetching;
using Headstart.Learning.Imaging;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Storing;

/// <summary>Checks the files of one upload: refuses them with a reason, or downloads, decodes and stores them.</summary>
internal sealed class ImageChecks(IBlobStore blobs, WebFetcher web, UploadSettings settings, KnownCategories categories)
{
    private const int StoresAtOnce = 16;

    private static readonly SemaphoreSlim Slots = new(Environment.ProcessorCount); // shared by all uploads: each holds a decoded image
    private static readonly SemaphoreSlim Stores = new(StoresAtOnce); // they wait for a disk or a bucket, not for a core

    private readonly ImageLimits _limits = settings.ImageLimits;

    /// <summary>Kind of the model that receives the files.</summary>
    public required ModelKind Kind { get; init; }

    /// <summary>Whether a user confirms the categories.</summary>
    public required bool Confirmed { get; init; }

    /// <summary>Whether nothing is stored or downloaded.</summary>
    public required bool DryRun { get; init; }

    /// <summary>
    /// What the account had left after the last batch; null if it has no limit. Files that do not fit are not stored, because otherwise it
    /// could fill the disk.
    /// </summary>
    public required RemainingQuota? Room { get; set; }

    /// <summary>Decides on the categories of a file, creating some if needed, and starts checking its bytes.</summary>
    public async Task<Task<CheckedFile>> BeginAsync(UploadedFile sent, CancellationToken cancel)
    {
        var file = Kind.HasBoxes() ? WithCategoriesOfBoxes(sent) : sent;
        return await RefuseAsync(file, cancel) is { } refusal ? Task.FromResult(CheckedFile.Not(refusal))
            : CheckAsync(file, NamesOf(file).ToDictionary(name => name, name => categories[name]), cancel);
    }

    /// <summary>In a detection model, an image has the categories of its boxes; without boxes it is stored to be labelled
    /// later.</summary>
    private static UploadedFile WithCategoriesOfBoxes(UploadedFile file) =>
        file with { Categories = file.Drawn?.Categories ?? file.Categories?.Where(category => category.Length > 0).ToList() ?? [] };

    /// <summary>Empty for an image that shows no category, which is sent as an empty field.</summary>
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

        if (!Kind.TakesSeveral() && file.Categories.Count == 0)
        {
            return new(file.FileName, "no-label", "The image is labelled with none of the categories, and an image of this model has "
                + "exactly one; label it, or use a model of the kind multiLabelImageClassification.");
        }

        if (!Kind.TakesSeveral() && file.Categories.Count > 1)
        {
            return new(file.FileName, "several-categories", $"The image has {file.Categories.Count} categories "
                + $"({RequestBodies.Readable(string.Join(", ", file.Categories.Take(5)))}), and an image of this model has exactly one; "
                + "leave one of them, or use a model of the kind multiLabelImageClassification.");
        }

        foreach (var category in file.Categories.Where(category => category.Length > 0 || !Kind.TakesSeveral()))
        {
            if (await RefuseAsync(file, category, cancel) is { } refusal)
            {
                return refusal;
            }
        }

        return null;
    }

    private RejectedFile? RefuseBoxes(UploadedFile file) =>
        !Kind.HasBoxes() ? file.Drawn is null ? null : new(file.FileName, "boxes-not-wanted", "The file has boxes, and this model "
                + "has categories without boxes; send the category, or use a model of the kind objectDetection.")
        : file.Drawn is { } drawn ? drawn.Refuse() is { } reason ? Undrawable(file, reason) : null
        : file.Categories is { Count: > 0 } ? new(file.FileName, "category-without-boxes", "The file has a category, but nothing says "
            + "where in the image it is; send boxes, or send the file without a category and draw them on the model's page.")
        : Confirmed ? new(file.FileName, "boxes-missing", "Feedback says where the objects are; send the boxes of the file, an empty list "
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

        if (categories.IsNew(name))
        {
            if (file.Bytes is { } bytes && ImageReader.CheckHeader(bytes, _limits) is { } unusable)
            {
                return new(file.FileName, unusable.Reason, unusable.Detail); // a folder of texts is not a category
            }

            if (file is { Bytes: { } image, Drawn: { } drawn } && (await DecodeAsync(image)).Info is { } info
                && drawn.On(info).Problem is { } undrawable)
            {
                return Undrawable(file, undrawable);
            }

            await categories.AddAsync(name, cancel);
        }

        return categories.Refuse(name) is { } unknown ? new(file.FileName, "unknown-category", unknown) : null;
    }

    /// <param name="ids">Ids of the file's categories by name.</param>
    private async Task<CheckedFile> CheckAsync(UploadedFile file, Dictionary<string, Guid> ids, CancellationToken cancel)
    {
        if (DryRun && file.Content is FileContent.Remote or FileContent.Unread)
        {
            return new(file.FileName, [.. ids.Values], [], 0, null, null, Split: file.Split)
            {
                Boxes = file.Drawn is null ? null : [], // the boxes need the image
            };
        }

        if (file.Content is FileContent.Remote(var url))
        {
            var fetched = await web.FetchAsync(url, settings.MaxFileBytes, cancel);
            var name = file.FileName.Length > 0 ? file.FileName : fetched.FileName;
            if (fetched.Bytes is null)
            {
                return CheckedFile.Not(new(name, fetched.Reason!, fetched.Detail!));
            }

            file = file with { FileName = name, Content = new FileContent.Here(fetched.Bytes, file.Origin ?? new(url)) };
        }

        var content = (FileContent.Here)file.Content;
        var (refusal, info) = await DecodeAsync(content.Bytes);
        return refusal is null ? await StoreAsync(file, content, info!, ids)
            : CheckedFile.Not(new(file.FileName, refusal.Reason, refusal.Detail));
    }

    private Task<(ImageRefusal? Refusal, ImageInfo? Info)> DecodeAsync(byte[] bytes) =>
        InAsync(Slots, () => Task.FromResult((ImageReader.Check(bytes, _limits, out var info), info)));

    private static async Task<T> InAsync<T>(SemaphoreSlim slots, Func<Task<T>> act)
    {
        await slots.WaitAsync(CancellationToken.None);
        try
        {
            return await Task.Run(act, CancellationToken.None);
        }
        finally
        {
            slots.Release();
        }
    }

    private async Task<CheckedFile> StoreAsync(UploadedFile file, FileContent.Here content, ImageInfo info, Dictionary<string, Guid> ids)
    {
        var (boxes, problem) = file.Drawn?.On(info) ?? default;
        if (problem is not null)
        {
            return CheckedFile.Not(Undrawable(file, problem));
        }

        var fits = Room?.Fits(content.Bytes.Length) ?? true;
        var sha256 = DryRun || !fits ? SHA256.HashData(content.Bytes)
            : await InAsync(Stores, () => blobs.PutAsync(content.Bytes, CancellationToken.None));
        return new(file.FileName, [.. ids.Values], sha256, content.Bytes.Length, info, null, content.Origin ?? file.Origin,
            file.Split)
        {
            IsStored = fits,
            Confirmed = file.Confirmed && (boxes is not null || !Kind.HasBoxes()),
            Boxes = boxes?.Select(box => new CheckedBox(ids[Names.Clean(box.Category!)], box)).ToList(),
            AddsBoxes = file.Drawn?.Adds is true,
        };
    }
}
